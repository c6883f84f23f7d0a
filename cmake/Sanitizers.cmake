# SPDX-License-Identifier: MIT
# alloctrace_sanitize(TARGET): builds a target with the sanitizers chosen by
# ALLOCTRACE_SANITIZE. Not for the plugin (it runs inside the compiler).
function(alloctrace_sanitize target)
    if(ALLOCTRACE_SANITIZE STREQUAL "")
        return()
    elseif(ALLOCTRACE_SANITIZE STREQUAL "address")
        set(flags -fsanitize=address,undefined -fno-sanitize-recover=all)
    elseif(ALLOCTRACE_SANITIZE STREQUAL "thread")
        set(flags -fsanitize=thread)
    else()
        message(FATAL_ERROR "ALLOCTRACE_SANITIZE is '${ALLOCTRACE_SANITIZE}'; "
                            "use address, thread or nothing")
    endif()
    target_compile_options(${target} PRIVATE ${flags} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC ${flags})
endfunction()
