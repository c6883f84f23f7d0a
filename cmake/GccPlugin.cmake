# SPDX-License-Identifier: MIT
# Which compilers there are plugins for, and where their headers stand. The
# headers and the compiler must be of one build, so nothing else is searched.
#
#   alloctrace_machine(OUT COMPILER)   what it makes code for, as the wrappers
#                                      write it: x86_64-linux-gnu, i386-...
#   alloctrace_find_compilers(OUT)     ALLOCTRACE_PLUGIN_COMPILERS, or what is
#                                      found
#   alloctrace_describe_compiler(PREFIX COMPILER)  sets PREFIX_major,
#                                      PREFIX_machine, PREFIX_include
set(ALLOCTRACE_PLUGIN_COMPILERS "" CACHE STRING
    "Compilers that get a plugin: commands. Empty: gcc and every gcc-N, here \
and for ALLOCTRACE_TARGETS, whose plugin headers are installed")
set(ALLOCTRACE_GCC_VERSIONS 12 11 13 14 15)

# MACHINE without its vendor; i686 and the like are i386.
function(alloctrace_normalise_machine out machine)
    string(REGEX REPLACE "^([^-]+)-.*(linux.*)$" "\\1-\\2" machine "${machine}")
    string(REGEX REPLACE "^i[3-6]86-" "i386-" machine "${machine}")
    set(${out} ${machine} PARENT_SCOPE)
endfunction()

function(alloctrace_machine out compiler)
    execute_process(COMMAND ${compiler} -dumpmachine
                    OUTPUT_VARIABLE machine ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    alloctrace_normalise_machine(machine "${machine}")
    set(${out} ${machine} PARENT_SCOPE)
endfunction()

function(alloctrace_describe_compiler prefix compiler)
    set(${prefix}_include "" PARENT_SCOPE)
    find_program(program ${compiler} NO_CACHE)
    if(NOT program)
        return()
    endif()
    execute_process(COMMAND ${program} -dumpversion OUTPUT_VARIABLE version
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${program} -print-file-name=plugin
                    OUTPUT_VARIABLE folder ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REGEX MATCH "^[0-9]+" major "${version}")
    alloctrace_machine(machine ${program})
    set(${prefix}_major ${major} PARENT_SCOPE)
    set(${prefix}_machine ${machine} PARENT_SCOPE)
    if(EXISTS ${folder}/include/gcc-plugin.h)
        set(${prefix}_include ${folder}/include PARENT_SCOPE)
    endif()
endfunction()

# The commands that may be a compiler for here or for TARGET.
function(alloctrace_candidates out)
    set(candidates gcc)
    foreach(prefix "" ${ARGN})
        if(prefix)
            string(APPEND prefix "-")
            list(APPEND candidates ${prefix}gcc)
        endif()
        foreach(version ${ALLOCTRACE_GCC_VERSIONS})
            list(APPEND candidates ${prefix}gcc-${version})
        endforeach()
    endforeach()
    set(${out} ${candidates} PARENT_SCOPE)
endfunction()

function(alloctrace_find_compilers out)
    set(found)
    if(ALLOCTRACE_PLUGIN_COMPILERS)
        foreach(compiler ${ALLOCTRACE_PLUGIN_COMPILERS})
            alloctrace_describe_compiler(it ${compiler})
            if(NOT it_include)
                message(FATAL_ERROR "ALLOCTRACE_PLUGIN_COMPILERS: "
                    "'${compiler}' cannot be run or has no plugin headers "
                    "(Debian: gcc-VERSION-plugin-dev[-TARGET])")
            endif()
        endforeach()
        set(${out} ${ALLOCTRACE_PLUGIN_COMPILERS} PARENT_SCOPE)
        return()
    endif()
    alloctrace_candidates(candidates ${ALLOCTRACE_TARGETS})
    set(seen)
    foreach(compiler ${candidates})
        alloctrace_describe_compiler(it ${compiler})
        if(it_include AND NOT "${it_major} ${it_machine}" IN_LIST seen)
            list(APPEND found ${compiler})
            list(APPEND seen "${it_major} ${it_machine}")
        endif()
    endforeach()
    if(NOT found)
        message(FATAL_ERROR "no GCC with plugin headers: install "
                            "gcc-VERSION-plugin-dev (Debian)")
    endif()
    set(${out} ${found} PARENT_SCOPE)
endfunction()
