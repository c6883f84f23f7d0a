/* SPDX-License-Identifier: MIT */
/*
 * The seam between compiled code and the runtime: what the plugin emits into
 * an object file and what the runtime finds there. Shared by plugin/ and
 * runtime/ only; installed so that old objects stay checkable, not an API.
 *
 * An instrumented unit holds
 *   - site records: constants in the section ALLOCTRACE_SITES_SECTION, one
 *     for each place that allocates or calls something that may, and one for
 *     each call that was inlined around such a place. Offsets in a record are
 *     relative to their own field, so records need no dynamic relocation;
 *   - one unit entry in the section ALLOCTRACE_UNITS_SECTION, which leads to
 *     the unit's records and gives them their keys;
 *   - frames: 16 bytes (i386: 12) on the machine stack of each function that
 *     can reach an allocation, linked into a list per thread;
 *   - calls of the entries below in place of direct calls of the C library;
 *   - one constructor and destructor a module (executable or shared library)
 *     that announce the module's section of unit entries.
 *
 * Keys. A record is named by its key, a constant of 64 bits: the unit's key,
 * which is a hash of all that its records say, plus ALLOCTRACE_KEY_STRIDE times
 * the record's position in the unit. No address is in it: it is the same in
 * every run and every process, and what another library brings to the same
 * addresses has other keys. Units of equal keys have equal records. The keys of
 * a function's calls lie close together, so that going from one to the next is
 * an addition of one byte.
 *
 * The hash. A frame's hash names the whole path from the thread's start down
 * to the call that the frame's function is making:
 *
 *     frame->hash = frame->parent->hash * ALLOCTRACE_HASH_K + key
 *
 * where key is that of the call's record. Stored before each call that may
 * allocate, and once when the frame is linked, so that a frame on the list
 * never holds a hash that was not computed. It can be taken apart again:
 * key = frame->hash - frame->parent->hash * ALLOCTRACE_HASH_K. Arithmetic is
 * modulo 2^64 on every target.
 */
#ifndef ALLOCTRACE_ABI_H
#define ALLOCTRACE_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Changes when compiled code and runtime stop understanding one another. */
#define ALLOCTRACE_ABI_VERSION 3

/* Odd, 31 bits, so that it is an immediate operand on x86-64. */
#define ALLOCTRACE_HASH_K 0x5bd1e995u

/* A C identifier, so that the linker defines __start_ and __stop_ symbols. */
#define ALLOCTRACE_SITES_SECTION "alloctrace_sites"
#define ALLOCTRACE_UNITS_SECTION "alloctrace_units"

/*
 * Fields of a site record, in order: FIELD(type, name).
 *
 * file      where the place is: the name as the compiler was given it, after
 *           -ffile-prefix-map
 * function  the function in whose source the place is (for inlined code the
 *           inlined function), as the language writes it
 * caller    the record of the call through which `function` was inlined
 *           here; 0 if the code is in `function` itself
 * callee    what is called, if the call is direct; else 0
 * type      the allocated object's type as the language writes it; 0 =
 *           unknown. Also at a call that only hands on an allocation
 * target    what the result is stored in (`conn->rbuf`); 0 = unknown
 * type_size bytes of one object of `type`; 0 = unknown
 * line      1-based; 0 = unknown
 * column    1-based; 0 = unknown; 65535 = that or more
 * ordinal   the place's number within its function in source order of the
 *           records, 1-based: stable when lines move; 0 = not numbered
 * kind      enum alloctrace_site_kind
 * flags     ALLOCTRACE_SITE_* below
 *
 * The `offset` type is a signed distance in bytes from the field itself to
 * what it names (a NUL-terminated string, or a record for `caller`); 0 = none.
 */
#define ALLOCTRACE_SITE_FIELDS(FIELD)                                         \
    FIELD(alloctrace_offset, file)                                            \
    FIELD(alloctrace_offset, function)                                        \
    FIELD(alloctrace_offset, caller)                                          \
    FIELD(alloctrace_offset, callee)                                          \
    FIELD(alloctrace_offset, type)                                            \
    FIELD(alloctrace_offset, target)                                          \
    FIELD(uint32_t, type_size)                                                \
    FIELD(uint32_t, line)                                                     \
    FIELD(uint16_t, column)                                                   \
    FIELD(uint16_t, ordinal)                                                  \
    FIELD(uint8_t, kind)                                                      \
    FIELD(uint8_t, flags)                                                     \
    FIELD(uint16_t, reserved)

typedef int32_t alloctrace_offset;

struct alloctrace_site {
#define ALLOCTRACE_SITE_MEMBER(type, name) type name;
    ALLOCTRACE_SITE_FIELDS(ALLOCTRACE_SITE_MEMBER)
#undef ALLOCTRACE_SITE_MEMBER
};

/* Size and alignment of a record: the section is an array without gaps. */
#define ALLOCTRACE_SITE_SIZE 40
#define ALLOCTRACE_SITE_ALIGN 4

/* One for each unit, in an array without gaps. */
struct alloctrace_unit {
    uint64_t key;            /* of the unit's first record; even */
    alloctrace_offset sites; /* to the unit's first record */
    uint32_t n_sites;        /* records that the unit has */
};

#define ALLOCTRACE_UNIT_SIZE 16
#define ALLOCTRACE_UNIT_ALIGN 8

/* Bit 0 of a key is free for ALLOCTRACE_OWN_FRAME. */
#define ALLOCTRACE_KEY_STRIDE 2

enum alloctrace_site_kind {
    ALLOCTRACE_SITE_CALL = 1,   /* a call that may reach an allocation */
    ALLOCTRACE_SITE_ALLOC = 2,  /* a direct call of an allocation function */
    ALLOCTRACE_SITE_INLINED = 3 /* a call that was inlined; only a `caller` */
};

/* The call is a tail call: its function's frame was gone when it ran. */
#define ALLOCTRACE_SITE_TAIL 1
/* The call's result may be what the function returns, or hands out through a
 * parameter of type `void **` (a wrapper's call). */
#define ALLOCTRACE_SITE_RETURNED 2
/* The callee is defined in the same unit, hence instrumented: if the next
 * frame is another function's, the callee left by a tail call. */
#define ALLOCTRACE_SITE_CALLEE_HERE 4

/*
 * One level of the shadow stack. Lives on the machine stack of the function
 * that made it. `parent` never is NULL but in the sentinel at the end.
 */
struct alloctrace_shadow_frame {
    struct alloctrace_shadow_frame *parent; /* the caller's frame or the sentinel */
    uint64_t hash;                   /* see above */
};

/*
 * The thread-local variable __alloctrace_thread starts with the pointer to
 * the innermost frame; compiled code knows no more of it. It starts out at a
 * sentinel whose hash is not zero. TLS model: initial-exec.
 */
#define ALLOCTRACE_THREAD_SYMBOL "__alloctrace_thread"

/*
 * Entries: ENTRY(name, has_site). Compiled code calls __alloctrace_<name> in
 * place of <name>. The entry takes what <name> takes and, where has_site is
 * 1, one more argument behind it, of 64 bits: the site's key, plus
 * ALLOCTRACE_OWN_FRAME if the innermost frame belongs to the calling function
 * itself (then the path above the site is that frame's parent).
 */
#define ALLOCTRACE_ENTRIES(ENTRY)                                             \
    ENTRY(malloc, 1)                                                          \
    ENTRY(calloc, 1)                                                          \
    ENTRY(realloc, 1)                                                         \
    ENTRY(reallocarray, 1)                                                    \
    ENTRY(aligned_alloc, 1)                                                   \
    ENTRY(memalign, 1)                                                        \
    ENTRY(posix_memalign, 1)                                                  \
    ENTRY(valloc, 1)                                                          \
    ENTRY(pvalloc, 1)                                                         \
    ENTRY(strdup, 1)                                                          \
    ENTRY(strndup, 1)                                                         \
    ENTRY(free, 0)

#define ALLOCTRACE_ENTRY_PREFIX "__alloctrace_"
#define ALLOCTRACE_OWN_FRAME 1

/*
 * C++'s replaceable operators: OPERATOR(name, symbol, shape, next). Compiled
 * code calls __alloctrace_<name> in place of the function `symbol`, in which
 * '#' stands for size_t as the target mangles it (j or m). The entry takes
 * what the operator takes, then for an operator new the site as above, and
 * last the address of the operator: the one that this very call would have
 * reached, wherever the program, a library or a preloaded allocator has it.
 *
 * shape   as the letters of the prototype, result first: p pointer, s size_t
 *         (or std::align_val_t), v void. After ':' m = the result is new
 *         memory, t = may throw
 * next    the operator that the standard library's own version calls in turn
 *         (its own name if none): it is in force only if that one is as well
 */
#define ALLOCTRACE_OPERATORS(OPERATOR)                                        \
    OPERATOR(new, "_Znw#", "ps:mt", new)                                      \
    OPERATOR(new_array, "_Zna#", "ps:mt", new)                                \
    OPERATOR(new_nothrow, "_Znw#RKSt9nothrow_t", "psp:m", new)                \
    OPERATOR(new_array_nothrow, "_Zna#RKSt9nothrow_t", "psp:m", new_array)    \
    OPERATOR(new_aligned, "_Znw#St11align_val_t", "pss:mt", new_aligned)      \
    OPERATOR(new_array_aligned, "_Zna#St11align_val_t", "pss:mt",             \
             new_aligned)                                                     \
    OPERATOR(new_aligned_nothrow, "_Znw#St11align_val_tRKSt9nothrow_t",       \
             "pssp:m", new_aligned)                                           \
    OPERATOR(new_array_aligned_nothrow, "_Zna#St11align_val_tRKSt9nothrow_t", \
             "pssp:m", new_array_aligned)                                     \
    OPERATOR(delete, "_ZdlPv", "vp:", delete)                                 \
    OPERATOR(delete_array, "_ZdaPv", "vp:", delete)                           \
    OPERATOR(delete_sized, "_ZdlPv#", "vps:", delete)                         \
    OPERATOR(delete_array_sized, "_ZdaPv#", "vps:", delete_array)             \
    OPERATOR(delete_nothrow, "_ZdlPvRKSt9nothrow_t", "vpp:", delete)          \
    OPERATOR(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", "vpp:",            \
             delete_array)                                                    \
    OPERATOR(delete_aligned, "_ZdlPvSt11align_val_t", "vps:", delete_aligned) \
    OPERATOR(delete_array_aligned, "_ZdaPvSt11align_val_t", "vps:",           \
             delete_aligned)                                                  \
    OPERATOR(delete_sized_aligned, "_ZdlPv#St11align_val_t", "vpss:",         \
             delete_aligned)                                                  \
    OPERATOR(delete_array_sized_aligned, "_ZdaPv#St11align_val_t", "vpss:",   \
             delete_array_aligned)                                            \
    OPERATOR(delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t",   \
             "vpsp:", delete_aligned)                                         \
    OPERATOR(delete_array_aligned_nothrow,                                    \
             "_ZdaPvSt11align_val_tRKSt9nothrow_t", "vpsp:",                  \
             delete_array_aligned)

#define ALLOCTRACE_OPERATOR_PREFIX "__alloctrace_operator_"

/*
 * Allocators of the program's own: pools, arenas. Around a call that the
 * programmer has declared to be one, compiled code adds
 *
 *     token = __alloctrace_custom_take(old);             resizing ones only
 *     result = pool_alloc(n);                            the call itself
 *     __alloctrace_custom_alloc(result, n, site, name, token);
 *
 *     __alloctrace_custom_free(block, name);
 *     pool_free(block);
 *
 * with prototypes
 *
 *     void *__alloctrace_custom_take(void *block);
 *     void __alloctrace_custom_alloc(void *block, size_t size,
 *                                    uint64_t site, const char *name,
 *                                    void *token);
 *     void __alloctrace_custom_free(void *block, const char *name);
 *
 * `site` is as for the other entries: the key of the call of pool_alloc,
 * which for the way back is the innermost place. `name` names the domain: the
 * allocator's name, constant; NULL in custom_free where a function frees for
 * several allocators. `size` is ALLOCTRACE_SIZE_UNKNOWN if the call does not
 * say it; `token` is NULL where nothing was resized.
 */
#define ALLOCTRACE_CUSTOM_ALLOC "__alloctrace_custom_alloc"
#define ALLOCTRACE_CUSTOM_TAKE "__alloctrace_custom_take"
#define ALLOCTRACE_CUSTOM_FREE "__alloctrace_custom_free"
#define ALLOCTRACE_SIZE_UNKNOWN SIZE_MAX

/*
 * int __alloctrace_track(unsigned domain, const void *block, size_t size,
 *                        uint64_t site) stands for alloctrace_track of
 * alloctrace.h.
 */
#define ALLOCTRACE_TRACK "__alloctrace_track"

/*
 * Announcing a module. Each instrumented unit emits, in a COMDAT group named
 * ALLOCTRACE_MODULE_GROUP so that one copy a module is kept, two hidden
 * functions that call
 *
 *     void __alloctrace_module_add(const struct alloctrace_unit *begin,
 *                                  const struct alloctrace_unit *end,
 *                                  uint32_t abi_version);
 *     void __alloctrace_module_remove(const struct alloctrace_unit *begin);
 *
 * with the section's bounds, and their entries in .init_array.00000 and
 * .fini_array.00000 (first of all constructors, last of all destructors).
 */
#define ALLOCTRACE_MODULE_GROUP "__alloctrace_module"

#endif
