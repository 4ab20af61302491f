# One static library for each folder, from every source file below it: a new file needs no edit here.

# regroup_sources(<out>): the .cpp files below the current folder.
function(regroup_sources out)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# regroup_unite(<target>): with REGROUP_UNITY, the sources of a folder are compiled as one. A folder is the unit and not
# a number of files, so that a new file leaves all other folders' objects as they are.
function(regroup_unite target)
  if(NOT REGROUP_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE folder)
    cmake_path(GET folder PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${folder}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# regroup_add_library(<name> <source>…): the target regroup_<name>, also known as regroup::<name>.
function(regroup_add_library name)
  add_library(regroup_${name} STATIC ${ARGN})
  add_library(regroup::${name} ALIAS regroup_${name})
  target_link_libraries(regroup_${name} PRIVATE regroup_flags)
  regroup_unite(regroup_${name})
endfunction()

# regroup_add_folder(<name>): the library regroup_<name> of what regroup_sources finds, less main.cpp.
function(regroup_add_folder name)
  regroup_sources(sources)
  list(FILTER sources EXCLUDE REGEX "/${name}/main\\.cpp$")
  regroup_add_library(${name} ${sources})
endfunction()
