# SPDX-License-Identifier: MIT
# alloctrace_warnings(TARGET): the warnings every target of ours is built with.
function(alloctrace_warnings target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wshadow -Wundef -Wpointer-arith -Wcast-qual
        -Wwrite-strings
        $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
        $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
        $<$<BOOL:${ALLOCTRACE_WERROR}>:-Werror>)
endfunction()
