# SPDX-License-Identifier: MIT
# What the command is made of; the command itself is tested in tests/tool.
alloctrace_check(brevity)
target_sources(check_brevity PRIVATE
               ${PROJECT_SOURCE_DIR}/tool/brevity.c)
target_include_directories(check_brevity
                           PRIVATE ${PROJECT_SOURCE_DIR}/tool)
foreach(name args out)
    alloctrace_check(${name} alloctrace_analysis)
    target_sources(check_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tool/args.c
                                         ${PROJECT_SOURCE_DIR}/tool/out.c)
    target_include_directories(check_${name}
                               PRIVATE ${PROJECT_SOURCE_DIR}/tool)
endforeach()
# What exports are made of.
foreach(name memo pathsum pickle)
    alloctrace_check(${name} alloctrace_analysis alloctrace_dumpfile)
    target_sources(check_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tool/${name}.c
                                         ${PROJECT_SOURCE_DIR}/tool/args.c
                                         ${PROJECT_SOURCE_DIR}/tool/out.c)
    target_include_directories(check_${name}
                               PRIVATE ${PROJECT_SOURCE_DIR}/tool)
endforeach()
