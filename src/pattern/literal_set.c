#include "pattern/literal_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Literals of four bytes and more, of two or three, of one. */
enum { GROUPS = 3, FILTER_BITS_EACH = 16, FEW = 1024, FILTER_BITS_EACH_OF_FEW = 64, COUNTS_EACH = 4, STRIDE_MAX = 4 };

/* A literal, and the place in it of the bytes that it is filed under. */
struct entry {
    uint32_t gram;
    uint32_t offset;
    uint32_t number;
    uint32_t len;
    const char *text;
    enum literal_anchor anchor;
};

/* Literals that are filed under so many bytes. */
struct gram_index {
    struct entry *entries; /* by gram */
    uint32_t count;
    uint32_t width; /* bytes of a gram */
    uint32_t stride; /* places from one look to the next; a literal is filed under as many of its bytes */
    unsigned filter_shift, table_shift; /* from a hash of 32 bits to a place */
    uint64_t *filter;
    uint32_t *table; /* the first entry of a gram + 1; open addressing */
    uint32_t table_mask;
};

struct literal_set {
    struct gram_index groups[GROUPS];
};

static inline uint32_t gram_at(const char *at, uint32_t width)
{
    uint32_t gram = 0;
    memcpy(&gram, at, width);
    return gram;
}

static inline uint32_t mix(uint32_t gram)
{
    return gram * UINT32_C(0x9e3779b1);
}

static unsigned log2_up(uint64_t n)
{
    unsigned bits = 0;
    while ((UINT64_C(1) << bits) < n)
        bits++;
    return bits;
}

/* ---- building ---- */

static unsigned group_of(struct slice text)
{
    return text.len >= 4 ? 0 : text.len >= 2 ? 1 : 2;
}

/* How many literals have bytes like these somewhere, about. */
struct gram_counts {
    uint16_t *counts;
    unsigned shift;
};

static void count_grams(struct gram_counts *counts, const struct literal *list, uint32_t count,
                        unsigned group, uint32_t width)
{
    for (uint32_t i = 0; i < count; i++)
        for (size_t at = 0; group_of(list[i].text) == group && at + width <= list[i].text.len; at++) {
            uint16_t *n = &counts->counts[mix(gram_at(list[i].text.ptr + at, width)) >> counts->shift];
            if (*n < UINT16_MAX)
                ++*n;
        }
}

/* The place from which on so many that follow one another are rarest. */
static uint32_t rarest(const struct gram_counts *counts, struct slice text, uint32_t width, uint32_t stride)
{
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t at = 0; at + stride - 1 + width <= text.len; at++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < stride; i++)
            sum += counts->counts[mix(gram_at(text.ptr + at + i, width)) >> counts->shift];
        if (sum < least) {
            least = sum;
            best = at;
        }
    }
    return best;
}

static int by_gram(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->gram != y->gram)
        return x->gram < y->gram ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Counts the literals of a group and their bytes. The shortest says how far looks may be apart; while literals are few,
 * three bytes say enough, and looks are fewer. */
static uint32_t measure(struct gram_index *index, const struct literal *list, uint32_t count, unsigned group,
                        size_t *bytes)
{
    static const uint32_t widths[GROUPS] = {4, 2, 1};
    size_t least = SIZE_MAX;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        if (group_of(list[i].text) == group) {
            found++;
            *bytes += list[i].text.len;
            least = list[i].text.len < least ? list[i].text.len : least;
        }
    bool narrow = group == 0 && found <= FEW && least < STRIDE_MAX + 3;
    index->width = narrow ? 3 : widths[group];
    index->stride = least > STRIDE_MAX + index->width - 1 ? STRIDE_MAX : (uint32_t)least - index->width + 1;
    return found;
}

static int file_literals(struct gram_index *index, struct arena *arena, const struct literal *list,
                         uint32_t count, unsigned group)
{
    size_t bytes = 0;
    uint32_t found = measure(index, list, count, group, &bytes), width = index->width, stride = index->stride;
    if (!found)
        return 0;
    unsigned bits = log2_up(COUNTS_EACH * bytes);
    struct gram_counts counts = {.shift = 32 - (bits < 8 ? 8 : bits > 22 ? 22 : bits)};
    counts.counts = arena_array(arena, (size_t)1 << (32 - counts.shift), sizeof(*counts.counts));
    index->entries = arena_array(arena, (size_t)found * stride, sizeof(*index->entries));
    if (!counts.counts || !index->entries)
        return -1;
    count_grams(&counts, list, count, group, width);
    for (uint32_t i = 0; i < count; i++) {
        struct slice text = list[i].text;
        if (group_of(text) != group)
            continue;
        uint32_t at = rarest(&counts, text, width, stride);
        for (uint32_t end = at + stride; at < end; at++)
            index->entries[index->count++] = (struct entry){
                gram_at(text.ptr + at, width), at, i, (uint32_t)text.len, text.ptr, list[i].anchor};
    }
    arena_give_back(arena, counts.counts);
    qsort(index->entries, index->count, sizeof(*index->entries), by_gram);
    return 0;
}

static int make_index(struct gram_index *index, struct arena *arena)
{
    if (!index->count)
        return 0;
    uint64_t bits_each = index->count <= FEW ? FILTER_BITS_EACH_OF_FEW : FILTER_BITS_EACH; /* as the cache allows */
    unsigned filter_bits = log2_up(bits_each * index->count);
    unsigned table_bits = log2_up(2 * (uint64_t)index->count);
    filter_bits = filter_bits < 8 ? 8 : filter_bits;
    table_bits = table_bits < 4 ? 4 : table_bits;
    index->filter_shift = 32 - filter_bits;
    index->table_shift = 32 - table_bits;
    index->table_mask = (UINT32_C(1) << table_bits) - 1;
    index->filter = arena_calloc(arena, ((size_t)1 << filter_bits) / 8);
    index->table = arena_array(arena, (size_t)1 << table_bits, sizeof(*index->table));
    if (!index->filter || !index->table)
        return -1;
    for (uint32_t i = 0; i < index->count; i++) {
        if (i && index->entries[i].gram == index->entries[i - 1].gram)
            continue;
        uint32_t hash = mix(index->entries[i].gram);
        uint32_t bit = hash >> index->filter_shift, place = hash >> index->table_shift;
        index->filter[bit >> 6] |= UINT64_C(1) << (bit & 63);
        while (index->table[place])
            place = (place + 1) & index->table_mask;
        index->table[place] = i + 1;
    }
    return 0;
}

int literal_set_build(struct arena *arena, const struct literal *list, uint32_t count,
                      const struct literal_set **out)
{
    struct literal_set *set = arena_calloc(arena, sizeof(*set));
    *out = set;
    if (!set)
        return -1;
    for (unsigned i = 0; i < GROUPS; i++)
        if (file_literals(&set->groups[i], arena, list, count, i) < 0 || make_index(&set->groups[i], arena) < 0)
            return -1;
    return 0;
}

/* ---- scanning ---- */

int literal_scan_init(struct literal_scan *scan, struct arena *arena, uint32_t size)
{
    *scan = (struct literal_scan){.size = size};
    scan->found = arena_array(arena, size + 1U, sizeof(*scan->found));
    scan->stamps = arena_array(arena, size + 1U, sizeof(*scan->stamps));
    return scan->found && scan->stamps ? 0 : -1;
}

/* Whether the literal that has these bytes at its offset stands around place at. */
static bool stands(const struct entry *entry, struct slice text, size_t at)
{
    if (at < entry->offset)
        return false;
    size_t start = at - entry->offset;
    if (entry->len > text.len - start || (entry->anchor == LITERAL_AT_START && start) ||
        (entry->anchor == LITERAL_AT_END && start + entry->len != text.len))
        return false;
    return memcmp(text.ptr + start, entry->text, entry->len) == 0;
}

static void compare_at(const struct gram_index *index, uint32_t gram, struct slice text, size_t at,
                       struct literal_scan *scan)
{
    uint32_t place = mix(gram) >> index->table_shift;
    while (index->table[place] && index->entries[index->table[place] - 1].gram != gram)
        place = (place + 1) & index->table_mask;
    if (!index->table[place])
        return;
    for (uint32_t i = index->table[place] - 1; i < index->count && index->entries[i].gram == gram; i++) {
        const struct entry *entry = &index->entries[i];
        if (scan->stamps[entry->number] == scan->stamp || !stands(entry, text, at))
            continue;
        scan->stamps[entry->number] = scan->stamp;
        scan->found[scan->count++] = entry->number;
    }
}

static inline void look_at(const struct gram_index *index, uint32_t gram, struct slice text, size_t at,
                           struct literal_scan *scan)
{
    uint32_t bit = mix(gram) >> index->filter_shift;
    if (UNLIKELY((index->filter[bit >> 6] >> (bit & 63)) & 1))
        compare_at(index, gram, text, at, scan);
}

/* Four bytes are read at a time where they are there: that takes one instruction. */
static inline void scan_group(const struct gram_index *index, uint32_t width, struct slice text,
                              struct literal_scan *scan)
{
    uint32_t mask = UINT32_MAX >> (32 - 8 * width);
    size_t at = 0, stride = index->stride;
    for (; at + 4 <= text.len; at += stride)
        look_at(index, gram_at(text.ptr + at, 4) & mask, text, at, scan);
    for (; at + width <= text.len; at += stride)
        look_at(index, gram_at(text.ptr + at, width), text, at, scan);
}

void literal_set_scan(const struct literal_set *set, struct slice text, struct literal_scan *scan)
{
    const struct gram_index *long_ones = &set->groups[0];
    scan->count = 0;
    if (++scan->stamp == 0) {
        memset(scan->stamps, 0, scan->size * sizeof(*scan->stamps));
        scan->stamp = 1;
    }
    if (long_ones->count && long_ones->width == 4)
        scan_group(long_ones, 4, text, scan);
    else if (long_ones->count)
        scan_group(long_ones, 3, text, scan);
    if (set->groups[1].count)
        scan_group(&set->groups[1], 2, text, scan);
    if (set->groups[2].count)
        scan_group(&set->groups[2], 1, text, scan);
}
