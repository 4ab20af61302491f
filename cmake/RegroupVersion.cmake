# regroup/version.hpp: the version and what the program was built with; no times and no paths, so that equal builds
# give equal files.

set(REGROUP_COMPILER "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/version.hpp.in" "${PROJECT_BINARY_DIR}/generated/regroup/version.hpp" @ONLY)

add_library(regroup_version INTERFACE)
add_library(regroup::version ALIAS regroup_version)
target_include_directories(regroup_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
