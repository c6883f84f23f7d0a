# SPDX-License-Identifier: MIT
# alloctrace_instrument(TARGET...): see alloctraceConfig.cmake. What a compiler
# and a linker must be given is asked of the command `alloctrace`, once for each
# compiler, so that there is one place that knows it.
option(ALLOCTRACE_ENABLE "Instrument what alloctrace_instrument names" ON)

# The flags that `alloctrace ARGUMENTS...` prints, as a list. Asked once.
function(alloctrace_ask out)
    string(MD5 question "${ARGN}")
    get_property(is_known GLOBAL PROPERTY alloctrace_${question} SET)
    if(NOT is_known)
        alloctrace_run(flags ${ARGN})
        set_property(GLOBAL PROPERTY alloctrace_${question} "${flags}")
    endif()
    get_property(flags GLOBAL PROPERTY alloctrace_${question})
    set(${out} "${flags}" PARENT_SCOPE)
endfunction()

function(alloctrace_run out)
    execute_process(COMMAND "${alloctrace_COMMAND}" ${ARGN}
                    OUTPUT_VARIABLE flags ERROR_VARIABLE message
                    RESULT_VARIABLE status
                    OUTPUT_STRIP_TRAILING_WHITESPACE
                    ERROR_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "alloctrace_instrument: ${message} "
                            "(-DALLOCTRACE_ENABLE=OFF builds without it)")
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
    set(${out} "${flags}" PARENT_SCOPE)
endfunction()

# The languages of GCC that are in use, with the quoted command of each. A
# compiler's own arguments (CC="gcc -m32") choose the runtime.
function(alloctrace_languages out)
    get_property(enabled GLOBAL PROPERTY ENABLED_LANGUAGES)
    set(found "")
    foreach(language C CXX Fortran)
        if(language IN_LIST enabled)
            list(APPEND found ${language})
        endif()
    endforeach()
    if(NOT found)
        message(FATAL_ERROR "alloctrace_instrument: the project has none of "
                            "the languages C, CXX and Fortran")
    endif()
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Splits what links: the library of <alloctrace/analysis.h>, which is searched
# behind the objects, from the rest, which may be given more than once as equal
# options are given to the linker once.
function(alloctrace_split flags options_out libraries_out)
    set(libraries ${flags})
    list(FILTER libraries INCLUDE REGEX "liballoctrace-analysis")
    list(FILTER flags EXCLUDE REGEX "liballoctrace-analysis")
    set(${options_out} "${flags}" PARENT_SCOPE)
    set(${libraries_out} "${libraries}" PARENT_SCOPE)
endfunction()

# As target_link_libraries, which hands flags on to a shell as they are.
function(alloctrace_link_behind target)
    string(REPLACE " " "\\ " flags "${ARGN}")
    target_link_libraries(${target} PRIVATE ${flags})
endfunction()

# A library that is part of something else hands the runtime on to what it
# becomes part of: the static one to programs, the shared one to libraries.
function(alloctrace_link_consumers target program library)
    set(type $<TARGET_PROPERTY:TYPE>)
    target_link_options(${target} INTERFACE
        "$<$<STREQUAL:${type},EXECUTABLE>:${program}>"
        "$<$<IN_LIST:${type},SHARED_LIBRARY;MODULE_LIBRARY>:${library}>")
endfunction()

function(alloctrace_instrument_target target)
    get_target_property(type ${target} TYPE)
    alloctrace_languages(languages)
    list(GET languages 0 first)
    foreach(language ${languages})
        set(command "${CMAKE_${language}_COMPILER}")
        string(REPLACE " " "\\ " command "${command}")
        string(STRIP "${command} ${CMAKE_${language}_COMPILER_ARG1}" command)
        alloctrace_ask(flags cflags --cc "${command}")
        target_compile_options(${target} PRIVATE
            "$<$<COMPILE_LANGUAGE:${language}>:${flags}>")
        if(language STREQUAL first)
            alloctrace_ask(program ldflags --static --cc "${command}")
            alloctrace_ask(library ldflags --shared --cc "${command}")
        endif()
    endforeach()
    alloctrace_split("${program}" program analysis)
    if(type STREQUAL "EXECUTABLE")
        target_link_options(${target} PRIVATE ${program})
        alloctrace_link_behind(${target} ${analysis})
    elseif(type MATCHES "^(SHARED|MODULE)_LIBRARY$")
        # Behind the objects: it is linked only if something needs it.
        alloctrace_link_behind(${target} ${library})
    elseif(type MATCHES "^(STATIC|OBJECT)_LIBRARY$")
        alloctrace_link_consumers(${target} "${program}" "${library}")
    else()
        message(FATAL_ERROR "alloctrace_instrument: ${target} is compiled "
                            "from nothing")
    endif()
endfunction()

function(alloctrace_instrument)
    foreach(target ${ARGN})
        if(NOT TARGET ${target})
            message(FATAL_ERROR
                    "alloctrace_instrument: ${target} is no target")
        endif()
        if(ALLOCTRACE_ENABLE)
            alloctrace_instrument_target(${target})
        else()
            target_link_libraries(${target} PRIVATE alloctrace::headers)
        endif()
    endforeach()
endfunction()
