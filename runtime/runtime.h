/* SPDX-License-Identifier: MIT */
/*
 * The map of the runtime: prototypes grouped by the file that defines them,
 * in order of dependence. A file calls only files above it (and itself).
 * Nothing here allocates with malloc. "Slow half" means: the caller holds the
 * recursion guard thread->busy.
 */
#ifndef ALLOCTRACE_RUNTIME_H
#define ALLOCTRACE_RUNTIME_H

#include "os.h"
#include "types.h"

/* text.c: formatting into a buffer, always terminated, never overrun. */
struct text {
    char *bytes;
    size_t size; /* of the buffer */
    size_t used; /* without the NUL; stops at size - 1 */
};
void text_init(struct text *text, char *buffer, size_t size);
void text_add(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, uint64_t number);
void text_add_hex(struct text *text, uint64_t number);
bool text_is_full(const struct text *text);

/* message.c: one line on standard error, "alloctrace: ...". Signal-safe. */
void message(const char *first, ...) __attribute__((sentinel));

/* env.c */
extern struct options at_options;
void env_read(void);

/* process.c: whose memory it is. */
enum process_memory {
    PROCESS_OWN,
    PROCESS_BORROWED, /* a child of vfork, in its parent's memory */
    PROCESS_COPIED    /* a child that no atfork handler was called for */
};
void process_adopt(void); /* the memory is this process's from now on */
enum process_memory process_memory(void);

/* pattern.c: names of files, before they are expanded. */
#define AT_PATTERN_SIZE 8192
bool pattern_has(const char *pattern, char letter); /* %letter */
/* Puts `part` before the suffix of the file name. False: no room. */
bool pattern_insert(char *pattern, size_t size, const char *part);

/* budget.c: what the tables may take. Counted from any thread. */
enum budget {
    BUDGET_REPEATS, /* recursion may take room as if there were plenty */
    BUDGET_PATHS,   /* new tracebacks are made */
    BUDGET_ACCOUNTS /* accounts of known ones are made */
};
void budget_add(int64_t bytes); /* the tables have grown */
uint64_t budget_used(void);
bool budget_has(enum budget what, size_t bytes);
void budget_lift(bool is_lifted); /* all is allowed meanwhile; locked */

/* arena.c: the runtime's memory; never given back. NULL when there is none. */
void *arena_alloc(size_t size);         /* zeroed, 16-byte aligned; locked */
void *arena_alloc_aligned(size_t size); /* size a power of two; locked */
void *arena_map(size_t size);           /* own pages; any thread */
void *arena_reserve(size_t size);       /* addresses alone */
bool arena_use(void *pages, size_t size); /* makes reserved ones memory */
void arena_discard(void *pages, size_t size); /* reads as zeros from now on */
void arena_unmap(void *pages, size_t size);   /* what arena_map returned */
uint64_t arena_bytes(void);                   /* resident bytes of all of it */

/* vector.c */
size_t vector_cost(const struct vector *vector); /* bytes vector_add will take */
/* Adds a copy of `element`. Under at_lock. Its id; 0: no memory. */
uint32_t vector_add(struct vector *vector, const void *element);
/* Elements that are there, whole. Any thread, also in a signal handler. Read
 * the numbers of a table before those of the tables it refers to. */
uint32_t vector_count(const struct vector *vector);
void *vector_at(const struct vector *vector, uint32_t id); /* 1..n */

/* index.c: under at_lock. `found` compares the element id with `key`. */
typedef bool index_match(uint32_t id, const void *key);
uint32_t index_find(const struct index *index, uint64_t hash,
                    index_match *match, const void *key);
bool index_add(struct index *index, uint64_t hash, uint32_t id);
size_t index_cost(const struct index *index); /* bytes the next one will take */
bool index_reserve(struct index *index); /* for one more */

/* real.c: the allocator that serves the calls. Never NULL. */
struct real {
    void *(*malloc_fn)(size_t);
    void *(*calloc_fn)(size_t, size_t);
    void *(*realloc_fn)(void *, size_t);
    void (*free_fn)(void *);
    void *(*aligned_alloc_fn)(size_t, size_t);
    void *(*memalign_fn)(size_t, size_t);
    int (*posix_memalign_fn)(void **, size_t, size_t);
    void *(*valloc_fn)(size_t);
    void *(*pvalloc_fn)(size_t);
    size_t (*usable_size_fn)(void *); /* NULL: there is none */
};
extern struct real at_real;
void real_init(void);
/* May blocks be freed without our hooks being called? Then an entry of the
 * block map that is still set when its address is given out again is stale. */
bool real_has_hidden_frees(void);
/* Is it glibc's, whose blocks lie at least four words apart? */
bool real_is_glibc(void);

/* string.c: interned by content. Under at_lock. 0: no memory, or NULL. */
extern struct vector at_strings;
uint32_t string_hash(const char *bytes, size_t size);
uint32_t string_intern(const char *bytes);

/* site.c: modules' records. */
const struct alloctrace_site *site_find(uint64_t key); /* NULL = none; locked */
const char *site_string(const alloctrace_offset *field); /* NULL = none */
const struct alloctrace_site *site_caller(const struct alloctrace_site *site);
void site_add_module(const struct alloctrace_unit *begin,
                     const struct alloctrace_unit *end);      /* locked */
void site_remove_module(const struct alloctrace_unit *begin); /* locked */

/* place.c: under at_lock. 0: no memory. */
extern struct vector at_places;
uint32_t place_of_site(uint64_t key); /* 0 also if no module has it */
uint32_t place_of_address(uint64_t address);
uint32_t place_unknown(void); /* of a frame that nothing is known of */

static inline const struct place *place_at(uint32_t id) /* 1..n */
{
    return vector_at(&at_places, id);
}

/* thread.c */
enum tracing { TRACING_UNKNOWN, TRACING_OFF, TRACING_ON };
extern uint32_t at_tracing; /* enum tracing; unknown until env_read */
extern __thread struct thread __alloctrace_thread at_export;
/* The same variable by a name that another copy of the runtime cannot take. */
extern __thread struct thread at_own_thread;
extern struct alloctrace_shadow_frame at_sentinel;
extern struct vector at_ledgers;   /* of struct ledger *: all threads' */
extern struct generation *at_generation; /* the current one; see generation.c */
extern uint32_t at_generation_number;    /* its number */

/* The number of the current one: asked before an entry that names an account
 * is read, so that it can be told whether it still means it. */
static inline uint32_t generation_number(void)
{
    /* Acquire: what is read next is not older. */
    return __atomic_load_n(&at_generation_number, __ATOMIC_ACQUIRE);
}

static inline bool generation_has(const struct ledger *ledger)
{
    return ledger->generation == count_get(&at_generation);
}

/* What a thread finds in a pause, in place of its ledger: nothing (pause.c). */
extern struct ledger at_paused_ledger;

/* Where a thread has its ledger: a thread that samples keeps it from the hot
 * path, which would count each block, and so does one in a pause. */
static inline struct ledger **thread_ledger(struct thread *thread)
{
    if (at_options.sample)
        return &thread->sampled;
    return thread->ledger == &at_paused_ledger ? &thread->aside
                                               : &thread->ledger;
}

static inline struct ledger *ledger_at(uint32_t id) /* 1..n */
{
    return *(struct ledger **)vector_at(&at_ledgers, id);
}

/* sample.c: which blocks are sampled, and what each stands for. See there. */
#define SAMPLE_MAX ((uint64_t)1 << 30) /* bytes that a period may have */
/* Is the block to be sampled that `thread` allocates? Counts it. */
bool sample_choose(struct thread *thread, size_t size);
/* 64 random bits of the thread's own generator; of one with that state. */
uint64_t sample_draw(struct thread *thread);
uint64_t sample_random(uint64_t *state);
/* Bytes before the one that begins a sample. */
uint64_t sample_gap(uint64_t random, uint64_t period);
/* Blocks that a block stands for: whole + part / 2^32. */
struct sample_weight {
    uint64_t whole;
    uint32_t part;
};
struct sample_weight sample_weigh(uint64_t size, uint64_t period);
/* What it is counted as: its weight, rounded at random. How, is chosen once and
 * marked in its size. */
struct sample_share {
    uint64_t blocks;
    uint64_t bytes;
};
uint64_t sample_mark(uint64_t size, uint64_t period, uint64_t random);
uint64_t sample_size(uint64_t marked); /* without the marks */
struct sample_share sample_share(uint64_t marked, uint64_t period);
/* A sampled block lies there from now on, and does no more. */
void sample_note(uintptr_t address);
void sample_forget(uintptr_t address);

/* lock.c: at_lock. Who holds it holds the recursion guard as well. */
void lock_take(void);
bool lock_try(void);
void lock_release(void);
/* Around a lock that dumps need: what handlers want of them waits so long. */
void lock_hold(void);
void lock_unhold(void);
bool lock_is_held(void); /* by this thread: it must not dump now */
/* Has this thread do `action` when it holds none; false: it holds none now. */
bool lock_defer(void (*action)(void));
/* The dump lock: nothing that a dump reads changes but by growing. Outermost;
 * not if lock_is_held. Gives what lock_release_dump takes. */
uint64_t lock_take_dump(void);
/* The same if it is free and not lock_is_held. */
void lock_release_dump(uint64_t blocked);
/* For a moment, under at_lock, to change what a dump reads. False: one is
 * being written. */
bool lock_try_dump(void);
void lock_end_dump(void);
void lock_reset_dump(void); /* after fork: the holder stayed behind */

/* range.c: ranges of addresses that do not overlap, under mapping.c's lock. */
struct range {
    uintptr_t begin;
    uintptr_t end;           /* one past the last byte */
    struct mapping *mapping; /* what it is a part of: mapping.c's */
    struct range *left;      /* in the tree: those before it */
    struct range *right;
};
struct range *range_before(uintptr_t address); /* last that begins below */
struct range *range_add(uintptr_t begin, uintptr_t end); /* NULL: no memory */
void range_remove(struct range *range);

/* stack.c: control leaves stack pointer `here` for `target` (0 = unknown). */
void stack_leave(uintptr_t here, uintptr_t target);
/* Makes `next` (NULL: none) the innermost frame; gives what was. */
void *stack_switch(void *next);

/* Frames at which the runtime itself cuts paths; 0: it keeps them whole, and
 * the reader applies the limit. For a path of each way through N frames costs
 * N frames, and when it is met, a walk of N. */
#define MAX_WINDOW 128

static inline uint32_t path_limit(void)
{
    const option_frames frames = count_get(&at_options.frames);

    return frames <= MAX_WINDOW ? (uint32_t)frames : 0;
}

/* traceback.c: under at_lock, but traceback_at and traceback_write. */
extern struct vector at_tracebacks;
uint32_t traceback_find(uint64_t key); /* 0: not known */
/* The hash above the outermost frame. With a limit of one frame it is 0: the
 * key is the site alone, as it is on the hot path (struct ledger). */
uint64_t traceback_root(void);
/* The path of `from`, continued by a site. Where it is not known and cannot
 * be added, or is not to be, the spot says so. */
struct spot traceback_extend(struct spot from, uint64_t site, uint32_t place);
/* The traceback stands for a path of so many more frames, too. */
void traceback_leave_out(uint32_t id, uint32_t n_frames);
/* Those that are had in any case: for paths without a prefix, and for a site
 * alone. 0: no memory. */
uint32_t traceback_nowhere(void);
uint32_t traceback_alone(uint64_t site, uint32_t place);
int traceback_write(uint32_t id, int fd); /* text, signal-safe */

static inline struct traceback *traceback_at(uint32_t id) /* 1..n */
{
    return vector_at(&at_tracebacks, id);
}

/* recover.c: under at_lock. */
extern uint64_t at_bad_frames; /* frames that could not be taken apart */
/* Where an allocation is counted whose path ends in `top` and `leaf`: a site,
 * or an address. `hash` is the whole path's. */
struct spot recover_path(uint64_t hash,
                         const struct alloctrace_shadow_frame *top,
                         uint64_t leaf, bool is_site);
/* Is the frame of that hash one whose path is counted as another? */
bool recover_is_elsewhere(uint64_t hash);
/* Does the spot stand for the frames? As far as they are kept. */
bool recover_verify(struct spot spot, uint64_t hash,
                    const struct alloctrace_shadow_frame *top, uint64_t leaf);
/* What was remembered of frames is not valid under another limit. */
void recover_forget(void);

/* peak.c */
extern struct peak at_peak;
/* By its owner. Returns `block`, to be a tail call of event_add. */
void *peak_pass(struct ledger *ledger, void *block) at_cold;
/* The same for one whose live bytes have fallen. */
void peak_fall(struct ledger *ledger) at_cold;
void peak_share(void);                          /* locked */
void peak_leave(struct ledger *ledger);         /* locked */
void peak_reset(void);                          /* locked */
uint64_t peak_bytes(void);
uint64_t peak_slack(void);

/* A ledger's live bytes. */
static inline int64_t peak_live(const struct ledger *ledger)
{
    return count_get(&ledger->limit) - count_get(&ledger->room);
}

/* account.c: under at_lock. */
bool account_init(void);
struct account_chunk *account_chunk_add(void); /* zeroed; NULL: no memory */
/* Takes a chunk back that no ledger has and no entry names; it is given out
 * again once account_chunks_settle has been called. */
void account_chunk_release(struct account_chunk *chunk);
void account_chunks_settle(void);
struct account *account_forgotten(void); /* of blocks that were forgotten */
#define ACCOUNT_CHUNKS_MAX 32768 /* chunks that an offset can name */
uint32_t account_chunk_number(const struct account_chunk *chunk);
uint32_t account_chunk_count(void); /* numbers that were given out */
struct account_chunk *account_chunk_at(uint32_t number);
/* By number: may accounts of the chunk have changed since tenant.c last looked
 * at them? Set by owners, with the epoch of an account, so that there is
 * nothing to do on the way of all events. */
extern uint8_t at_touched[ACCOUNT_CHUNKS_MAX];
static inline void account_touched(const struct account *account)
{
    uint8_t *const touched =
        &at_touched[account_offset(account) / ACCOUNT_CHUNK_SIZE];

    if (!count_get(touched)) /* others' are in the line */
        count_set(touched, 1);
}

/* What a block was counted as. */
struct taken {
    struct account *account; /* NULL: the block is not known */
    size_t size;
    struct account *origin; /* event_take: what its entry named */
};

/* block.c: the slow half of block.h. */
bool block_init(void);
extern bool at_is_narrow; /* may blocks be in the narrow map? Constant */
/* Enters a block of which nothing is known, wherever it belongs. False: no
 * memory. */
bool block_put(void *block, const struct account *account, size_t size);
/* The account of a block and its size; account NULL: it is not known, or
 * forgotten. */
struct taken block_get(const void *block);
/* The same also of one that was forgotten; and it is known no more. */
struct taken block_remove(const void *block);
/* Makes entries name the account that stands for forgotten ones instead of
 * those of the chunks whose bits are set. */
void block_sweep(const uint64_t *gone);

/* block_walk.c: all live blocks, if ALLOCTRACE_BLOCKS is set. Any thread, also
 * in a signal handler. */
struct block {
    uintptr_t address;
    size_t size;                   /* requested */
    const struct account *account; /* that it was counted in */
};
#define BLOCK_PAGES 512 /* whose state is asked for at once */
/* Where the walk is in the pages of a root or leaf. */
struct block_pages {
    uintptr_t at; /* first of the pages that are known */
    size_t left;  /* bytes from there on */
    unsigned n;   /* pages that are known */
    unsigned i;   /* the next of them */
    int fd;       /* for os_touched */
    uint64_t touched[BLOCK_PAGES / 64]; /* a bit a page */
};
struct block_walk {
    int map;             /* its number; -1 = none yet */
    int fd;              /* for os_touched */
    uintptr_t root;      /* of the map; 0 = there is none */
    uintptr_t slot;      /* where the next leaf's address is, in the root */
    uintptr_t slot_end;  /* of the root's current page */
    uintptr_t leaf;      /* as in the root: where entry 0 would be */
    uintptr_t entry;     /* where the next one is, in the leaf */
    uintptr_t entry_end; /* of the leaf's current page */
    struct block_pages root_pages; /* where it is in the root */
    struct block_pages leaf_pages; /* and in the leaf */
};
void block_walk_start(struct block_walk *walk);
/* Fills in up to n blocks; says how many. 0: that was all. */
size_t block_walk_next(struct block_walk *walk, struct block *blocks, size_t n);
void block_walk_end(struct block_walk *walk);

/* cache.c: by its owner, slow half. */
void cache_add(struct cache *cache, uint64_t key, struct account *account);
/* NULL: it is not there. What is found becomes young. */
struct account *cache_find(struct cache *cache, uint64_t key);
void cache_clear(struct cache *cache); /* nothing is there; keeps its memory */

/* ledger.c: slow half. */
extern uint32_t at_no_slots[1]; /* a table in which nothing is found */
extern const struct ledger at_new_ledger; /* as one begins */
/* An empty one of the current generation. Locked; NULL: no memory. */
struct ledger *ledger_create(bool is_sum);
/* What its thread finds while nothing is traced, for a while: see event.c. */
extern struct ledger at_stopped_ledger;
/* Empties one that is retired and that no entry names, for use. Locked. */
void ledger_recycle(struct ledger *ledger);
/* Its blocks need not be looked at closely any more. By its owner. */
void ledger_settled(struct ledger *ledger);
/* They need again. Locked; it has no owner. */
void ledger_unsettle(struct ledger *ledger);
struct account *ledger_find(const struct ledger *ledger, uint64_t key);
/* Opens an account. Locked; NULL: no memory. */
struct account *ledger_add(struct ledger *ledger, struct account_facts facts);
/* Paths that are counted in an account with another key. By the owner. */
void ledger_remember(struct ledger *ledger, uint64_t key,
                     struct account *account);
struct account *ledger_recall(struct ledger *ledger, uint64_t key);
/* Its scopes are open no more: its thread has left it. Locked. */
void ledger_end_scopes(struct ledger *ledger);
int64_t ledger_live_sum(void);
uint64_t ledger_total_sum(void); /* bytes ever allocated; looks at all */

/* purse.c: the accounts of spots. Locked. */
/* The key of a path in a domain. */
uint64_t purse_key(uint64_t hash, uint32_t domain);
/* The account in which a ledger counts a spot; NULL: no memory. */
struct account *purse_account(struct ledger *ledger, struct spot spot,
                              uint32_t domain);
/* Does it count paths whose prefix its traceback is? Needs no lock. */
bool purse_is_cut(const struct account *account);

/* detail.c: more than an account counts, when at_options.detail. By the
 * account's owner. */
void detail_add(struct account *account, uintptr_t block, size_t size);
void detail_remove(struct account *account, uintptr_t block, size_t size);
void detail_put_back(struct account *account, uintptr_t block, size_t size);
void detail_resize(struct account *account, size_t old_size, size_t size,
                   bool is_moved);
/* What one account's were are the other's. Locked; neither has an owner. */
void detail_move(const struct account *to, const struct account *from);
/* Of any thread's account; NULL: nothing is known. */
const struct detail *detail_of(const struct account *account);
/* Of a chunk that is about to be used for others. Locked. */
void detail_forget(struct account_chunk *chunk);

/* tenant.c: which thread has which ledger. Slow half. */
void tenant_init(void);
struct ledger *tenant_acquire(struct thread *thread); /* locked; may be NULL */
void tenant_release(struct thread *thread);           /* locked */
/* The thread has none that counts: takes one of the current generation, or,
 * when nothing is traced, none. Locked; may be NULL. */
struct ledger *tenant_renew(struct thread *thread);
/* Has its thread ended, or gone on with another one? Locked. */
bool tenant_has_left(const struct ledger *ledger);
void tenant_forget_sums(void); /* they are retired; locked */
/* In the child after a fork: the ledgers of threads that it has not are free,
 * and its own has another number. Locked. */
void tenant_keep_only(struct ledger *mine);
/* The name of its thread when that ended, or of all whose sum it is; "" =
 * unknown. Any thread. */
void tenant_name(const struct ledger *ledger, char name[THREAD_NAME_SIZE]);

/* generation.c: under at_lock. */
/* Forgets all that was counted. False: no memory. */
bool generation_begin(void);
/* One ledger of it less: is it the last? */
void generation_drop(struct generation *generation);

/* nested.c: what an allocator calls itself is not the program's doing. */
void nested_init(void);    /* once the real functions are known */
void nested_guard(void);   /* from now on; once, at a start of tracing */
void *nested_malloc(void); /* the allocator's own malloc */

/* start.c */
extern uint64_t at_start_ns;
extern char at_dump_pattern[AT_PATTERN_SIZE]; /* at exit; absolute */
bool start_once(void);         /* slow half: is tracing on? */
bool start_in_constructor(void); /* the same, as the process is set up now */
void start_never(void);          /* this copy is not to trace */
bool start_is_barred(void);
bool start_has_dumps(void);      /* are dumps wanted unasked? */
/* Starts with that many frames; it is not tracing. Locked; false: no memory. */
bool start_tracing(int32_t frames);

/* pause.c: what the calling thread allocates is not recorded. Any thread, any
 * signal handler. */
void pause_begin(void);
void pause_end(void); /* does nothing if there is none */

/* scope.c: what alloctrace.h says of scopes. 0 or an error of it. */
struct alloctrace_scope;
struct alloctrace_scope_result;
int scope_begin(struct alloctrace_scope *scope);
int scope_end(const struct alloctrace_scope *scope,
              struct alloctrace_scope_result *result);
/* Something was counted in a ledger that has open scopes. By its owner. */
void scope_count(struct ledger *ledger, struct sample_share share);

/* event.c: the slow halves of event.h. They leave errno alone. */
struct account *event_find_slow(uint64_t key, uint64_t leaf, unsigned how,
                                size_t size) at_cold;
/* The account that event_peek_site or event_peek_address did not find. */
struct account *event_meet_site(uint64_t site, size_t size);
struct account *event_meet_address(const void *address, size_t size);
/* A block that is not recorded, perhaps for a pause. Returns it. */
void *event_pass(void *block, size_t size) at_cold;
/* The block is none of glibc's usual ones. Returns it. */
void *event_add_other(struct account *account, void *block, size_t size);
bool event_remove_other(struct ledger *ledger, const void *block);
/* A path to be found or opened an account for. */
struct path {
    uint64_t key;  /* of the account in a ledger: `hash`, or with the domain */
    uint64_t hash; /* of the path; not used if the traceback is known */
    uint64_t leaf; /* the allocation's own: key of its site, or address */
    unsigned how;          /* EVENT_* */
    uint32_t traceback_id; /* 0 = not known: to be interned */
    uint32_t domain;
};
/* The path's account in this thread's ledger; NULL: do not record. */
struct account *event_open(struct path path) at_cold;
/* A block of the account, whichever thread's, is gone; and it is not after
 * all. */
/* `number` is generation_number() from before the account was read. Gives the
 * account that it was subtracted from, or account_forgotten(). */
struct account *event_subtract(struct account *account, size_t size,
                               uint32_t number);
/* False: it was forgotten meanwhile. */
bool event_unsubtract(struct account *account, size_t size) at_cold;
/* A block of the account has lost so many bytes, but is still there. */
void event_shrink(struct account *account, size_t size, uint32_t number);
/* The same for what a sampled block stands for. */
struct account *event_subtract_share(struct account *account,
                                     struct sample_share share,
                                     uint32_t number);
bool event_unsubtract_share(struct account *account,
                            struct sample_share share) at_cold;
/* The account to count a tracked block in: not the one that was found for it
 * if the thread has left that one's ledger. NULL: nothing is traced any more,
 * or it is dropped, as it is not known what it was, or there is no memory. */
struct account *event_settle(struct account *account, size_t size);
/* A block has been resized, or could not be: `block` is what realloc gave. */
void event_resized(const void *old, struct taken taken, const void *block,
                   size_t size) at_cold;
void event_drop(size_t size) at_cold; /* counts what cannot be recorded */
void event_forget_drops(void);        /* counts from 0 again */
/* The real allocator gave NULL, with errno; or `error` says why. Returns NULL,
 * to be a tail call. */
void *event_refuse(size_t size) at_cold;
void *event_refuse_as(size_t size, int error) at_cold;
extern void (*at_on_refusal)(void); /* NULL: nothing to be done */
/* Removes a block that may have to come back (realloc), and puts it back. */
struct taken event_take(const void *block);
void event_restore(const void *block, struct taken taken) at_cold;
extern uint64_t at_collisions;     /* found by verifying */
extern uint64_t at_dropped_blocks; /* what could not be recorded */
extern uint64_t at_dropped_bytes;

/* watch.c: the last blocks of a thread that samples. See there. */
/* From now on they are known. False: so far they were not. */
bool watch_begin(void);
void watch_clear(void); /* those from now on alone are */
void *watch_note(void *block, size_t size, uint32_t domain); /* the block */
const struct watched *watch_find(const void *block);         /* NULL: none */
void watch_forget(const void *block);

/* domain.c */
struct domain {
    const char *name; /* interned */
    uint32_t string;  /* its id */
};
extern struct vector at_domains; /* of those with names */
/* Number n of them has the id NAMED_DOMAINS + n (format.h says so too). */
#define NAMED_DOMAINS 0x80000000u
/* Blocks of the heap that operator new took from it without malloc: shown as
 * domain 0, but freed by operator delete. */
#define DOMAIN_DIRECT 0xffffffffu
uint32_t domain_intern(const char *name); /* 0: no memory */
uint32_t domain_find(const char *name);   /* 0: there is none */
/* A path for an entry's `site`, tagged, to be completed by a domain. */
struct path domain_path(uint64_t site, uint32_t domain);
/* Its account; NULL: do not record. */
struct account *domain_account(struct path path);
/* Does the account's path go through the path of that hash? Looks at few
 * frames if it does, at all if not. */
bool domain_is_below(const struct account *account, uint64_t hash);
/* Is that known of no account, as the path is not kept to its hash? */
bool domain_is_vague(uint64_t hash);

/* tracked.c: blocks of domains other than 0. Any thread that is not busy. */
/* Enters a block, counted in an account of this thread; one at the same
 * address in the same domain goes. False: no memory. */
bool tracked_add(struct account *account, uintptr_t address, size_t size);
/* The same for one that was removed, and should not have been. */
bool tracked_put_back(struct account *account, uintptr_t address, size_t size);
/* Removes a block and subtracts it. Account NULL: there is none. */
struct taken tracked_remove(uint32_t domain, uintptr_t address);
/* A block in a domain; account NULL: there is none. */
struct taken tracked_find_in(uint32_t domain, uintptr_t address);
/* Its account; NULL: there is none. */
const struct account *tracked_get(uint32_t domain, uintptr_t address);
/* The smallest block at the address in a named domain; account NULL: none. */
struct taken tracked_find(uintptr_t address);
struct taken tracked_find_any(uintptr_t address); /* in any domain */
/* Where a walk over all of them is; begins zeroed. */
struct tracked_walk {
    unsigned shard;
    uint64_t hash; /* what of it is above the shard's bits: the next one */
};
/* Fills in up to n blocks; says how many. 0: that was all. One that stays is
 * met once. Any thread, also in a signal handler if not lock_is_held. */
size_t tracked_walk_next(struct tracked_walk *walk, struct block *blocks,
                         size_t n);
void tracked_lock_all(void); /* around fork */
void tracked_unlock_all(void);
/* Forgets the blocks of the chunks whose bits are set. */
void tracked_sweep(const uint64_t *gone);

/* sweep.c */
void sweep_retired(void);    /* makes memory of earlier generations usable */
void sweep_after_fork(void); /* in the child; locked */

/* sampled.c: blocks of the heap that are sampled. */
/* Counts and enters a block that was chosen. Returns it, to be a tail call. */
void *sampled_add(struct account *account, void *block, size_t size) at_cold;
/* Is a block of another domain than 0 not to be recorded? Counts it. */
bool sampled_skips(uint32_t domain, const void *block, size_t size);
/* Removes a block that was sampled, as event_take and event_restore. */
struct taken sampled_take(const void *block) at_cold;
void sampled_restore(const void *block, struct taken taken) at_cold;
/* mapping.c: what the program maps itself. */
void mapping_lock(void); /* around fork */
void mapping_unlock(void);

/* module.c: the loaded files. Under the dump lock. */
struct module {
    uint64_t begin;             /* first address */
    uint64_t end;               /* one past the last */
    uint64_t bias;              /* address in memory minus that in the file */
    const char *path;           /* until they are read anew */
    uint32_t build_id_size;     /* bytes; 0 = none */
    unsigned char build_id[32]; /* GNU's have 8, 16 or 20 */
};
/* Reads them anew; ids are 1..result. */
uint32_t module_read(void);
const struct module *module_at(uint32_t id);
uint32_t module_of(uint64_t address); /* 0 = none */

/* gone.c: files that were unloaded. */
extern struct vector at_gone; /* of struct module */
/* The file there is about to go. Under both locks. */
void gone_add(const void *address);

/* target.c: the file a dump goes to. */
struct target {
    int fd;               /* -1 = none is open */
    bool is_temporary;    /* to be renamed */
    char path[4096];      /* final name, patterns expanded */
    char temporary[4096]; /* name it is written under */
};
int target_open(struct target *target, const char *pattern,
                uint32_t sequence); /* 0 or errno */
/* Gives the file its name, or removes it after an error. 0 or errno. */
int target_close(struct target *target, int error);

/* dump.c, with describe.c: under the dump lock. 0 or errno. */
int dump_write(int fd, uint32_t sequence, const char *reason);
struct dump_memory {
    void *bytes; /* to be given to writer_release */
    size_t size;
};
int dump_write_memory(struct dump_memory *memory);

/* extract.c: under the dump lock. 0 or errno. */
/* A live block, of which alone there is to be a dump. */
struct dump_block {
    uint32_t traceback_id; /* not 0 */
    uint32_t domain;       /* as dumps show it */
    size_t size;
};
int extract_block(struct dump_memory *memory, const struct dump_block *block);

/* request.c */
/* Writes a dump, after those that other threads are writing. Any thread; in a
 * signal handler EBUSY if the thread holds a lock that dumps need. 0 or errno,
 * which has been reported. */
int init_dump(const char *pattern, const char *reason);
/* The same, but not after the dump at the end: the process may be over any
 * moment, and would leave half a file. */
int request_dump_unasked(const char *pattern, const char *reason);
/* The same as the first without a name, and hence without a number, and without a word of
 * what was wrong: to a descriptor, to memory, of one block. */
int request_dump_to(int fd);
int request_dump_to_memory(struct dump_memory *memory);
int request_dump_of(const struct dump_block *block,
                    struct dump_memory *memory);
/* Has the signal ALLOCTRACE_SIGNAL write dumps from now on. */
void request_catch(void);
/* Writes the dump at the end; signals ask for no more. */
void request_finish(const char *reason);
void request_forked(void); /* in the child; under at_lock */
void request_in_child(void); /* later: its dumps have names of their own now */

/* automatic.c: dumps beside the one at exit. */
void automatic_init(void);
void automatic_in_child(void);
int automatic_dump(const char *reason); /* 0 or errno */

/* ending.c: any thread, any signal handler. */
void ending_init(void);
void ending_in_child(void);
void ending_dump(const char *reason); /* the last one, unless it is written */

/* shortage.c */
void shortage_init(void);
void shortage_in_child(void);

/* interval.c */
void interval_init(void); /* once a process: starts the thread */
/* The first multiple of `interval` after `last` that is not over. */
uint64_t interval_next(uint64_t now, uint64_t last, uint64_t interval);
/* Nanoseconds to wait with `left` bytes to go, when `grown` came in the last
 * pause and to add up took `cost`. */
uint64_t interval_pause(uint64_t left, uint64_t grown, uint64_t pause,
                        uint64_t cost);

/* trigger.c: once tracing is on; later calls do nothing. */
void trigger_init(void);

/* life.c: what alloctrace.h says of start, stop, clear_traces, reset_peak.
 * 0 or what alloctrace.h says. */
int life_start(int n_frames);
int life_stop(void);
int life_clear(void);
int life_reset_peak(void);

/* No file of the runtime but os_linux.c, real.c, interpose.c and alloc.c may
 * name what allocates or may do so. */
#ifndef AT_NAMES_THE_ALLOCATOR
#pragma GCC poison malloc calloc realloc free strdup printf fprintf snprintf
#pragma GCC poison fopen getenv qsort strerror perror
#endif

#endif
