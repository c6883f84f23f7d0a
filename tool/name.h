/* SPDX-License-Identifier: MIT */
/*
 * Names of functions and types of C++ can be longer than any terminal is wide.
 * Here they are made to fit by leaving out what tells them apart least. Only
 * for people and terminals: programs get names as they are.
 */
#ifndef ALLOCTRACE_NAME_H
#define ALLOCTRACE_NAME_H

#include <stddef.h>

/*
 * Writes a name to `text` (of `size` bytes) that is at most `room` columns
 * wide. In this order, until it fits, it is without
 *
 *     parameters, and what is returned      map<int, Foo>::put
 *     the operator () of a lambda           main::{lambda(int)#1}
 *     arguments of templates and scopes     map<...>::put, main::{lambda#1}
 *     its beginning                         ...::put
 */
void name_fit(const char *name, size_t room, char *text, size_t size);

#endif
