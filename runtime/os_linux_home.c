/* SPDX-License-Identifier: MIT */
/*
 * Where this copy of the runtime lies: in the program, in a library beside it,
 * or in a library that dlmopen has loaded into a namespace of its own. The
 * program's file is the first one in the list of its namespace only.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#include "os.h"

extern int dladdr_weak(const void *, Dl_info *) __asm__("dladdr")
    __attribute__((weak));
/* Not dlopen itself, of which the linker warns in static programs. */
extern void *dlsym_weak(void *, const char *) __asm__("dlsym")
    __attribute__((weak));
extern char *dlerror_weak(void) __asm__("dlerror") __attribute__((weak));

static const char here; /* an address in this file */

/* What is found out about the list, object by object. */
struct search {
    bool is_program_there; /* as the first one */
    bool is_in_first;      /* is `here` in it? */
};

static bool holds_here(const struct dl_phdr_info *object)
{
    const ElfW(Phdr) *segment = object->dlpi_phdr;

    for (unsigned i = 0; i < object->dlpi_phnum; i++, segment++) {
        const uintptr_t begin =
            (uintptr_t)(object->dlpi_addr + segment->p_vaddr);

        if (segment->p_type == PT_LOAD && (uintptr_t)&here >= begin &&
            (uintptr_t)&here < begin + segment->p_memsz)
            return true;
    }
    return false;
}

static int look_at(struct dl_phdr_info *object, size_t size, void *data)
{
    struct search *const search = data;

    (void)size;
    search->is_program_there =
        (uintptr_t)object->dlpi_phdr == getauxval(AT_PHDR);
    search->is_in_first = holds_here(object);
    return 1; /* the first one tells */
}

enum os_home os_home(void)
{
    struct search search = {false, false};

    dl_iterate_phdr(look_at, &search);
    if (search.is_in_first)
        return OS_HOME_PROGRAM;
    return search.is_program_there ? OS_HOME_LIBRARY : OS_HOME_APART;
}

void os_stay_loaded(void)
{
    void *(*open)(const char *, int);
    Dl_info info;

    if (!dladdr_weak || !dlsym_weak || !dladdr_weak(&here, &info) ||
        !info.dli_fname)
        return;
    open = (void *(*)(const char *, int))dlsym_weak(RTLD_DEFAULT, "dlopen");
    if ((!open || !open(info.dli_fname,
                        RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) &&
        dlerror_weak)
        dlerror_weak(); /* not the program's */
}
