/* SPDX-License-Identifier: MIT */
/*
 * The library's version: the single source, read by CMake, the tool and the
 * runtime.
 *
 * The promise: within one major version a program built against an older
 * alloctrace.h or analysis.h runs with a newer library. Three numbers change
 * apart from one another: this version, the ABI between compiled code and the
 * runtime (abi.h) and the version of the dump format (format.h).
 */
#ifndef ALLOCTRACE_VERSION_H
#define ALLOCTRACE_VERSION_H

/* The version as three numbers, and as a text. */
#define ALLOCTRACE_VERSION_MAJOR 0
#define ALLOCTRACE_VERSION_MINOR 1
#define ALLOCTRACE_VERSION_PATCH 0
#define ALLOCTRACE_VERSION_STRING "0.1.0"

#endif
