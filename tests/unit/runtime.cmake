# SPDX-License-Identifier: MIT
# The runtime without its hooks: a test calls the entries itself, with records
# and frames of its own making. Traced from the start, dumps thrown away.
# Tests leave blocks behind and ask for impossible sizes: no findings.
set(sanitizer_options
    "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1"
    "TSAN_OPTIONS=allocator_may_return_null=1")
foreach(name text env vector index string site place traceback peak ledger
             generation storm block alloc target writer stack tracked pattern process interval signal
             limit cache)
    alloctrace_check(${name} alloctrace_runtime_test)
    set_tests_properties(unit.${name} PROPERTIES ENVIRONMENT
        "ALLOCTRACE=all;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
endforeach()
alloctrace_check(verify alloctrace_runtime_test)
set_tests_properties(unit.verify PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_VERIFY=1;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
