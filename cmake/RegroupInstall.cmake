# What is installed where. `cmake --install` puts the program and what belongs to it (components program and shared) below
# a prefix; a wheel takes component wheel, a Debian package debian and shared.

install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT shared)
if(NOT TARGET regroup)
  return()
endif()

# Finds the LibTorch that it was built with.
install(TARGETS regroup RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)

# Pages of the manual and completion scripts, written by the program itself.
install(CODE "
  set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
  set(program \"$<TARGET_FILE:regroup>\")
  execute_process(COMMAND \"\${program}\" manual -o \"\${share}/man/man1\" COMMAND_ERROR_IS_FATAL ANY)
  foreach(script bash:bash-completion/completions/regroup zsh:zsh/site-functions/_regroup
                 fish:fish/vendor_completions.d/regroup.fish)
    string(REPLACE \":\" \";\" script \"\${script}\")
    list(GET script 0 shell)
    list(GET script 1 place)
    cmake_path(GET place PARENT_PATH folder)
    file(MAKE_DIRECTORY \"\${share}/\${folder}\")
    execute_process(COMMAND \"\${program}\" completion \${shell} OUTPUT_FILE \"\${share}/\${place}\"
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()" COMPONENT shared)

# In a wheel and a Debian package the program finds LibTorch through who starts it: the package's command.
# regroup_install_bare(<component> <folder>): the program without a path of its own to libraries.
function(regroup_install_bare component folder)
  install(PROGRAMS $<TARGET_FILE:regroup> DESTINATION ${folder} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(CODE "file(RPATH_REMOVE FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}/regroup\")"
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()
regroup_install_bare(wheel bin)
regroup_install_bare(debian ${CMAKE_INSTALL_LIBDIR}/regroup)

string(REGEX MATCH "^[0-9]+\\.[0-9]+" LibTorch_RELEASE "${LibTorch_VERSION}")
if(LibTorch_DIRECTORY STREQUAL "/usr")
  set(LibTorch_IS_SYSTEM ON)
endif()
set(PROGRAM_PLACE "/usr/${CMAKE_INSTALL_LIBDIR}/regroup/regroup")
configure_file(packaging/regroup.sh.in "${PROJECT_BINARY_DIR}/generated/regroup.sh" @ONLY)
install(PROGRAMS "${PROJECT_BINARY_DIR}/generated/regroup.sh" DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME regroup
        COMPONENT debian EXCLUDE_FROM_ALL)

# `make deb`
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The developers of regroup <regroup@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};regroup;debian;/;${PROJECT_BINARY_DIR};regroup;shared;/")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS python3)
set(CPACK_PROJECT_CONFIG_FILE "${PROJECT_SOURCE_DIR}/cmake/DebianDependencies.cmake")
set(CPACK_REGROUP_PROGRAM "${PROJECT_BINARY_DIR}/regroup")
include(CPack)
