# SPDX-License-Identifier: MIT
# The runtime without its hooks: a test calls the entries itself, with records
# and frames of its own making. Traced from the start, dumps thrown away.
# Tests leave blocks behind and ask for impossible sizes: no findings.
set(sanitizer_options
    "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1"
    "TSAN_OPTIONS=allocator_may_return_null=1 die_after_fork=0")
foreach(name text env vector index string site place traceback peak ledger
             generation storm block
             alloc target writer stack tracked pattern process interval signal
             limit cache walk lock request pause scope
             peak_threads tenant block_random stress model sample sampled)
    alloctrace_check(${name} alloctrace_runtime_test)
    set_tests_properties(unit.${name} PROPERTIES ENVIRONMENT
        "ALLOCTRACE=all;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
endforeach()
foreach(name sample sampled)
    target_link_libraries(check_${name} PRIVATE m)
endforeach()
alloctrace_check(detail alloctrace_runtime_test)
set_tests_properties(unit.detail PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_DETAIL=1;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
alloctrace_check(verify alloctrace_runtime_test)
set_tests_properties(unit.verify PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_VERIFY=1;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
alloctrace_check(mapping alloctrace_runtime_test)
set_tests_properties(unit.mapping PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_MMAP=1;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
alloctrace_check(dump alloctrace_runtime_test alloctrace_analysis)
set_tests_properties(unit.dump PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_BLOCKS=1;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
alloctrace_check(extract alloctrace_runtime_test alloctrace_analysis)
set_tests_properties(unit.extract PROPERTIES ENVIRONMENT
    "ALLOCTRACE=all;ALLOCTRACE_DUMP=/dev/null;${sanitizer_options}")
