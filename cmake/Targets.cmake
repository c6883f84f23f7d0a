# SPDX-License-Identifier: MIT
# Other targets: the runtime for each of ALLOCTRACE_TARGETS, built by the same
# CMakeLists.txt in a tree of its own, into
#
#     lib/alloctrace/target/MACHINE/liballoctrace.{a,so}
#
# (The plugins for their compilers are plugin/'s, built for the host.)
set(ALLOCTRACE_TARGETS "" CACHE STRING
    "Further targets: GNU triplets with a cross compiler, or 'auto': those of \
the supported ones whose compiler has plugin headers")
set(ALLOCTRACE_KNOWN_TARGETS aarch64-linux-gnu riscv64-linux-gnu
    arm-linux-gnueabihf i686-linux-gnu)

include(GccPlugin)
include(ExternalProject)

if(ALLOCTRACE_TARGETS STREQUAL "auto")
    set(ALLOCTRACE_TARGETS "") # hides the cached one
    foreach(triplet ${ALLOCTRACE_KNOWN_TARGETS})
        alloctrace_candidates(candidates ${triplet})
        foreach(compiler ${candidates})
            alloctrace_describe_compiler(it ${compiler})
            if(compiler MATCHES "^${triplet}" AND it_include)
                list(APPEND ALLOCTRACE_TARGETS ${triplet})
                break()
            endif()
        endforeach()
    endforeach()
endif()

function(alloctrace_target_runtime triplet)
    alloctrace_normalise_machine(machine ${triplet})
    set(folder ${PROJECT_BINARY_DIR}/lib/alloctrace/target/${machine})
    ExternalProject_Add(runtime_${machine}
        SOURCE_DIR ${PROJECT_SOURCE_DIR}
        BINARY_DIR ${PROJECT_BINARY_DIR}/targets/${machine}
        PREFIX ${PROJECT_BINARY_DIR}/targets/${machine}-stamps
        CMAKE_ARGS
            --toolchain ${PROJECT_SOURCE_DIR}/cmake/target-toolchain.cmake
            -DALLOCTRACE_TARGET=${triplet}
            -DALLOCTRACE_RUNTIME_ONLY=ON
            -DALLOCTRACE_RUNTIME_DIR=${folder}
            -DALLOCTRACE_WERROR=${ALLOCTRACE_WERROR}
            -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
        BUILD_ALWAYS ON
        INSTALL_COMMAND ""
        BUILD_BYPRODUCTS ${folder}/liballoctrace.a ${folder}/liballoctrace.so)
    install(DIRECTORY ${folder}
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/alloctrace/target)
    message(STATUS "alloctrace: runtime for ${triplet}: ${machine}")
endfunction()

foreach(triplet ${ALLOCTRACE_TARGETS})
    alloctrace_target_runtime(${triplet})
endforeach()
