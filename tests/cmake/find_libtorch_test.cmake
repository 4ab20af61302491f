# Runs FindLibTorch on made-up torch folders below WORK: each unfit one must stop with its own message.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
set(failures 0)

# fake(<name> <version>): WORK/<name> with headers that say <version> and empty libraries.
function(fake name version)
  string(REPLACE "." ";" parts "${version}")
  list(GET parts 0 major)
  list(GET parts 1 minor)
  list(GET parts 2 patch)
  file(WRITE "${WORK}/${name}/include/torch/csrc/api/include/torch/version.h"
       "#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n")
  foreach(library torch torch_cpu c10)
    file(WRITE "${WORK}/${name}/lib/lib${library}.so" "")
  endforeach()
endfunction()

# expect(<name> <code> <text>): looking at WORK/<name> ends with exit code <code> and one message that has <text>.
function(expect name code text)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DREGROUP_TORCH=${WORK}/${name}" -P "${MODULE}"
                  RESULT_VARIABLE got OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " flat "${output}")
  string(REGEX MATCHALL "CMake Error" errors "${output}")
  list(LENGTH errors errors)
  string(FIND "${flat}" "${text}" at)
  if(NOT got EQUAL code OR at EQUAL -1 OR NOT errors EQUAL code)
    message(SEND_ERROR "${name}: exit code ${got}, ${errors} errors; expected ${code} and \"${text}\" in:\n${output}")
  endif()
endfunction()

fake(fits 2.4.1)
expect(fits 0 "LibTorch 2.4.1: ")

fake(oldest 2.3.0)
expect(oldest 0 "LibTorch 2.3.0: ")

fake(old 1.13.1)
expect(old 1 "holds LibTorch 1.13.1, which is too old: 2.3 or newer is needed")

fake(no-libraries 2.4.0)
file(REMOVE_RECURSE "${WORK}/no-libraries/lib")
expect(no-libraries 1 "missing in ${WORK}/no-libraries/lib: libtorch.so, libtorch_cpu.so, libc10.so")

fake(no-c10 2.4.0)
file(REMOVE "${WORK}/no-c10/lib/libc10.so")
expect(no-c10 1 "lib: libc10.so")

fake(other-c10 2.4.0)
file(REMOVE "${WORK}/other-c10/lib/libc10.so")
file(CREATE_LINK "${WORK}/fits/lib/libc10.so" "${WORK}/other-c10/lib/libc10.so" SYMBOLIC)
expect(other-c10 1 "mixes two torches: its libraries lie in")

fake(other-headers 2.4.0)
file(REMOVE_RECURSE "${WORK}/other-headers/include")
file(CREATE_LINK "${WORK}/fits/include" "${WORK}/other-headers/include" SYMBOLIC)
expect(other-headers 1 "mixes two torches: its headers lie in")

fake(other-python 2.4.0)
file(WRITE "${WORK}/other-python/version.py" "__version__ = '2.5.1+cpu'\n")
expect(other-python 1 "mixes two torches: headers of 2.4.0, version.py of 2.5.1")

fake(old-abi 2.4.0)
file(WRITE "${WORK}/old-abi/lib/libc10.so" "_ZN3c105ErrorC1ENS_14SourceLocationESs\n")
expect(old-abi 1 "_GLIBCXX_USE_CXX11_ABI=0")

file(MAKE_DIRECTORY "${WORK}/empty")
expect(empty 1 "is no torch folder")
expect(absent 1 "is no torch folder")
