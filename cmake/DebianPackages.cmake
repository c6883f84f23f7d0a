# SPDX-License-Identifier: MIT
# `cpack -G DEB` (scripts/package): three packages for Debian, split as its
# policy has it, each with a copyright, a changelog and what it depends on.
#
#   alloctrace       the command, the compiler wrappers, the plugins
#   liballoctrace0   the shared libraries, for programs that were built
#   liballoctrace-dev  headers, archives, CMake package, alloctrace.pc
set(CPACK_PACKAGE_NAME alloctrace)
set(CPACK_PACKAGE_VENDOR "the authors of alloctrace")
set(CPACK_PACKAGE_CONTACT "the authors of alloctrace <maintainer@alloctrace.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)

set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME alloctrace-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES "/build/" "/[.]git/" "/[.]cache/" "__pycache__")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_ALL tool library development)

# debian_package(COMPONENT NAME SECTION DEPENDS TEXT)
macro(debian_package component name section depends text)
    string(TOUPPER ${component} upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
    set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
    set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
    set(CPACK_DEBIAN_${upper}_DESCRIPTION "${text}")
    set(CPACK_COMPONENT_${upper}_DESCRIPTION "${text}")
    install(FILES ${PROJECT_BINARY_DIR}/package/copyright
                  ${PROJECT_BINARY_DIR}/package/changelog.gz
            DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name}
            COMPONENT ${component})
endmacro()

# first_major: the compiler that the first plugin is for (Package.cmake).
set(same "(= ${PROJECT_VERSION})")

debian_package(tool alloctrace devel
    "liballoctrace-dev ${same}, gcc-${first_major}"
    "Which line, called from where, holds the memory: a plugin of GCC passes
file, line and call path of every allocation to a light runtime, without
unwinding. This package has the compiler wrappers, the plugin and the
command that reads what was traced.")
debian_package(library liballoctrace0 libs ""
    "What programs and libraries need that were built with alloctrace, and what
reads its dumps: snapshots, filters, statistics and comparisons.")
debian_package(development liballoctrace-dev libdevel
    "liballoctrace0 ${same}"
    "What building with alloctrace needs: headers, static libraries, the CMake
package and the file for pkg-config.")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY =)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/cmake/package/triggers)

# liballoctrace_flow.a is empty on purpose: a static link needs nothing of it.
file(WRITE ${PROJECT_BINARY_DIR}/package/liballoctrace-dev
     "liballoctrace-dev: no-code-sections [*liballoctrace_flow.a]\n")
install(FILES ${PROJECT_BINARY_DIR}/package/liballoctrace-dev
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides
        COMPONENT development)

# Debian's names and form of the two documents.
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
file(READ ${PROJECT_SOURCE_DIR}/LICENSES/MIT.txt mit)
file(WRITE ${PROJECT_BINARY_DIR}/package/copyright
     "${license}\n\n${mit}\n"
     "The text of the GNU General Public License, version 3, is in\n"
     "/usr/share/common-licenses/GPL-3.\n")
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${PROJECT_BINARY_DIR}/package/changelog
     "alloctrace (${PROJECT_VERSION}) unstable; urgency=medium\n\n"
     "  * See CHANGELOG.md in the sources.\n\n"
     " -- ${CPACK_PACKAGE_CONTACT}  ${changelog_date}\n")
execute_process(COMMAND gzip -9nc ${PROJECT_BINARY_DIR}/package/changelog
                OUTPUT_FILE ${PROJECT_BINARY_DIR}/package/changelog.gz)

include(CPack)
