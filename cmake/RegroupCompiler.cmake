# Compiler, warnings, sanitizers and ccache: the target regroup_flags, linked PRIVATE by every target of ours.

add_library(regroup_flags INTERFACE)
target_include_directories(regroup_flags INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(regroup_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  # Designated initializers leave out the fields that keep their default.
  -Wno-missing-field-initializers
  # Fused multiply-add would make results depend on what the target processor offers.
  -ffp-contract=off)
if(REGROUP_WERROR)
  target_compile_options(regroup_flags INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlapping and oversized copies in plain string concatenation (its bugs 105329 and 105651).
    target_compile_options(regroup_flags INTERFACE -Wno-error=restrict -Wno-error=stringop-overflow -Wno-error=array-bounds)
  endif()
endif()
if(REGROUP_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A class private to a .cpp may hold what is private to it; in a united source GCC takes the file for a header.
  target_compile_options(regroup_flags INTERFACE -Wno-subobject-linkage)
endif()

# The default is the baseline of the architecture: the program runs on every machine of it and gives the same bytes
# there. The heavy arithmetic is LibTorch's, which picks its kernels by the processor at run time.
if(REGROUP_NATIVE)
  target_compile_options(regroup_flags INTERFACE -march=native)
endif()

if(REGROUP_SANITIZE)
  # LibTorch is not instrumented. -fno-sanitize=vptr: its type information is partly hidden, so casts look wrong.
  set(sanitize -fsanitize=${REGROUP_SANITIZE} -fno-omit-frame-pointer)
  if(REGROUP_SANITIZE MATCHES "undefined")
    list(APPEND sanitize -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  endif()
  target_compile_options(regroup_flags INTERFACE ${sanitize})
  target_link_options(regroup_flags INTERFACE ${sanitize})
  if(REGROUP_WERROR AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code defeats the analysis behind these two; GCC documents the false alarms.
    target_compile_options(regroup_flags INTERFACE -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow)
  endif()
endif()

# ccache where it is installed. A precompiled header's source carries macros and times that ccache refuses to trust by
# default; the sloppiness names exactly those, and -fpch-preprocess lets it see which header was used.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(REGROUP_CCACHE ccache)
  mark_as_advanced(REGROUP_CCACHE)
  if(REGROUP_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" "${REGROUP_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(regroup_flags INTERFACE -fpch-preprocess)
    endif()
  endif()
endif()

# The tidy preset sets CMAKE_CXX_CLANG_TIDY. Clang looks for omp.h in its own folder, where Debian's clang-tidy
# package has none; this one header is handed over from GCC, less an attribute's arguments that clang does not know.
if(CMAKE_CXX_CLANG_TIDY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=include/omp.h
                  OUTPUT_VARIABLE omp_header OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  file(READ "${omp_header}" omp_text)
  string(REGEX REPLACE "__malloc__ \\([^)]*\\)" "__malloc__" omp_text "${omp_text}")
  file(WRITE "${PROJECT_BINARY_DIR}/omp-include/omp.h" "${omp_text}")
  list(APPEND CMAKE_CXX_CLANG_TIDY "--extra-arg=-isystem${PROJECT_BINARY_DIR}/omp-include")
endif()
