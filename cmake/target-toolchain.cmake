# SPDX-License-Identifier: MIT
# The compiler for ALLOCTRACE_TARGET (a GNU triplet, Debian's names of cross
# compilers). Used for each of ALLOCTRACE_TARGETS; by hand:
#
#     cmake -B build/aarch64 -DALLOCTRACE_TARGET=aarch64-linux-gnu \
#           --toolchain cmake/target-toolchain.cmake -DALLOCTRACE_RUNTIME_ONLY=ON
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ALLOCTRACE_TARGET)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${ALLOCTRACE_TARGET}")

set(names ${ALLOCTRACE_TARGET}-gcc)
foreach(version 15 14 13 12 11)
    list(APPEND names ${ALLOCTRACE_TARGET}-gcc-${version})
endforeach()
find_program(ALLOCTRACE_TARGET_COMPILER NAMES ${names} NAMES_PER_DIR)
if(ALLOCTRACE_TARGET_COMPILER)
    set(CMAKE_C_COMPILER ${ALLOCTRACE_TARGET_COMPILER})
elseif(ALLOCTRACE_TARGET MATCHES "^i[3-6]86-")
    # The x86-64 compiler makes code for it, if it has the libraries.
    set(CMAKE_C_COMPILER gcc)
    set(CMAKE_C_FLAGS_INIT -m32)
    set(ALLOCTRACE_LINK_FLAGS -m elf_i386)
else()
    message(FATAL_ERROR "no C compiler for ${ALLOCTRACE_TARGET}: "
                        "${ALLOCTRACE_TARGET}-gcc[-VERSION] is not there")
endif()
