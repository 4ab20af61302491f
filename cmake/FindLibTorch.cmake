# Finds LibTorch in one torch folder: headers and libraries together, no CUDA toolkit needed.
#
# Why not find_package(Torch): pip's configuration picks up a libc10 that lies in the system's folder, and it refuses a
# CUDA build on a machine without nvcc. Both are needless; a torch folder holds all that a program links with.
#
# Looked at in this order; REGROUP_TORCH must fit, of the others the first that fits is taken:
#   1. REGROUP_TORCH           a folder with include/ and lib/: site-packages/torch, an unpacked libtorch, or /usr
#   2. the torch that `python3` imports
#   3. Debian's libtorch-dev
#   4. .venv in the checkout   made by scripts/setup.sh
#
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_DIRECTORY, LibTorch_OPENMP (the OpenMP runtime that torch brings, or
# empty) and makes the target LibTorch::LibTorch.
#
# `cmake [-DREGROUP_TORCH=DIR] -P cmake/FindLibTorch.cmake` only looks: it prints what was found, or fails and says why.

cmake_policy(VERSION 3.25)

# 2.3 is the oldest with the attention operators used here.
set(LibTorch_OLDEST 2.3)

# Sets <out> to the version in torch's version header below <include>, or to the empty string.
function(libtorch_header_version include out)
  set(${out} "" PARENT_SCOPE)
  foreach(header torch/csrc/api/include/torch/version.h torch/headeronly/version.h)
    if(EXISTS "${include}/${header}")
      file(STRINGS "${include}/${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      if(lines MATCHES "MAJOR +([0-9]+).*MINOR +([0-9]+).*PATCH +([0-9]+)")
        set(${out} "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# Looks at one torch folder. Sets in the caller: problem (one sentence, empty when the folder fits), version, include,
# lib.
function(libtorch_inspect dir)
  set(problem "")
  set(version "")
  set(include "${dir}/include")
  set(lib "${dir}/lib")
  # Debian puts libraries below the architecture's name.
  file(GLOB multiarch "${dir}/lib/*-linux-gnu*/libtorch_cpu.so")
  if(multiarch)
    list(GET multiarch 0 first)
    cmake_path(GET first PARENT_PATH lib)
  endif()

  libtorch_header_version("${include}" version)
  set(python_version "")
  set(full_version "${version}")
  if(EXISTS "${dir}/version.py")
    file(STRINGS "${dir}/version.py" line REGEX "^__version__ *=" LIMIT_COUNT 1)
    if(line MATCHES "['\"](([0-9]+\\.[0-9]+\\.[0-9]+)[^'\"]*)['\"]")
      set(full_version "${CMAKE_MATCH_1}")
      set(python_version "${CMAKE_MATCH_2}")
    endif()
  endif()

  set(missing "")
  set(places "")
  foreach(name torch torch_cpu c10)
    if(EXISTS "${lib}/lib${name}.so")
      file(REAL_PATH "${lib}/lib${name}.so" real)
      cmake_path(GET real PARENT_PATH place)
      list(APPEND places "${place}")
    else()
      list(APPEND missing "lib${name}.so")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES places)
  list(JOIN missing ", " missing)
  list(LENGTH places place_count)
  # The folder that the headers really lie in, and the one that the libraries really lie in.
  file(REAL_PATH "${include}" header_home)
  cmake_path(GET header_home PARENT_PATH header_home)
  set(library_home "${header_home}")
  if(place_count EQUAL 1 AND NOT multiarch)
    cmake_path(GET places PARENT_PATH library_home)
  endif()

  if(version STREQUAL "")
    set(problem "${dir} is no torch folder: it has no include/torch/csrc/api/include/torch/version.h with a version")
  elseif(python_version AND NOT python_version VERSION_EQUAL version)
    set(problem "${dir} mixes two torches: headers of ${version}, version.py of ${python_version}")
  elseif(version VERSION_LESS LibTorch_OLDEST)
    set(problem "${dir} holds LibTorch ${version}, which is too old: ${LibTorch_OLDEST} or newer is needed")
  elseif(missing)
    set(problem "${dir} has headers of LibTorch ${version} but no libraries with them: missing in ${lib}: ${missing}")
  elseif(place_count GREATER 1)
    list(JOIN places " and " places)
    set(problem "${dir} mixes two torches: its libraries lie in ${places}")
  elseif(NOT library_home STREQUAL header_home)
    set(problem "${dir} mixes two torches: its headers lie in ${header_home}, its libraries in ${library_home}")
  else()
    # Before 2.6, wheels were built with the string type of GCC 4, which does not link with today's.
    file(STRINGS "${lib}/libc10.so" abi REGEX "^_ZN3c105ErrorC[12]ENS_14SourceLocationE" LIMIT_COUNT 1)
    if(abi MATCHES "SourceLocationESs")
      set(problem "${dir} was built with _GLIBCXX_USE_CXX11_ABI=0, which this program cannot link with: take a build \
with the C++11 ABI (every wheel since 2.6)")
    endif()
  endif()
  set(version "${full_version}")
  return(PROPAGATE problem version include lib)
endfunction()

# Sets <out> to the folder of the torch that python3 imports, or to the empty string; nothing is imported.
function(libtorch_of_python out)
  set(${out} "" PARENT_SCOPE)
  if(Python_EXECUTABLE)  # the Python that a wheel is built by
    set(python3 "${Python_EXECUTABLE}")
  else()
    find_program(python3 python3 NO_CACHE)
  endif()
  if(NOT python3)
    return()
  endif()
  # From /, as `python3 -c` also imports from the folder that it runs in. Then without PYTHONPATH, by which pip hides what
  # is installed from the packages that it builds.
  foreach(environment "" "--unset=PYTHONPATH")
    execute_process(
      COMMAND "${CMAKE_COMMAND}" -E env ${environment} "${python3}" -c "import importlib.util as u; \
s = u.find_spec('torch'); \
print(list(s.submodule_search_locations)[0] if s and s.origin and s.submodule_search_locations else '')"
      WORKING_DIRECTORY / OUTPUT_VARIABLE found ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE code)
    if(code EQUAL 0 AND found)
      set(${out} "${found}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Sets in the caller: LibTorch_DIRECTORY (empty when none fits), LibTorch_WHY (why not), version, include, lib.
function(libtorch_locate)
  set(candidates "")
  set(LibTorch_WHY "")
  set(LibTorch_DIRECTORY "")
  if(REGROUP_TORCH)
    file(REAL_PATH "${REGROUP_TORCH}" candidates BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" EXPAND_TILDE)
  else()
    libtorch_of_python(of_python)
    if(of_python)
      list(APPEND candidates "${of_python}")
    endif()
    if(EXISTS /usr/include/torch/csrc/api/include/torch/version.h)
      list(APPEND candidates /usr)
    endif()
    file(GLOB of_venv "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.venv/lib/python3*/site-packages/torch")
    foreach(dir ${of_venv})
      file(REAL_PATH "${dir}" dir)
      list(APPEND candidates "${dir}")
    endforeach()
  endif()
  foreach(dir ${candidates})
    libtorch_inspect("${dir}")
    if(problem STREQUAL "")
      set(LibTorch_DIRECTORY "${dir}")
      break()
    endif()
    list(APPEND LibTorch_WHY "${problem}")
  endforeach()
  list(JOIN LibTorch_WHY "\n" LibTorch_WHY)
  if(LibTorch_WHY STREQUAL "")
    set(LibTorch_WHY "no torch folder was found; scripts/setup.sh puts one into .venv, or give -DREGROUP_TORCH=DIR")
  endif()
  return(PROPAGATE LibTorch_DIRECTORY LibTorch_WHY version include lib)
endfunction()

libtorch_locate()
if(NOT LibTorch_DIRECTORY)
  if(LibTorch_FIND_REQUIRED OR CMAKE_SCRIPT_MODE_FILE)
    message(FATAL_ERROR "${LibTorch_WHY}")
  endif()
  set(LibTorch_FOUND FALSE)
  return()
endif()
set(LibTorch_FOUND TRUE)
set(LibTorch_VERSION "${version}")
message(STATUS "LibTorch ${LibTorch_VERSION}: ${LibTorch_DIRECTORY}")
if(CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

# The OpenMP runtime that torch brings: libgomp in its own folder or, in some wheels under a mangled name, in
# torch.libs beside it; Intel's, which also answers to libgomp's calls, in others.
file(GLOB LibTorch_OPENMP "${lib}/libgomp*.so*" "${LibTorch_DIRECTORY}/../torch.libs/libgomp*.so*" "${lib}/libiomp5.so")
if(LibTorch_OPENMP AND NOT lib MATCHES "^/usr/lib")
  list(GET LibTorch_OPENMP 0 LibTorch_OPENMP)
else()
  set(LibTorch_OPENMP "")
endif()

# Wheels carry other libraries' headers too (fmt, protobuf, pybind11), which would be taken before the installed ones
# whose libraries we link. So the compiler sees a folder of links to torch's own headers only.
set(headers "${PROJECT_BINARY_DIR}/torch-include")
file(MAKE_DIRECTORY "${headers}")
foreach(part ATen c10 caffe2 torch)
  file(REMOVE "${headers}/${part}")
  if(EXISTS "${include}/${part}")
    file(CREATE_LINK "${include}/${part}" "${headers}/${part}" SYMBOLIC)
  endif()
endforeach()

if(NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
                             "${headers}" "${headers}/torch/csrc/api/include")
  target_link_libraries(LibTorch::LibTorch INTERFACE "${lib}/libtorch.so" "${lib}/libtorch_cpu.so" "${lib}/libc10.so")
  if(EXISTS "${lib}/libtorch_cuda.so")
    # Nothing here calls the CUDA libraries by name: they register their kernels when loaded, so the linker must not
    # drop them. What they need in turn (cuDNN and so on) they find by themselves when the program starts.
    target_link_options(LibTorch::LibTorch INTERFACE -Wl,--allow-shlib-undefined)
    target_link_libraries(LibTorch::LibTorch INTERFACE
      "-Wl,--push-state,--no-as-needed,${lib}/libtorch_cuda.so,${lib}/libc10_cuda.so,--pop-state")
  endif()
endif()

# Another version in the same folder: configure again.
foreach(file version.py include/torch/csrc/api/include/torch/version.h include/torch/headeronly/version.h)
  if(EXISTS "${LibTorch_DIRECTORY}/${file}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${LibTorch_DIRECTORY}/${file}")
  endif()
endforeach()
