/* SPDX-License-Identifier: MIT */
/* What ALLOCTRACE_DETAIL=1 counted, as it is printed. */
#ifndef ALLOCTRACE_DETAILS_H
#define ALLOCTRACE_DETAILS_H

#include "report.h"

/* Temporary blocks and reallocs: two lines. */
void details_print_sum(FILE *file, const struct alloctrace_detail *detail);

/* The details of a group, below it: indented lines with a histogram of sizes.
 * Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int details_print(const struct out *out, const struct report *report,
                  size_t index);

/* ,"details":{...} */
void details_json(FILE *file, const struct alloctrace_detail *detail);

/* Columns behind others, and their names. */
void details_csv_head(FILE *file);
void details_csv(FILE *file, const struct alloctrace_detail *detail);

#endif
