# Read by CPack: the packages that the program's libraries come from. LibTorch comes from none: the package's command
# finds it (packaging/regroup.sh.in). So CPack's own call of dpkg-shlibdeps, which wants a package for each, will not do.

set(folder "${CPACK_TEMPORARY_DIRECTORY}")
if(NOT folder)
  set(folder "${CPACK_PACKAGE_DIRECTORY}/_CPack_Packages")
endif()
file(MAKE_DIRECTORY "${folder}/debian")
file(WRITE "${folder}/debian/control" "Source: regroup\n")
execute_process(COMMAND dpkg-shlibdeps --ignore-missing-info -O "${CPACK_REGROUP_PROGRAM}"
                WORKING_DIRECTORY "${folder}" OUTPUT_VARIABLE found ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(NOT found MATCHES "shlibs:Depends=([^\n]+)")
  message(FATAL_ERROR "dpkg-shlibdeps names no packages: ${found}")
endif()
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${CMAKE_MATCH_1}")
