# SPDX-License-Identifier: MIT
# The compiler wrappers, and what they share with `alloctrace cflags`:
#   alloctrace_install  finds the installation, makes flags (a static library)
#   alloctrace-gcc      the wrapper; alloctrace-g++ and -gfortran link to it
include(CheckFunctionExists)

# Before version 2.34 of the GNU C library these were libraries of their own.
set(system_libraries "")
check_function_exists(pthread_create ALLOCTRACE_LIBC_HAS_PTHREAD)
if(NOT ALLOCTRACE_LIBC_HAS_PTHREAD)
    string(APPEND system_libraries " -lpthread")
endif()
check_function_exists(dlsym ALLOCTRACE_LIBC_HAS_DLSYM)
if(NOT ALLOCTRACE_LIBC_HAS_DLSYM)
    string(APPEND system_libraries " -ldl")
endif()

include(GccPlugin)
alloctrace_machine(machine ${CMAKE_C_COMPILER})

add_library(alloctrace_install STATIC
    arguments.c compiler.c install.c words.c)
target_compile_definitions(alloctrace_install PRIVATE
    ALLOCTRACE_LIBDIR="${CMAKE_INSTALL_LIBDIR}"
    ALLOCTRACE_SYSTEM_LIBRARIES="${system_libraries}"
    ALLOCTRACE_MACHINE="${machine}")
target_include_directories(alloctrace_install
                           PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})

add_executable(alloctrace_wrapper wrapper.c)
set_target_properties(alloctrace_wrapper PROPERTIES OUTPUT_NAME alloctrace-gcc)
target_link_libraries(alloctrace_wrapper PRIVATE alloctrace_install)

foreach(target alloctrace_install alloctrace_wrapper)
    alloctrace_warnings(${target})
    alloctrace_sanitize(${target})
endforeach()

# The build tree has the shape of a prefix, headers included.
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include
     SYMBOLIC)
install(TARGETS alloctrace_wrapper COMPONENT tool)
foreach(name alloctrace-g++ alloctrace-gfortran)
    add_custom_command(TARGET alloctrace_wrapper POST_BUILD
        COMMAND ${CMAKE_COMMAND} -E create_symlink alloctrace-gcc
                ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
    install(FILES ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name}
            DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tool)
endforeach()
