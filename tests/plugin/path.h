/* SPDX-License-Identifier: MIT */
/*
 * The oracle of the generated programs: a program carries its own call path
 * as a number that it hands from call to call, in plain C. path.c keeps what
 * the numbers stand for, and compares with what the probe found.
 */
#ifndef ALLOCTRACE_TESTS_PATH_H
#define ALLOCTRACE_TESTS_PATH_H

/* The path PARENT, continued by a call from FUNCTION in LINE. */
int path_call(int parent, const char *function, int line);

/* The next allocation is made in FUNCTION at LINE, called by path PARENT. */
void path_expect(int parent, const char *function, int line);

/* Calls f(up, n); path_leave comes back here, into code that is not
 * instrumented. Gives 0 then. */
int path_protect(int (*f)(int, int), int up, int n);
void path_leave(void); /* no more than returns if there is no such call */
/* What path_leave goes to: to be kept by those who leave otherwise. */
extern void *path_target;

/* Work to be used up; 0 = the program should come to its end. */
extern int path_budget;

/* Set: frames may be missing where calls were tail calls. */
extern int path_allows_gaps;

#endif
