// For the thread sanitizer only: tells it what libgomp synchronises.
//
// libgomp is not instrumented, so the sanitizer sees neither the start nor the end of a parallel
// region and reports every clean one; to suppress reports that have libgomp on the stack would hide
// the real races too. The linker replaces the calls below (-Wl,--wrap, the list in
// cmake/RegroupDependencies.cmake) with ones that state the order: what the caller did happens
// before every thread's part, every part before what the caller does next. Not covered: tasks,
// sections, ordered loops and locks, which this project does not use.

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);

}  // extern "C"

namespace {

struct Region {
  void (*body)(void*);
  void* data;
  char fork = 0;  // only the addresses of these two matter
  char join = 0;
};

void run_part(void* argument) {
  auto* region = static_cast<Region*>(argument);
  __tsan_acquire(&region->fork);
  region->body(region->data);
  __tsan_release(&region->join);
}

template <typename Start>
void run_region(void (*body)(void*), void* data, Start start) {
  Region region{body, data};
  __tsan_release(&region.fork);
  start(&run_part, &region);
  __tsan_acquire(&region.join);
}

char barrier;
char unnamed_critical;

template <typename Wait>
void pass_barrier(Wait wait) {
  __tsan_release(&barrier);
  wait();
  __tsan_acquire(&barrier);
}

}  // namespace

#define REGROUP_WRAP_LOOP(name)                                                               \
  void __real_##name(void (*)(void*), void*, unsigned, long, long, long, long, unsigned);     \
  void __wrap_##name(void (*body)(void*), void* data, unsigned threads, long start, long end, \
                     long step, long chunk, unsigned flags) {                                 \
    run_region(body, data, [=](void (*part)(void*), void* region) {                           \
      __real_##name(part, region, threads, start, end, step, chunk, flags);                   \
    });                                                                                       \
  }

extern "C" {

void __real_GOMP_parallel(void (*)(void*), void*, unsigned, unsigned);
void __wrap_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) {
  run_region(body, data, [=](void (*part)(void*), void* region) {
    __real_GOMP_parallel(part, region, threads, flags);
  });
}

REGROUP_WRAP_LOOP(GOMP_parallel_loop_dynamic)
REGROUP_WRAP_LOOP(GOMP_parallel_loop_guided)
REGROUP_WRAP_LOOP(GOMP_parallel_loop_nonmonotonic_dynamic)
REGROUP_WRAP_LOOP(GOMP_parallel_loop_nonmonotonic_guided)

void __real_GOMP_barrier();
void __wrap_GOMP_barrier() {
  pass_barrier(&__real_GOMP_barrier);
}

void __real_GOMP_loop_end();
void __wrap_GOMP_loop_end() {
  pass_barrier(&__real_GOMP_loop_end);
}

void __real_GOMP_critical_start();
void __wrap_GOMP_critical_start() {
  __real_GOMP_critical_start();
  __tsan_acquire(&unnamed_critical);
}

void __real_GOMP_critical_end();
void __wrap_GOMP_critical_end() {
  __tsan_release(&unnamed_critical);
  __real_GOMP_critical_end();
}

void __real_GOMP_critical_name_start(void** name);
void __wrap_GOMP_critical_name_start(void** name) {
  __real_GOMP_critical_name_start(name);
  __tsan_acquire(name);
}

void __real_GOMP_critical_name_end(void** name);
void __wrap_GOMP_critical_name_end(void** name) {
  __tsan_release(name);
  __real_GOMP_critical_name_end(name);
}

}  // extern "C"
