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

/* ,"name": */
void json_name(FILE *file, const char *name);

/* ,"name":17 and ,"name":"text" */
void json_number(FILE *file, const char *name, uint64_t number);
void json_text(FILE *file, const char *name, const char *text);

/* ,"arguments":[...]: the program's, its name first. */
void json_arguments(FILE *file, const alloctrace_snapshot *snapshot);

/* What the whole program allocated, and what was dropped. */
void json_summary(FILE *file, const alloctrace_snapshot *snapshot);

/* ,"attributes":{...}: an object, for each key is there once. */
void json_attributes(FILE *file, const alloctrace_snapshot *snapshot);

#endif
