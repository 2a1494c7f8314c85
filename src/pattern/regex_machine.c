#include "pattern/regex_machine_inside.h"

#include "base/bits.h"

void byte_set_add(struct byte_set *set, unsigned char byte)
{
    bits_set(set->bits, byte);
}

void byte_set_add_text(struct byte_set *set, struct slice text)
{
    bool seen[256] = {false}; /* bytes in a row do not wait for one another */
    for (size_t i = 0; i < text.len; i++)
        seen[(unsigned char)text.ptr[i]] = true;
    for (size_t c = 0; c < 256; c++)
        set->bits[c / 64] |= (uint64_t)seen[c] << c % 64;
}

void byte_set_fill(struct byte_set *set)
{
    bits_fill(set->bits, 256);
}

struct regex_machine *regex_machine_new(struct arena *arena)
{
    struct regex_machine *machine = arena_calloc(arena, sizeof(*machine));
    if (!machine)
        return NULL;
    machine->arena = arena;
    machine->byte = arena_array(arena, 256, sizeof(*machine->byte));
    for (int side = 0; side < 2; side++) {
        machine->sides[side].follow =
            arena_array(arena, REGEX_POSITIONS_MAX, sizeof(*machine->sides[side].follow));
        if (!machine->sides[side].follow)
            return NULL;
    }
    return machine->byte ? machine : NULL;
}

/* Backward is forward with the ends exchanged. */
static void turn_around(struct regex_machine *machine)
{
    const struct regex_side *forward = &machine->sides[0];
    struct regex_side *back = &machine->sides[1];
    memcpy(back->start, forward->end, sizeof(back->start));
    memcpy(back->end, forward->start, sizeof(back->end));
    for (uint32_t p = 0; p < machine->count; p++)
        for (uint32_t q = 0; q < machine->count; q++)
            if (bits_get(forward->follow[p], q))
                bits_set(back->follow[q], p);
}

static void find_starts(const struct regex_machine *machine, struct regex_side *side)
{
    side->only_start = -1;
    for (int c = 0; c < 256; c++) {
        uint64_t both = 0;
        for (uint32_t w = 0; w < machine->words; w++)
            both |= side->start[w] & machine->byte[c][w];
        side->starts[c] = both != 0;
    }
}

bool regex_machine_add(struct regex_machine *machine, struct slice pattern)
{
    if (!regex_machine_parse(machine, pattern))
        return false;
    machine->words = (machine->count + 63) / 64;
    turn_around(machine);
    for (int side = 0; side < 2; side++) {
        find_starts(machine, &machine->sides[side]);
        for (int c = 0; c < 256; c++)
            if (regex_machine_starts(machine, side) == 1 && machine->sides[side].starts[c])
                machine->sides[side].only_start = c;
    }
    return true;
}

bool regex_machine_is_closed(const struct regex_machine *machine)
{
    return !machine->open;
}

unsigned regex_machine_starts(const struct regex_machine *machine, bool back)
{
    unsigned count = 0;
    for (int c = 0; c < 256; c++)
        count += machine->sides[back].starts[c];
    return count;
}

static bool meet(const uint64_t *a, const uint64_t *b)
{
    uint64_t both = 0;
    for (size_t w = 0; w < REGEX_POSITION_WORDS; w++)
        both |= a[w] & b[w];
    return both != 0;
}

static void bytes_of(const struct regex_machine *machine, const uint64_t *positions, struct byte_set *out)
{
    *out = (struct byte_set){0};
    for (unsigned c = 0; c < 256; c++)
        if (meet(machine->byte[c], positions))
            byte_set_add(out, (unsigned char)c);
}

unsigned regex_machine_beginning(const struct regex_machine *machine, struct byte_set *places, unsigned most)
{
    const struct regex_side *side = &machine->sides[0];
    uint64_t at[REGEX_POSITION_WORDS], next[REGEX_POSITION_WORDS];
    unsigned count = 0;
    memcpy(at, side->start, sizeof(at));
    while (count < most) {
        bytes_of(machine, at, &places[count++]);
        if (meet(at, side->end))
            break; /* what follows may be anything */
        memset(next, 0, sizeof(next));
        for (uint32_t p = 0; p < machine->count; p++)
            if (bits_get(at, p))
                bits_or(next, side->follow[p], REGEX_POSITIONS_MAX);
        memcpy(at, next, sizeof(at));
    }
    return count;
}

void regex_machine_all(const struct regex_machine *machine, uint64_t out[REGEX_POSITION_WORDS])
{
    memset(out, 0, REGEX_POSITION_WORDS * sizeof(*out));
    bits_fill(out, machine->count);
}

/* ---- walks ---- */

void regex_walk_begin(struct regex_walk *walk, const struct regex_machine *machine, bool back)
{
    *walk = (struct regex_walk){.machine = machine, .back = back};
}

static bool is_live(const struct regex_walk *walk)
{
    uint64_t any = 0;
    for (uint32_t w = 0; w < walk->machine->words; w++)
        any |= walk->live[w];
    return any != 0;
}

/* Inlined, so that the most patterns, which have one word of positions, have no loops over words. */
__attribute__((always_inline)) static inline bool step_words(const struct regex_side *side, uint64_t *live,
                                                             const uint64_t *mask, uint32_t words)
{
    uint64_t next[REGEX_POSITION_WORDS], ends = 0;
    for (uint32_t w = 0; w < words; w++)
        next[w] = side->start[w];
    for (uint32_t w = 0; w < words; w++)
        for (uint64_t left = live[w]; left; left &= left - 1) {
            const uint64_t *follow = side->follow[w * 64 + (uint32_t)__builtin_ctzll(left)];
            for (uint32_t k = 0; k < words; k++)
                next[k] |= follow[k];
        }
    for (uint32_t w = 0; w < words; w++) {
        live[w] = next[w] & mask[w];
        ends |= live[w] & side->end[w];
    }
    return ends != 0;
}

/* One more byte, that may be any position of the mask; whether a match may end with it. */
static inline bool step(const struct regex_machine *machine, const struct regex_side *side,
                        uint64_t *live, const uint64_t *mask)
{
    return machine->words == 1 ? step_words(side, live, mask, 1)
                               : step_words(side, live, mask, machine->words);
}

/* With nothing begun: how many bytes, in the walk's direction, go by before one that may begin. */
static size_t skip(const struct regex_side *side, bool back, struct slice text)
{
    if (side->only_start >= 0) {
        const char *at = back ? memrchr(text.ptr, side->only_start, text.len)
                              : memchr(text.ptr, side->only_start, text.len);
        return !at ? text.len : back ? text.len - 1 - (size_t)(at - text.ptr) : (size_t)(at - text.ptr);
    }
    size_t n = 0;
    while (n < text.len && !side->starts[(unsigned char)text.ptr[back ? text.len - 1 - n : n]])
        n++;
    return n;
}

/* seen: takes all that is live on the way; may be NULL. */
static void walk_text(struct regex_walk *walk, struct slice text, uint64_t *seen)
{
    const struct regex_machine *machine = walk->machine;
    const struct regex_side *side = &machine->sides[walk->back];
    bool live = is_live(walk), back = walk->back;
    walk->hit = false;
    while (text.len) {
        size_t over = live ? 0 : skip(side, back, text);
        text = back ? slice_of(text.ptr, text.len - over) : slice_from(text, over);
        if (!text.len)
            return;
        unsigned char c = (unsigned char)text.ptr[back ? text.len - 1 : 0];
        walk->hit |= step(machine, side, walk->live, machine->byte[c]);
        live = is_live(walk);
        if (seen)
            bits_or(seen, walk->live, machine->words * 64);
        text = back ? slice_of(text.ptr, text.len - 1) : slice_from(text, 1);
    }
}

void regex_walk_text(struct regex_walk *walk, struct slice text)
{
    walk_text(walk, text, NULL);
}

void regex_walk_through(struct regex_walk *walk, struct slice text)
{
    uint64_t seen[REGEX_POSITION_WORDS] = {0};
    walk_text(walk, text, seen);
    memcpy(walk->live, seen, sizeof(seen));
}

/* All positions that some text may lead to from the live ones, which stay. */
static void spread(struct regex_walk *walk, const struct regex_side *side, const uint64_t *mask)
{
    uint64_t more = 1;
    walk->hit = false;
    while (more) {
        uint64_t next[REGEX_POSITION_WORDS];
        memcpy(next, walk->live, sizeof(next));
        walk->hit |= step(walk->machine, side, next, mask);
        more = 0;
        for (uint32_t w = 0; w < walk->machine->words; w++) {
            more |= next[w] & ~walk->live[w];
            walk->live[w] |= next[w];
        }
    }
}

void regex_walk_bytes(struct regex_walk *walk, const struct byte_set *bytes)
{
    const struct regex_machine *machine = walk->machine;
    uint64_t mask[REGEX_POSITION_WORDS] = {0};
    for (size_t c = bits_next(bytes->bits, 256, 0); c < 256; c = bits_next(bytes->bits, 256, c + 1))
        bits_or(mask, machine->byte[c], machine->words * 64);
    spread(walk, &machine->sides[walk->back], mask);
}

void regex_walk_across(struct regex_walk *walk, const uint64_t begun[REGEX_POSITION_WORDS])
{
    const struct regex_machine *machine = walk->machine;
    struct regex_side side = machine->sides[walk->back]; /* where nothing begins */
    uint64_t all[REGEX_POSITION_WORDS];
    memset(side.start, 0, sizeof(side.start));
    regex_machine_all(machine, all);
    spread(walk, &side, all);
    bits_or(walk->live, begun, machine->words * 64);
}

void regex_walk_branch(struct regex_walk *walk)
{
    memcpy(walk->from, walk->live, sizeof(walk->from));
    memset(walk->sum, 0, sizeof(walk->sum));
    walk->sum_hit = false;
}

void regex_walk_choice(struct regex_walk *walk, struct slice text)
{
    memcpy(walk->live, walk->from, sizeof(walk->live));
    regex_walk_text(walk, text);
    bits_or(walk->sum, walk->live, walk->machine->words * 64);
    walk->sum_hit |= walk->hit;
}

void regex_walk_join(struct regex_walk *walk)
{
    memcpy(walk->live, walk->sum, sizeof(walk->live));
    walk->hit = walk->sum_hit;
}
