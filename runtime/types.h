/* SPDX-License-Identifier: MIT */
/*
 * The runtime's nouns and their invariants. Included by runtime.h only.
 *
 *   thread     what the runtime keeps for a thread: the shadow stack's top,
 *              its ledger, the recursion guard. One thread-local variable.
 *   frame      a level of the shadow stack, on the machine stack (abi.h).
 *   path hash  64 bits that name a call path: a frame's hash, or that of an
 *              allocation, hash(innermost frame) * K + key.
 *   place      an interned site record, copied so that it outlives its
 *              module, or a return address of code without records.
 *   traceback  an interned call path: place and parent. id 0 = no path.
 *   spot       where a path is counted: a traceback, and how it got there.
 *   account    the counters of one traceback in one ledger.
 *   ledger     the accounts of one thread, found by path hash. Outlives its
 *              thread and is then handed to a new one; what it counted moves
 *              to the sum of the threads of that name (tenant.c).
 *   block      one live allocation. Its entry in the block map names the
 *              account that it was counted in, and its size.
 *   epoch      number of the current peak of traced memory. An account whose
 *              epoch is older has not changed since the peak.
 *   scope      a stretch of a thread's work that is counted apart (scope.c).
 *   generation what is counted between two clears, or a start and a stop.
 *              Ledgers of earlier ones are retired: nobody reads them.
 *
 * Who writes what. Accounts and ledgers are written by the thread that owns
 * the ledger and by no other: that is why the hot path needs no atomic
 * read-modify-write. A block that another thread frees is subtracted in an
 * account of the freeing thread's own ledger, for the same traceback; figures
 * of one account may so be "negative", sums over ledgers never are. Others
 * (dump, api) only read; all counters are accessed with relaxed atomics.
 * Places, tracebacks, ledger list and modules change under at_lock only and
 * are never moved or freed, so they may be read without it once an id or
 * pointer has been handed out.
 *
 * Lock order: that of mapping.c, the dump lock, at_lock, then those of
 * tracked.c's shards. The first is held across system calls that map memory;
 * none is across a call of the real allocator or of code outside the runtime.
 */
#ifndef ALLOCTRACE_RUNTIME_TYPES_H
#define ALLOCTRACE_RUNTIME_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloctrace/abi.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define at_cold __attribute__((noinline, cold))
#define at_export __attribute__((visibility("default")))
#define at_cache_aligned __attribute__((aligned(64)))

/*
 * Counters: one writer, any number of readers, which may see an older value.
 * A relaxed load and store are plain moves; they only forbid the compiler to
 * tear or invent accesses. count_add is a plain += all the same: GCC makes
 * three instructions of the relaxed form where one (add to memory) will do,
 * six times a malloc and free pair. ThreadSanitizer gets the strict form, and
 * so do 32-bit programs, where a reader could see half of an addition.
 */
#define count_get(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define count_set(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#if defined __SANITIZE_THREAD__ || UINTPTR_MAX == UINT32_MAX
#define count_add(p, v) count_set((p), count_get(p) + (v))
#define count_look(p) count_get(p)
#define count_read(p) count_get(p)
#define count_write(p, v) count_set(p, v)
#else
#define count_add(p, v) ((void)(*(p) += (v)))
#define count_look(p) (*(p)) /* as an operand of a comparison */
/* The same as get and set; but GCC does not compute the address of a thread's
 * own variable first. */
#define count_read(p) (*(const volatile __typeof__(*(p)) *)(p))
#define count_write(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#endif

/* The counters of one traceback in one ledger. Owner: the ledger's thread. */
struct account {
    uint64_t key;          /* path hash, domain mixed in; constant */
    uint64_t total_blocks; /* allocated since start */
    uint64_t total_bytes;  /* their requested sizes */
    uint64_t freed_blocks; /* freed by the owner, whoever allocated them */
    uint64_t freed_bytes;
    uint64_t epoch;       /* peak at or after which this last changed */
    uint64_t peak_blocks; /* live at the peak `epoch` (two's complement) */
    uint64_t peak_bytes;
};
_Static_assert(sizeof(struct account) == 64, "an account is a cache line");

/* What an account stands for. Constant. */
struct account_facts {
    uint64_t key; /* as in the account: the ledger's key for it */
    uint32_t traceback_id;
    uint32_t domain; /* 0 = the C library's heap (domain.c) */
};

#define ACCOUNT_CHUNK_SIZE 65536
#define ACCOUNTS_PER_CHUNK            \
    ((ACCOUNT_CHUNK_SIZE - 64) /      \
     (sizeof(struct account) + sizeof(struct account_facts)))

/* Requested sizes are counted by powers of two: class 0 is size 0, class n
 * from 2^(n-2) + 1 (1 for n = 1) through 2^(n-1) bytes. As format.h says. */
#define SIZE_CLASSES 66
static inline uint32_t size_class_of(uint64_t size)
{
    return size < 2 ? (uint32_t)size
                    : 65 - (uint32_t)__builtin_clzll(size - 1);
}

/* How many blocks of a class of sizes. Owner: the account's. */
struct size_class {
    struct size_class *next; /* constant */
    uint64_t number;         /* of the class; constant */
    uint64_t blocks;
    uint64_t bytes;
};

/* More about an account, if ALLOCTRACE_DETAIL asked for it (detail.c). Owner:
 * the account's. */
struct detail {
    uint64_t temporary_blocks; /* freed before the thread allocated again */
    uint64_t temporary_bytes;
    uint64_t resized_blocks;   /* calls of realloc for this path's blocks */
    uint64_t resized_in_place; /* those that left the block where it was */
    uint64_t moved_bytes;      /* that the others copied */
    uint64_t grown_bytes;      /* new sizes less old ones, where larger */
    uint64_t shrunk_bytes;     /* old sizes less new ones, where smaller */
    uint64_t smallest; /* requested size, plus 1; 0 = no block yet */
    uint64_t largest;
    struct size_class *classes; /* newest first (release) */
};

/*
 * Accounts of one ledger, aligned to its own size so that an account leads to
 * its ledger without touching the line that its owner writes. The facts stand
 * apart for the same reason: other threads read them.
 */
struct account_chunk {
    struct ledger *ledger;      /* constant */
    struct account_chunk *next; /* older chunk of the same ledger; constant */
    struct detail *details; /* of all accounts; NULL: none yet (release) */
    uint32_t n_used;            /* written by the owner (release) */
    uint32_t generation; /* number of the ledger's; 0 = of none, forgotten */
    char padding[64 - 3 * sizeof(void *) - 8];
    struct account accounts[ACCOUNTS_PER_CHUNK];
    struct account_facts facts[ACCOUNTS_PER_CHUNK];
};
_Static_assert(sizeof(struct account_chunk) <= ACCOUNT_CHUNK_SIZE,
               "a chunk fits its alignment");

static inline const struct account_chunk *
account_chunk(const struct account *account)
{
    return (const struct account_chunk *)((uintptr_t)account &
                                          ~(uintptr_t)(ACCOUNT_CHUNK_SIZE - 1));
}

static inline const struct account_facts *
account_facts(const struct account *account)
{
    const struct account_chunk *const chunk = account_chunk(account);

    return &chunk->facts[account - chunk->accounts];
}

/* Chunks are used again, so that who has an account of another thread may
 * read what is just being written: no half of anything, and not before the
 * chunk's generation was. */
static inline void account_facts_set(struct account_facts *facts,
                                     struct account_facts value)
{
    __atomic_store_n(&facts->key, value.key, __ATOMIC_RELEASE);
    __atomic_store_n(&facts->traceback_id, value.traceback_id,
                     __ATOMIC_RELEASE);
    __atomic_store_n(&facts->domain, value.domain, __ATOMIC_RELEASE);
}

static inline struct account_facts account_facts_get(
    const struct account_facts *facts)
{
    return (struct account_facts){
        .key = __atomic_load_n(&facts->key, __ATOMIC_ACQUIRE),
        .traceback_id = __atomic_load_n(&facts->traceback_id, __ATOMIC_ACQUIRE),
        .domain = __atomic_load_n(&facts->domain, __ATOMIC_ACQUIRE),
    };
}

static inline uint64_t account_key(const struct account *account)
{
    return account_facts(account)->key;
}

static inline uint32_t account_traceback(const struct account *account)
{
    return account_facts(account)->traceback_id;
}

static inline uint32_t account_domain(const struct account *account)
{
    return account_facts(account)->domain;
}

/*
 * Accounts are named by their offset in bytes from at_accounts (account.c),
 * which is less than 2^31; at offset 0 is one that stands for none.
 */
extern char *at_accounts;

static inline struct account *account_at(uint32_t offset)
{
    return (struct account *)(void *)(at_accounts + offset);
}

static inline uint32_t account_offset(const struct account *account)
{
    return (uint32_t)((const char *)account - at_accounts);
}

/*
 * A ledger's table: offsets of accounts, which hold their keys; 0 = free.
 *
 * Where a key's place is looked for first: the keys of a function's sites
 * differ by a few units, so they get places near each other. The upper half
 * is added because the lower bits of a path's hash depend on the lower bits
 * of its keys alone.
 */
static inline uint32_t slot_home(uint64_t key, uint32_t mask)
{
    return (uint32_t)(key + (key >> 32)) & mask;
}

/* Tables that a ledger may have, each twice as large as the one before. */
#define LEDGER_TABLES 20

#define THREAD_NAME_SIZE 32 /* the system's are shorter */

/* Slot of a cache: a path and where it is counted. */
struct slot {
    uint64_t key; /* 0 = free */
    struct account *account;
};

/* A table of slots that forgets. See cache.c. */
struct cache_table {
    struct slot *slots; /* at most half full; NULL = none yet */
    uint32_t log2;      /* of their number */
    uint32_t n_used;    /* slots taken */
};
struct cache {
    struct cache_table young; /* what is added goes here */
    struct cache_table old;   /* what was young before */
};

/* An open scope of a thread. See scope.c. */
struct scope_level {
    int64_t peak;      /* most live bytes of the ledger since it began */
    uint64_t serial;   /* its number in the ledger */
    uintptr_t address; /* of the caller's struct, which is not followed */
};

/* One thread's accounts. The first line is what the hot path touches. */
struct ledger {
    uint32_t *slots;     /* table of the hot path; empty when verifying */
    uint64_t mask;       /* number of its slots - 1 */
    uint64_t multiplier;    /* hash = that of the caller * multiplier + key */
    uint64_t max_slack;     /* of narrow entries; 0: all go the slow way */
    int64_t room;       /* bytes it may grow before the peak is looked at */
    uint64_t range;     /* that is when (uint64_t)room > range (peak.c) */
    int64_t limit;      /* live bytes (allocated - freed) are limit - room */
    char padding[8];

    uint32_t *table;     /* the table: key => account; owner only */
    uint32_t table_mask; /* as mask, of `table` */
    uint32_t table_used; /* slots taken */
    uint32_t id;         /* number of the ledger from 1; constant */
    struct account_chunk *chunks; /* newest first; written by the owner */
    int64_t published;      /* part of `live` that its generation's includes */
    uint64_t unknown_frees; /* frees of blocks that are not in the map */
    uint32_t is_swept; /* it is being made ready for use; under at_lock */
    uint32_t n_settling; /* blocks to look at more closely (generation.c) */
    struct generation *generation; /* NULL: has not begun */
    /* Paths without an account of their own => where they are counted. */
    struct cache cache;
    const struct account *last_account; /* of the newest block (detail.c) */
    uintptr_t last_block;
    uint32_t *tables[LEDGER_TABLES]; /* all it ever had; NULL = not yet */
    struct scope_level *scopes; /* those that are open, outermost first */
    uint32_t n_scopes;          /* how many they are */
    uint32_t max_scopes;        /* that there is room for */
    uint64_t scope_serial; /* scopes that were ever begun in it */
    uint64_t scope_blocks; /* allocated while scopes were open */
    uint64_t scope_bytes;  /* their sizes */
    /* The rest is tenant.c's, under at_lock. */
    uint32_t tid;     /* of its thread; 0 = of several */
    uint32_t is_free; /* its thread has ended */
    uint32_t is_sum;  /* holds what ended threads counted, no thread's own */
    uint32_t is_late; /* nobody will tell us when its thread has ended */
    uint32_t late_tid; /* that is this one */
    uint64_t name[THREAD_NAME_SIZE / 8]; /* see tenant_name */
} at_cache_aligned;

/* What is counted between two clears. See generation.c; what concerns the
 * peak is peak.c's. */
struct generation {
    uint32_t number;    /* ascending, from 1 */
    uint32_t n_ledgers; /* that have begun in it, till reused; under at_lock */
    uint32_t n_tenants; /* those that are no sums */
    uint32_t is_shared; /* they are several */
    uint64_t peak_bytes;     /* height of the peak */
    struct generation *next; /* on the list of those to be used again */
    int64_t live at_cache_aligned; /* published live bytes, if it is shared */
} at_cache_aligned;

/* Added to thread.busy: what is allocated meanwhile is the runtime's doing and
 * not even counted as dropped. */
#define BUSY_SILENT 0x10000u

/* A block that a thread was given lately, while it samples (watch.c). */
struct watched {
    uintptr_t address; /* 0 = none */
    uintptr_t frame;   /* the innermost one at that moment */
    size_t size;       /* that was asked for */
    uint32_t domain;   /* 0 = malloc's */
};
#define WATCHED_BLOCKS 4
struct watch {
    uint64_t left;  /* what sample_left is when nobody watches */
    uint32_t is_on; /* the thread uses allocators of the program's own */
    uint32_t next;  /* of `blocks` is the oldest, modulo their number */
    struct watched blocks[WATCHED_BLOCKS];
};

/* What the runtime keeps for a thread. `top` is the ABI (abi.h). */
struct thread {
    struct alloctrace_shadow_frame *top; /* innermost frame; never NULL */
    struct ledger *ledger; /* NULL = none yet, nothing is traced, sampling */
    uint32_t busy;         /* the runtime is in its slow half: record nothing */
    uint32_t n_held;       /* locks that it holds and dumps need (lock.c) */
    uint32_t n_stopped; /* allocations seen since it noticed a stop */
    uint32_t n_paused;  /* pauses that it is in (pause.c) */
    uint32_t has_ended;    /* its ledger was released; what is left is short */
    uint64_t sample_left;   /* bytes to the next sample; 0: ask sample_choose */
    uint64_t sample_random; /* state of the generator; 0 = none yet */
    struct ledger *sampled; /* the ledger of a thread that samples, or NULL */
    struct ledger *aside; /* what `ledger` was, while that is at_paused_ledger */
    struct watch watch;     /* its last blocks */
};

/* An interned place. Strings are ids of at_strings; 0 = none. */
struct place {
    uint64_t key;     /* the site's, or the return address */
    uint64_t address; /* of the record, or the return address */
    uint32_t file;    /* 0 for a return address */
    uint32_t function;
    uint32_t callee;
    uint32_t type;
    uint32_t target;
    uint32_t type_size; /* bytes of one object; 0 = unknown */
    uint32_t caller; /* place this one was inlined into; 0 = none */
    uint32_t line;
    uint32_t n_frames; /* frames that it stands for: callers and itself */
    uint32_t gone; /* file it was in, which was unloaded (gone.c); 0 = none */
    uint32_t body;     /* names the function whose code it is in; 0 = unknown */
    uint16_t column;
    uint16_t ordinal;
    uint8_t kind; /* enum alloctrace_site_kind; 0 = return address */
    uint8_t flags;
};

/* An interned call path. */
struct traceback {
    uint64_t key;      /* path hash, of the frames that are kept */
    uint32_t parent;   /* traceback of the caller, a smaller id; 0 = none */
    uint32_t place;    /* innermost frame */
    uint32_t left_out; /* frames of a path that are not kept; the most seen */
    uint32_t depth : 24;     /* tracebacks from here to the outermost */
    uint32_t n_repeats : 8;  /* of them in the same function; not counted with
                              * a limit */
};

/* Where a path is counted. See recover.c. */
struct spot {
    uint32_t id;       /* traceback; 0 = outside of all */
    uint32_t left_out; /* frames of the path that the traceback lacks */
    bool is_cut;       /* it is a prefix: there was no memory for more */
};

/* A string: bytes are in the arena, NUL-terminated. */
struct string {
    const char *bytes;
    uint32_t size; /* without the NUL */
    uint32_t hash;
};

/*
 * An array that grows without moving: part k holds FIRST << k elements.
 * Elements are numbered from 1. Grows under at_lock; read by anyone, for an
 * element is whole before it is counted.
 */
#define VECTOR_PARTS 26
#define VECTOR_FIRST_LOG2 6
struct vector {
    void *parts[VECTOR_PARTS];
    uint32_t n;            /* elements in use (release) */
    uint32_t element_size; /* bytes; constant */
};

/* Open addressing, id => element of a vector; grows by moving. Under lock. */
struct index_slot {
    uint32_t id;   /* 0 = free */
    uint32_t hash; /* 32 bits of it, mixed */
};
struct index {
    struct index_slot *slots; /* NULL = none yet */
    uint32_t mask; /* slots - 1 */
    uint32_t n;    /* slots taken */
};

/* The peak of traced memory. See peak.c. The epoch is read by every event of
 * every thread, so it shares no line with what publishing threads write. */
struct peak {
    uint64_t epoch; /* number of the current peak, from 1 */
} at_cache_aligned;

/* Values of options. */
typedef int32_t option_frames; /* -1 = off, 0 = every frame, else the limit */
typedef const char *option_text;
typedef bool option_flag;
typedef struct option_interval {
    uint64_t ns;    /* a dump each so many nanoseconds; 0 = not by time */
    uint64_t bytes; /* or each so many bytes allocated; 0 = not by bytes */
} option_interval;
typedef uint64_t option_memory; /* bytes */
typedef int option_signal; /* its number; 0 = none */

typedef uint64_t option_number;
typedef uint64_t option_sample; /* bytes; 0 = trace every block */

/* What the environment asked for. Constant once read. See env.def. */
struct options {
#define AT_OPTION(type, name, variable, fallback, accepts, help) type name;
#include "env.def"
#undef AT_OPTION
};

#endif
