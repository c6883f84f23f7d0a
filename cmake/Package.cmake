# SPDX-License-Identifier: MIT
# What other projects find in a prefix: the CMake package and alloctrace.pc.
# What both say of flags is what tool/install.c says; tests/install compares.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/alloctrace)
set(package_in ${CMAKE_CURRENT_LIST_DIR}/package)

add_library(alloctrace_headers INTERFACE)
set_target_properties(alloctrace_headers PROPERTIES EXPORT_NAME headers)
target_include_directories(alloctrace_headers INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_include_directories(alloctrace_shared INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_definitions(alloctrace_shared INTERFACE ALLOCTRACE_API)

install(TARGETS alloctrace_headers EXPORT alloctrace)
install(EXPORT alloctrace NAMESPACE alloctrace:: FILE alloctraceTargets.cmake
        DESTINATION ${package_dir})
configure_package_config_file(${package_in}/alloctraceConfig.cmake.in
    ${PROJECT_BINARY_DIR}/package/alloctraceConfig.cmake
    INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/package/alloctraceConfigVersion.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/alloctraceConfig.cmake
              ${PROJECT_BINARY_DIR}/package/alloctraceConfigVersion.cmake
              ${package_in}/alloctraceInstrument.cmake
        DESTINATION ${package_dir})

# The plugin of the first compiler; others by --define-variable=gcc=gcc-11.
get_property(plugins GLOBAL PROPERTY ALLOCTRACE_PLUGINS)
list(GET plugins 0 plugin)
string(REGEX REPLACE "[|].*" "" compiler "${plugin}")
alloctrace_describe_compiler(first ${compiler})
set(PC_GCC gcc-${first_major})
foreach(dir LIB INCLUDE)
    set(PC_${dir}DIR "\${prefix}/${CMAKE_INSTALL_${dir}DIR}")
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}DIR}")
        set(PC_${dir}DIR "${CMAKE_INSTALL_${dir}DIR}")
    endif()
endforeach()
set(AT "@")
# Written when installing, for the prefix may be chosen then.
configure_file(${package_in}/alloctrace.pc.in
               ${PROJECT_BINARY_DIR}/package/alloctrace.pc.in @ONLY)
install(CODE "
    string(REPLACE \" \" \"\\\\ \" PC_PREFIX \"\${CMAKE_INSTALL_PREFIX}\")
    configure_file(\"${PROJECT_BINARY_DIR}/package/alloctrace.pc.in\"
                   \"${PROJECT_BINARY_DIR}/package/alloctrace.pc\" @ONLY)")
install(FILES ${PROJECT_BINARY_DIR}/package/alloctrace.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
