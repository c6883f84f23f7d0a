# SPDX-License-Identifier: MIT
# Finds libdwarf (the one of libdwarf.org, not elfutils' libdw), which comes
# without a pkg-config file on older systems: target Libdwarf::Libdwarf.
find_path(LIBDWARF_INCLUDE_DIR libdwarf.h
          PATH_SUFFIXES libdwarf libdwarf-0)
find_library(LIBDWARF_LIBRARY dwarf)
mark_as_advanced(LIBDWARF_INCLUDE_DIR LIBDWARF_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libdwarf
    REQUIRED_VARS LIBDWARF_LIBRARY LIBDWARF_INCLUDE_DIR)

if(Libdwarf_FOUND AND NOT TARGET Libdwarf::Libdwarf)
    add_library(Libdwarf::Libdwarf UNKNOWN IMPORTED)
    set_target_properties(Libdwarf::Libdwarf PROPERTIES
        IMPORTED_LOCATION ${LIBDWARF_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${LIBDWARF_INCLUDE_DIR})
endif()
