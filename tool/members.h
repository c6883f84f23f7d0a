/* SPDX-License-Identifier: MIT */
/*
 * Members of JSON objects that more than one command prints. Each prints its
 * own comma in front, but json_summary, which begins an object's members.
 */
#ifndef ALLOCTRACE_MEMBERS_H
#define ALLOCTRACE_MEMBERS_H

#include <stdint.h>
#include <stdio.h>

#include "alloctrace/analysis.h"

/* ,"name":17 */
void json_number(FILE *file, const char *name, uint64_t number);

/* What the whole program allocated, and what was dropped. */
void json_summary(FILE *file, const alloctrace_snapshot *snapshot);

/* ,"attributes":{...}: an object, for each key is there once. */
void json_attributes(FILE *file, const alloctrace_snapshot *snapshot);

#endif
