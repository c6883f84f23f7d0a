/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to liballoctrace-symbol: what symbol.c asks of ELF files. Nothing
 * here is part of the core, which needs the C library only.
 */
#ifndef ALLOCTRACE_SYMBOL_H
#define ALLOCTRACE_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

#include "untraced.h"

/* An ELF file that is open for questions. */
struct at_elf;

/*
 * Opens a file if it is a regular ELF file with this build id (hexadecimal;
 * "" = it must have none).
 *
 * Owner: the caller closes it with at_elf_close.
 * Returns: NULL if it is not, or cannot be read.
 */
struct at_elf *at_elf_open(const char *path, const char *build_id);
void at_elf_close(struct at_elf *elf);

/* Name of the function at an address of the file, by its symbol tables. It
 * lives as long as `elf`. Returns NULL if there is none. */
const char *at_elf_function(struct at_elf *elf, uint64_t address);

/* Is that name, clones of the function left aside, the name of one function
 * only? False where the file has no full symbol table. */
bool at_elf_is_sole(struct at_elf *elf, const char *name);

#endif
