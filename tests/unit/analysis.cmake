# SPDX-License-Identifier: MIT
add_library(alloctrace_dumpfile STATIC ${PROJECT_SOURCE_DIR}/tests/dumpfile.c)
target_include_directories(alloctrace_dumpfile
                           PUBLIC ${PROJECT_SOURCE_DIR}/tests)
alloctrace_warnings(alloctrace_dumpfile)
alloctrace_sanitize(alloctrace_dumpfile)

foreach(name
    attribute
    bounds
    builder
    compare
    fault
    filter
    filter_random
    fold
    fold_random
    input
    join
    load
    merge
    merge_random
    output
    path
    pathtree
    resolve
    shared
    statistics_random
    statistics_vectors
    stats
    traceback_text
    write
)
    alloctrace_check(${name} alloctrace_analysis alloctrace_dumpfile)
endforeach()
# It counts the files that are opened.
target_link_options(check_traceback_text PRIVATE -Wl,--wrap=open)
alloctrace_check(units alloctrace_analysis)
# Files that change while they are read, and disks that fail.
target_link_options(check_input PRIVATE -Wl,--wrap=pread,--wrap=read)
target_link_options(check_output PRIVATE
    -Wl,--wrap=fsync,--wrap=rename,--wrap=write,--wrap=open)
# Makes parts of snapshots by hand, as filters do.
target_include_directories(check_write PRIVATE ${PROJECT_SOURCE_DIR}/analysis)
target_link_options(check_write PRIVATE -Wl,--wrap=fsync)
alloctrace_check(symbol alloctrace_symbol alloctrace_analysis
                 alloctrace_dumpfile)
# Its own functions are what it looks up: with DWARF, and inlined code.
target_compile_options(check_symbol PRIVATE -g -O2 -fno-ipa-icf)
target_link_options(check_symbol PRIVATE -Wl,--build-id=sha1)
# A million of everything takes its time with sanitizers.
set_tests_properties(unit.builder unit.compare unit.load unit.fold unit.pathtree PROPERTIES
    ENVIRONMENT CK_DEFAULT_TIMEOUT=120)
alloctrace_check(scarcity alloctrace_analysis alloctrace_dumpfile)
target_link_options(check_scarcity PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=fsync)

# alloctrace.hpp, in the oldest C++ that it is for and with string_view.
foreach(standard 14 17)
    set(check check_cxx${standard})
    add_executable(${check} check_cxx.cc)
    set_target_properties(${check} PROPERTIES CXX_STANDARD ${standard})
    target_include_directories(${check} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${check} PRIVATE alloctrace_analysis PkgConfig::CHECK)
    alloctrace_warnings(${check})
    alloctrace_sanitize(${check})
    add_test(NAME unit.cxx${standard} COMMAND ${check})
endforeach()
