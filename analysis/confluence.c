/* SPDX-License-Identifier: MIT */
/*
 * Several sorted sources become one (run.h says why that works): a heap has
 * the source with the least item on top. Time n log k for n items of k
 * sources, no memory.
 */
#include "run.h"

int at_item_compare(const struct at_item *left, const struct at_item *right)
{
    if (left->depth != right->depth)
        return left->depth > right->depth ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->kind == AT_ITEM_PATH)
        return (left->frame > right->frame) - (left->frame < right->frame);
    if (left->trace.thread != right->trace.thread)
        return left->trace.thread < right->trace.thread ? -1 : 1;
    return (left->trace.domain > right->trace.domain) -
           (left->trace.domain < right->trace.domain);
}

/* ---- Adding up ---- */

/* Inserts a class, or adds to it. There is room for all of them. */
static void size_add(struct at_item *sum, const struct at_item_size *size)
{
    uint32_t i = 0;

    while (i < sum->n_sizes && sum->sizes[i].number < size->number)
        i++;
    if (i < sum->n_sizes && sum->sizes[i].number == size->number) {
        sum->sizes[i].blocks += size->blocks;
        sum->sizes[i].bytes += size->bytes;
        return;
    }
    for (uint32_t k = sum->n_sizes++; k > i; k--)
        sum->sizes[k] = sum->sizes[k - 1];
    sum->sizes[i] = *size;
}

static void item_add(struct at_item *sum, const struct at_item *item)
{
    if (sum->kind == AT_ITEM_PATH) {
        if (sum->left_out < item->left_out)
            sum->left_out = item->left_out;
        return;
    }
    at_trace_add(&sum->trace, &item->trace);
    if (!sum->tally.is_there)
        sum->tally = item->tally;
    else if (item->tally.is_there)
        at_tally_add(&sum->tally, &item->tally.detail, item->tally.has_range);
    for (uint32_t i = 0; i < item->n_sizes; i++)
        size_add(sum, &item->sizes[i]);
}

/* ---- The heap ---- */

static bool is_before(struct at_source *const *heap, size_t a, size_t b)
{
    return at_item_compare(&heap[a]->item, &heap[b]->item) < 0;
}

static void swap(struct at_source **heap, size_t a, size_t b)
{
    struct at_source *source = heap[a];

    heap[a] = heap[b];
    heap[b] = source;
}

static void sift_down(struct at_source **heap, size_t n, size_t i)
{
    for (;;) {
        size_t least = i;

        if (2 * i + 1 < n && is_before(heap, 2 * i + 1, least))
            least = 2 * i + 1;
        if (2 * i + 2 < n && is_before(heap, 2 * i + 2, least))
            least = 2 * i + 2;
        if (least == i)
            return;
        swap(heap, i, least);
        i = least;
    }
}

static void sift_up(struct at_source **heap, size_t i)
{
    while (i > 0 && is_before(heap, i, (i - 1) / 2)) {
        swap(heap, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

/* Takes the top off; it stands behind the rest then. */
static void heap_take(struct at_source **heap, size_t *n)
{
    swap(heap, 0, --*n);
    sift_down(heap, *n, 0);
}

/* Puts back the sources from `n` on after they went on to their next items.
 * Those at their ends are dropped. */
static int heap_return(struct at_source **heap, size_t *n, size_t n_all)
{
    for (size_t i = *n; i < n_all; i++) {
        struct at_source *source = heap[i];
        const int result = source->next(source);

        if (result)
            return result;
        if (source->is_end)
            continue;
        heap[*n] = source;
        sift_up(heap, (*n)++);
    }
    return 0;
}

int at_confluence(struct at_source **sources, size_t n, struct at_sink *sink)
{
    size_t n_left = 0;

    for (size_t i = 0; i < n; i++)
        if (!sources[i]->is_end)
            sources[n_left++] = sources[i];
    for (size_t i = n_left / 2; i-- > 0;)
        sift_down(sources, n_left, i);
    n = n_left;
    while (n > 0) {
        const size_t n_all = n;
        struct at_item *sum = &sources[0]->item;
        int result;

        heap_take(sources, &n);
        while (n > 0 && at_item_compare(&sources[0]->item, sum) == 0) {
            item_add(sum, &sources[0]->item);
            heap_take(sources, &n);
        }
        result = sink->put(sink, sum);
        if (!result)
            result = heap_return(sources, &n, n_all);
        if (result)
            return result;
    }
    return 0;
}
