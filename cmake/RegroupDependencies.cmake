# Every library from outside, found once. Who may use which is decided by the folders' CMakeLists.txt.

if(REGROUP_LIBTORCH)
  find_package(LibTorch REQUIRED)
endif()
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET GLOBAL sentencepiece)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)
# Its only flag, UTF8PROC_EXPORTS, matters on Windows; with it the precompiled header would not fit the tests.
set_property(TARGET PkgConfig::utf8proc PROPERTY INTERFACE_COMPILE_OPTIONS "")
set_property(TARGET PkgConfig::utf8proc PROPERTY INTERFACE_COMPILE_DEFINITIONS "")
find_path(REGROUP_RANDOM123 Random123/philox.h REQUIRED)
mark_as_advanced(REGROUP_RANDOM123)

# Torch brings its own OpenMP runtime. Two runtimes in one process keep two thread pools and disagree about thread
# counts, so where torch has one, our code is linked with that one.
add_library(regroup_openmp INTERFACE)
add_library(regroup::openmp ALIAS regroup_openmp)
separate_arguments(openmp_flags UNIX_COMMAND "${OpenMP_CXX_FLAGS}")
target_compile_options(regroup_openmp INTERFACE ${openmp_flags})
if(LibTorch_OPENMP)
  target_link_libraries(regroup_openmp INTERFACE "${LibTorch_OPENMP}" Threads::Threads)
else()
  target_link_libraries(regroup_openmp INTERFACE OpenMP::OpenMP_CXX)
endif()
if(REGROUP_SANITIZE MATCHES "thread")
  # See tsan_openmp.cpp.
  add_library(regroup_tsan_openmp STATIC "${PROJECT_SOURCE_DIR}/cmake/tsan_openmp.cpp")
  target_link_libraries(regroup_openmp INTERFACE regroup_tsan_openmp)
  foreach(name
      parallel parallel_loop_dynamic parallel_loop_guided parallel_loop_nonmonotonic_dynamic
      parallel_loop_nonmonotonic_guided barrier loop_end critical_start critical_end critical_name_start
      critical_name_end)
    target_link_options(regroup_openmp INTERFACE -Wl,--wrap=GOMP_${name})
  endforeach()
endif()

# Eigen's own threads would split products by the number of threads, and with it the rounding.
add_library(regroup_eigen INTERFACE)
add_library(regroup::eigen ALIAS regroup_eigen)
target_link_libraries(regroup_eigen INTERFACE Eigen3::Eigen)
target_compile_definitions(regroup_eigen INTERFACE EIGEN_DONT_PARALLELIZE EIGEN_MPL2_ONLY)
