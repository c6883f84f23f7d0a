# SPDX-License-Identifier: MIT
# What the command is made of; the command itself is tested in tests/tool.
alloctrace_check(name)
target_sources(check_name PRIVATE ${PROJECT_SOURCE_DIR}/tool/name.c)
target_include_directories(check_name PRIVATE ${PROJECT_SOURCE_DIR}/tool)
foreach(name args out)
    alloctrace_check(${name} alloctrace_analysis)
    target_sources(check_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tool/args.c
                                         ${PROJECT_SOURCE_DIR}/tool/out.c)
    target_include_directories(check_${name}
                               PRIVATE ${PROJECT_SOURCE_DIR}/tool)
endforeach()
