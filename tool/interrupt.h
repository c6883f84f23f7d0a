/* SPDX-License-Identifier: MIT */
/*
 * A command that a signal ends while it writes a file: nothing of it is left.
 */
#ifndef ALLOCTRACE_INTERRUPT_H
#define ALLOCTRACE_INTERRUPT_H

/*
 * From here on a signal that ends the process (an interrupt from the terminal,
 * a termination, a hang-up) removes the temporary files that are being written
 * first. The process ends by it all the same; what is ignored stays so.
 */
void interrupt_init(void);

#endif
