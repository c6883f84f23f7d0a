/* SPDX-License-Identifier: MIT */
/*
 * What is known of allocated objects in C. Behind each call: the type with
 * its size, the destination, and R if the result is returned; ? = unknown.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conn { char *rbuf; int fd; struct conn *next; };
typedef struct { int a, b; } pair;
typedef struct list_tag { struct list_tag *next; long value; } list;
struct node { double weight; struct node *children[2]; };
struct vec { struct node **items; int n, capacity; };
struct flex { int n; long values[]; };
struct header { size_t size; struct header *next; };
union value { int i; double d; char text[16]; };
enum colour { RED, GREEN };
struct base { int tag; };
struct derived { struct base base; long extra[4]; };
struct inner { void *data; };
struct outer { struct { char *name; } anonymous; union { int *numbers; };
               struct inner inner[3]; uint32_t *words; };
struct opaque;
typedef char *text;
typedef int (*compare)(const void *, const void *);

static void *volatile sink;
static volatile int zero;
static struct conn *global;
static pair *table[4];
static struct { char *name; pair *pairs[2]; } entries[3];

#define KEEP(p) (sink = (void *)(uintptr_t)(p))
#define NEW(T) ((T *)malloc(sizeof(T)))

/* Wrappers: the object is the caller's. */
__attribute__((noipa)) static void *xmalloc(size_t n)
{
    void *p = malloc(n); /* = ?, p, R */

    if (!p)
        abort();
    return p;
}

static inline void *inlined(size_t n)
{
    void *p = malloc(n); /* = ?, p, R */

    if (!p)
        abort();
    return p;
}

__attribute__((always_inline)) static inline void *always(size_t n)
{
    return inlined(n + 1); /* = ?, ?, R */
}

__attribute__((noipa)) static void *zeroed(size_t n)
{
    return memset(xmalloc(n), 0, n); /* = ?, ?, R */
}

__attribute__((noipa)) static void *chooses(int which, size_t n)
{
    void *p;

    if (which)
        p = malloc(n); /* = ?, p, R */
    else
        p = calloc(1, n); /* = ?, p, R */
    return p;
}

__attribute__((noipa)) static int by_pointer(size_t n, void **out)
{
    void *p = malloc(n); /* = ?, p, R */

    *out = p;
    return p == NULL;
}

/* A hidden header: what is returned is not what is allocated. */
__attribute__((noipa)) static void *counted(size_t n)
{
    size_t *p = malloc(sizeof *p * 2 + n); /* = ?, p, R */

    p[0] = n;
    return p + 2;
}

__attribute__((noipa)) static void *with_header(size_t n)
{
    struct header *h = malloc(sizeof *h + n); /* = struct header (16), h, R */

    h->size = n;
    return h + 1;
}

__attribute__((noipa)) static struct conn *conn_new(int fd)
{
    struct conn *c = xmalloc(sizeof *c); /* = struct conn (24), c, R */

    c->fd = fd;
    return c;
}

__attribute__((noipa)) static char *copy(const char *s)
{
    return strdup(s); /* = char (1), ?, R */
}

__attribute__((noipa)) static void take(struct node *node)
{
    KEEP(node);
}

__attribute__((noipa)) static void take_any(void *p)
{
    KEEP(p);
}

/* The first argument of a realloc of one's own is no object. */
__attribute__((noipa)) static void *state_realloc(struct vec *state, void *p,
                                                  size_t n)
{
    state->n++;
    return realloc(p, n); /* = ?, ?, R */
}

__attribute__((noipa)) static void *grown(struct vec *state, void *p, size_t n)
{
    void *larger = state_realloc(state, p, n); /* = ?, larger, R */

    if (larger == NULL)
        larger = state_realloc(state, p, n / 2);
    return larger;
}

/* A hidden header where nothing but NULL may be returned as it is. */
__attribute__((noipa)) static void *recounted(void *old, size_t n)
{
    long *p = old;

    if (p)
        p--;
    p = realloc(p, n + 8); /* = ?, p, R */
    if (p) {
        p[0] = n;
        p++;
    } else {
        zero = 0;
    }
    return p;
}

__attribute__((noinline)) static void *hand_through(void *p, size_t n)
{
    zero += n == 1;
    return p;
}

__attribute__((noipa)) static void *usable(size_t n)
{
    void *p = malloc(n); /* = ?, p, R */

    return hand_through(p, n);
}

static void *(*volatile allocate)(size_t) = xmalloc;
static struct { void *(*alloc)(size_t n); } methods = {xmalloc};

static void plain(int n)
{
    struct conn *c = malloc(sizeof *c); /* = struct conn (24), c */
    const struct conn *k = malloc(sizeof *k); /* = struct conn (24), k */
    pair *p = calloc(n, sizeof *p); /* = pair (8), p */
    list *l = malloc(sizeof(list)); /* = struct list_tag (16), l */
    int *i = malloc(n * sizeof *i); /* = int (4), i */
    uint32_t *w = malloc(n * sizeof *w); /* = uint32_t (4), w */
    unsigned long long *u = malloc(80); /* = long long unsigned int (8), u */
    double *d = aligned_alloc(64, 128); /* = double (8), d */
    char *s = malloc(n); /* = char (1), s */
    text t = malloc(n); /* = char (1), t */
    enum colour *e = malloc(n * sizeof *e); /* = enum colour (4), e */
    union value *v = malloc(sizeof *v); /* = union value (16), v */
    compare *f = malloc(n * sizeof *f); /* = compare (8), f */
    void (**g)(int) = malloc(n * sizeof *g); /* = void (*)(int) (8), g */
    int (*m)[4] = malloc(n * sizeof *m); /* = int [4] (16), m */
    struct opaque *o = malloc(n); /* = struct opaque, o */
    struct { int x, y; } *a = malloc(sizeof *a); /* = struct {...} (8), a */

    KEEP(c); KEEP(k); KEEP(p); KEEP(l); KEEP(i); KEEP(w); KEEP(u); KEEP(d);
    KEEP(s); KEEP(t); KEEP(e); KEEP(v); KEEP(f); KEEP(g); KEEP(m); KEEP(o);
    KEEP(a);
}

static void pointers(int n)
{
    struct node *row[3];
    struct node **v = malloc(n * sizeof *v); /* = struct node * (8), v */
    char **names = calloc(n, sizeof *names); /* = char * (8), names */
    struct conn ***deep = malloc(n * 8); /* = struct conn ** (8), deep */
    const char **c = malloc(n * 8); /* = const char * (8), c */

    row[1] = malloc(sizeof(struct node)); /* = struct node (24), row[1] */
    v[n - 1] = malloc(sizeof **v); /* = struct node (24), v[n - 1] */
    names[1] = malloc(n + 1); /* = char (1), names[1] */
    /* `names[0]` is the same to GCC. */
    *names = strdup("x"); /* = char (1), *names */
    *deep = malloc(n * 8); /* = struct conn * (8), *deep */
    deep[0][n] = NULL;
    *deep[0] = malloc(24); /* = struct conn (24), **deep */
    KEEP(row[1]); KEEP(v); KEEP(names); KEEP(deep); KEEP(c);
}

static void members(struct conn *conn, struct outer *o, int i)
{
    struct vec v = {0};

    conn->rbuf = malloc(100); /* = char (1), conn->rbuf */
    conn->next = malloc(sizeof *conn->next); /* = struct conn (24), conn->next */
    conn->next->next = xmalloc(24); /* = struct conn (24), conn->next->next */
    o->anonymous.name = strdup("n"); /* = char (1), o->anonymous.name */
    o->numbers = malloc(8); /* = int (4), o->numbers */
    o->inner[i].data = malloc(8); /* = ?, o->inner[i].data */
    o->inner[2].data = malloc(8); /* = ?, o->inner[2].data */
    o->words = malloc(4 * i); /* = uint32_t (4), o->words */
    v.items = malloc(8 * sizeof *v.items); /* = struct node * (8), v.items */
    v.items[v.n++] = xmalloc(24); /* = struct node (24), v.items[v.n] */
    global = malloc(sizeof *global); /* = struct conn (24), global */
    table[i] = malloc(sizeof *table[i]); /* = pair (8), table[i] */
    entries[i].name = malloc(i + 7); /* = char (1), entries[i].name */
    entries[2].pairs[i] = malloc(8); /* = pair (8), entries[2].pairs[i] */
    conn[i].rbuf = malloc(100); /* = char (1), conn[i].rbuf */
    table[3] = malloc(sizeof *table[3]); /* = pair (8), table[3] */
    KEEP(conn); KEEP(o); KEEP(v.items); KEEP(global); KEEP(table);
    KEEP(entries);
}

static void grows(struct vec *v, int **numbers, int n)
{
    void *q;
    char *p = malloc(4); /* = char (1), p */

    v->items = realloc(v->items, n * 8); /* = struct node * (8), v->items */
    *numbers = realloc(*numbers, n * 4); /* = int (4), *numbers */
    q = realloc(v->items, n * 16); /* = struct node * (8), q */
    if (q)
        v->items = q;
    p = realloc(p, n); /* = char (1), p */
    *numbers = reallocarray(*numbers, n, 4); /* = int (4), *numbers */
    KEEP(v); KEEP(*numbers); KEEP(p);
}

static void flexible(int n)
{
    struct flex *f = malloc(sizeof *f + n * 8); /* = struct flex (8), f */
    struct conn *more = malloc(sizeof *more + 100); /* = struct conn (24), more */
    struct flex *fixed = malloc(sizeof *f + 64); /* = struct flex (8), fixed */

    f->n = n;
    KEEP(f); KEEP(more); KEEP(fixed);
}

static void conditional(int n)
{
    struct node *p = n > 1 ? malloc(24) : NULL; /* = struct node (24), p */
    struct conn *c = NULL;
    char buffer[8];
    char *s = n > 100 ? buffer : malloc(n); /* = char (1), s */

    if (n > 2)
        c = malloc(sizeof *c); /* = struct conn (24), c */
    if (c && (c->rbuf = malloc(n)) == NULL) /* = char (1), c->rbuf */
        abort();
    KEEP(p); KEEP(c); KEEP(s);
}

static void casts(void)
{
    struct node *n = (struct node *)xmalloc(24); /* = struct node (24), n */
    pair *p = NEW(pair); /* = pair (8), p */
    long l = (long)malloc(8); /* = ?, ? */
    struct base *b = malloc(sizeof(struct derived)); /* = struct derived (40), b */
    struct derived *d = (struct derived *)b;
    void *raw = malloc(sizeof(struct conn)); /* = struct conn (24), raw */
    struct conn *c = raw;
    void *both = malloc(64); /* = ?, both */
    struct node *x = both;
    struct flex *y = both;

    c->fd = 1;
    KEEP(n); KEEP(p); KEEP(l); KEEP(d); KEEP(c); KEEP(x); KEEP(y);
}

static void unknown(int n)
{
    void *p = malloc(n); /* = ?, p */
    void *q = xmalloc(n); /* = ?, q */

    take_any(malloc(n)); /* = ?, ? */
    memcpy(q, "abc", 3);
    KEEP(strlen(q)); KEEP(p); KEEP(q);
}

/* What stands behind something else is not the object. */
static void trailer(int n)
{
    void *page = xmalloc(n + sizeof(struct conn)); /* = ?, page */
    struct conn *behind = (struct conn *)((char *)page + n * 2);
    void *array = xmalloc(n * sizeof(struct node)); /* = struct node (24), array */

    KEEP(&behind->next);
    ((struct node *)array)[n - 1].weight = 1;
    KEEP(page);
    KEEP(array);
}

static void arguments(int n)
{
    take(malloc(sizeof(struct node))); /* = struct node (24), ? */
    take(xmalloc(n)); /* = struct node (24), ? */
    take(inlined(24)); /* = struct node (24), ? */
}

static void wrapped(int n)
{
    struct conn *a = xmalloc(sizeof *a); /* = struct conn (24), a */
    struct node *b = inlined(sizeof *b); /* = struct node (24), b */
    pair *c = always(n * sizeof *c); /* = pair (8), c */
    struct conn *d = conn_new(3); /* = struct conn (24), d */
    char *e = copy("e"); /* = char (1), e */
    list *f = allocate(sizeof *f); /* = struct list_tag (16), f */
    list *g = methods.alloc(sizeof *g); /* = struct list_tag (16), g */
    struct node *h = counted(24); /* = struct node (24), h */
    struct node *i = with_header(24); /* = struct node (24), i */
    struct vec *j = zeroed(sizeof *j); /* = struct vec (16), j */
    struct vec *k = chooses(n > 1, 16); /* = struct vec (16), k */
    struct vec *l = chooses(n < 1, 16); /* = struct vec (16), l */
    struct node *m;

    struct vec *o = grown(j, NULL, 16); /* = struct vec (16), o */
    struct vec *q = recounted(NULL, 16); /* = struct vec (16), q */
    struct vec *r = usable(16); /* = struct vec (16), r */

    by_pointer(24, (void **)&m); /* = struct node (24), m */
    KEEP(a); KEEP(b); KEEP(c); KEEP(d); KEEP(e); KEEP(f); KEEP(g); KEEP(h);
    KEEP(i); KEEP(j); KEEP(k); KEEP(l); KEEP(m); KEEP(o); KEEP(q); KEEP(r);
}

static void aligned(struct conn *conn)
{
    struct node *n;
    void *p;
    double *d;

    if (posix_memalign((void **)&n, 64, 24)) /* = struct node (24), n */
        abort();
    if (posix_memalign((void **)&conn->next, 64, 24)) /* = struct conn (24), conn->next */
        abort();
    if (posix_memalign(&p, 64, 80)) /* = double (8), p */
        abort();
    d = p;
    KEEP(n); KEEP(d); KEEP(conn);
}

/* GCC makes a calloc of it. */
static void cleared(int n)
{
    struct node *p = malloc(n * 24); /* = struct node (24), p */

    if (p)
        memset(p, 0, n * 24);
    KEEP(p);
}

int main(int argc, char **argv)
{
    struct conn conn[2] = {0};
    struct outer outer = {0};
    struct vec vec = {0};
    int *numbers = NULL;
    int n = argc + 3 + zero;

    (void)argv;
    plain(n);
    pointers(n);
    members(conn, &outer, 1 + zero);
    grows(&vec, &numbers, n);
    flexible(n);
    conditional(n);
    casts();
    unknown(n);
    trailer(n);
    arguments(n);
    wrapped(n);
    aligned(conn);
    cleared(n);
    return 0;
}
