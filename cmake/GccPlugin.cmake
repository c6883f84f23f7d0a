# SPDX-License-Identifier: MIT
# alloctrace_find_gcc_plugin(INCLUDE MAJOR): where the headers for plugins of
# the compiler ALLOCTRACE_PLUGIN_GCC are, and its major version. The headers
# and the compiler must be of one build, so nothing else is searched.
set(ALLOCTRACE_PLUGIN_GCC gcc CACHE STRING
    "The GCC that the plugin is built for")

function(alloctrace_find_gcc_plugin include major)
    execute_process(COMMAND ${ALLOCTRACE_PLUGIN_GCC} -dumpversion
                    OUTPUT_VARIABLE version RESULT_VARIABLE status
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "ALLOCTRACE_PLUGIN_GCC: cannot run "
                            "'${ALLOCTRACE_PLUGIN_GCC}'")
    endif()
    string(REGEX MATCH "^[0-9]+" version_major "${version}")
    execute_process(COMMAND ${ALLOCTRACE_PLUGIN_GCC} -print-file-name=plugin
                    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT EXISTS ${folder}/include/gcc-plugin.h)
        message(FATAL_ERROR "${ALLOCTRACE_PLUGIN_GCC} ${version} has no "
            "plugin headers: install gcc-${version_major}-plugin-dev")
    endif()
    set(${include} ${folder}/include PARENT_SCOPE)
    set(${major} ${version_major} PARENT_SCOPE)
endfunction()
