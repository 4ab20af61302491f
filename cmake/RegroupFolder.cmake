# One static library for each folder, from every source file below it: a new file needs no edit here.

# regroup_sources(<out>): the .cpp files below the current folder.
function(regroup_sources out)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# regroup_add_folder(<name>): the target regroup_<name>, also known as regroup::<name>, from what regroup_sources finds
# less main.cpp. A folder without sources gives an empty library, so that a half-written tree still configures.
function(regroup_add_folder name)
  regroup_sources(sources)
  list(FILTER sources EXCLUDE REGEX "/${name}/main\\.cpp$")
  if(NOT sources)
    set(sources "${CMAKE_CURRENT_BINARY_DIR}/empty.cpp")
    if(NOT EXISTS "${sources}")
      file(WRITE "${sources}" "")
    endif()
  endif()
  add_library(regroup_${name} STATIC ${sources})
  add_library(regroup::${name} ALIAS regroup_${name})
  target_link_libraries(regroup_${name} PRIVATE regroup_flags)
endfunction()
