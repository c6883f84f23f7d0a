/* SPDX-License-Identifier: MIT */
/*
 * Names for code that was not instrumented. Part of alloctrace/analysis.h,
 * which says what holds for every function.
 */
#ifndef ALLOCTRACE_RESOLVE_H
#define ALLOCTRACE_RESOLVE_H

#include "snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* One level of what an address stands for. The resolver's. */
struct alloctrace_symbol {
    const char *file;     /* NULL = unknown */
    const char *function; /* NULL = unknown */
    uint32_t line;        /* 0 = unknown */
    uint32_t is_sole;     /* 1 = no other function of the module has the name;
                             0 = unknown */
};

/* Levels that a resolver may give for one address. */
#define ALLOCTRACE_MAX_SYMBOLS 64

/*
 * Names an address: fills `symbols`, the innermost inlined function first, up
 * to ALLOCTRACE_MAX_SYMBOLS; what it points to need last until the next call
 * only. `address` is where the code stands in the module's file.
 *
 * Returns: how many there are; 0 = unknown.
 */
typedef size_t alloctrace_resolver(void *data,
                                   const struct alloctrace_module *module,
                                   uint64_t address,
                                   struct alloctrace_symbol *symbols);

/*
 * Asks a resolver for the names of all frames that are addresses only, and
 * keeps them in the snapshot. Tracebacks and statistics made before do not
 * have them. An address that turns out to be that behind the very call whose
 * frame comes next, as where malloc is called through a pointer, is left out.
 *
 * An address is that behind a call, so that the resolver is asked for the
 * byte before it. In a traced program, what the resolver allocates is traced.
 *
 * Returns: 0; ALLOCTRACE_ENO_MEMORY, then some frames have no names; or
 * ALLOCTRACE_EBAD_ARGUMENT (something was made of the snapshot that is not
 * freed yet, or it was made of another one).
 */
alloctrace_nodiscard int
alloctrace_snapshot_resolve(alloctrace_snapshot *snapshot,
                            alloctrace_resolver *resolver, void *data);

/*
 * The same with what the modules' files say, if they are still there and have
 * the build id they had: DWARF for functions, files and lines, else the
 * symbol tables for functions. In liballoctrace-symbol, which needs libdwarf
 * and libelf.
 *
 * Context: reads files.
 * Returns: as alloctrace_snapshot_resolve. A module that cannot be read is no
 * error; its frames stay addresses.
 */
alloctrace_nodiscard int
alloctrace_snapshot_symbolize(alloctrace_snapshot *snapshot);

/*
 * Says whether a program's file was instrumented, by its section of site
 * records. In liballoctrace-symbol.
 *
 * Returns: 1 or 0; ALLOCTRACE_EIO or ALLOCTRACE_EBAD_FILE (no ELF file).
 */
int alloctrace_is_instrumented(const char *path);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
