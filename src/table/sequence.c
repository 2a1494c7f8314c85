#include "table/sequence.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

/* A number that is not further back may have been overtaken on its way, or sent again with others. */
enum { REORDERED_MOST = 64, RESTART_RUN = 4096, START_NEAR = 64, START_FAR = 1024 };
#define JUMP_MOST (UINT64_C(1) << 31) /* nobody lost so many: it numbers otherwise now */
enum { MIXED_WINDOW = 256, MIXED_PART = 4, MIXED_LEAST = 4 };

static void add_hole(struct sequence *sequence, uint64_t from, uint64_t to, int64_t now_ns)
{
    assert(sequence->hole_count < SEQUENCE_HOLES + 2); /* sequence_settle() keeps it below SEQUENCE_HOLES, and a number adds two */
    sequence->holes[sequence->hole_count++] = (struct sequence_hole){from, to, now_ns, sequence->in_order};
    sequence->in_order = 0;
}

static void drop_hole(struct sequence *sequence, uint32_t at)
{
    sequence->hole_count--;
    memmove(&sequence->holes[at], &sequence->holes[at + 1], (sequence->hole_count - at) * sizeof(sequence->holes[0]));
}

/* It was overtaken: what is left of its hole. */
static bool fill_hole(struct sequence *sequence, uint64_t number)
{
    for (uint32_t i = 0; i < sequence->hole_count; i++) {
        struct sequence_hole *hole = &sequence->holes[i], rest = *hole;
        if (number < hole->from || number > hole->to)
            continue;
        rest.from = number + 1;
        hole->to = number - 1;
        bool before = hole->from < number, behind = rest.from <= rest.to;
        if (!before && !behind) {
            sequence->in_order += hole->before + 1;
            drop_hole(sequence, i);
        } else if (!before) {
            *hole = rest;
        } else if (behind) {
            memmove(&sequence->holes[i + 2], &sequence->holes[i + 1], (sequence->hole_count - i - 1) * sizeof(*hole));
            sequence->holes[i + 1] = rest;
            sequence->hole_count++;
        }
        return true;
    }
    return false;
}

static void begin_again(struct sequence *sequence, uint64_t number)
{
    sequence->newest = number;
    sequence->in_order = 1;
    sequence->behind = 0;
}

/* Of numbers that are behind the newest. */
static bool is_restart(struct sequence *sequence, const struct sequence_kind *kind, uint64_t number)
{
    uint64_t back = sequence->newest - number;
    sequence->behind = number == sequence->last_behind + 1 ? sequence->behind + 1 : 1;
    sequence->last_behind = number;
    return (number == kind->first && back > REORDERED_MOST) ||
           (number < kind->first + START_NEAR && back > START_FAR) || sequence->behind >= RESTART_RUN;
}

/* Past the last number, and not much before the first again. */
static bool is_wrapped(const struct sequence *sequence, const struct sequence_kind *kind, uint64_t number)
{
    return kind->last && number < sequence->newest && sequence->newest - number > kind->last - kind->last / 64;
}

static void jump(struct sequence *sequence, const struct sequence_kind *kind, uint64_t number, int64_t now_ns)
{
    bool wrapped = is_wrapped(sequence, kind, number);
    if (wrapped && sequence->newest < kind->last)
        add_hole(sequence, sequence->newest + 1, kind->last, now_ns);
    uint64_t next = wrapped ? kind->first : sequence->newest + 1;
    if (number > next)
        add_hole(sequence, next, number - 1, now_ns);
    sequence->newest = number;
    sequence->in_order++;
}

static bool are_mixed(const struct sequence *sequence)
{
    return sequence->recent_wrong * MIXED_PART > sequence->recent && sequence->recent >= MIXED_LEAST;
}

static void count_order(struct sequence *sequence, bool wrong)
{
    sequence->recent++;
    sequence->recent_wrong += wrong;
    if (sequence->recent < MIXED_WINDOW)
        return;
    sequence->mixed = are_mixed(sequence);
    sequence->recent = sequence->recent_wrong = 0;
}

static bool restart(struct sequence *sequence, uint64_t number, int64_t now_ns)
{
    begin_again(sequence, number);
    if (sequence->mixed)
        return false;
    sequence->restarts++;
    sequence->restart_ns = now_ns;
    return true;
}

static bool take_behind(struct sequence *sequence, const struct sequence_kind *kind, uint64_t number, int64_t now_ns)
{
    count_order(sequence, true);
    if (fill_hole(sequence, number))
        return false;
    if (!is_restart(sequence, kind, number)) {
        sequence->again++;
        return false;
    }
    return restart(sequence, number, now_ns);
}

bool sequence_take(struct sequence *sequence, const struct sequence_kind *kind, uint64_t number, int64_t now_ns,
                   uint64_t *before)
{
    bool wrapped = sequence->begun && is_wrapped(sequence, kind, number);
    *before = sequence->in_order;
    if (!sequence->begun) {
        begin_again(sequence, number);
        sequence->begun = true;
        return false;
    }
    if (number <= sequence->newest && !wrapped)
        return take_behind(sequence, kind, number, now_ns);
    if (!wrapped && number - sequence->newest > JUMP_MOST)
        return restart(sequence, number, now_ns);
    count_order(sequence, !wrapped && number != sequence->newest + 1);
    jump(sequence, kind, number, now_ns);
    return false;
}

uint64_t sequence_missing(const struct sequence_hole *gap)
{
    return gap->to - gap->from + 1;
}

bool sequence_settle(struct sequence *sequence, int64_t now_ns, struct sequence_hole *gap)
{
    const struct sequence_hole *oldest = &sequence->holes[0];
    if (sequence->mixed)
        sequence->hole_count = 0;
    if (!sequence->hole_count ||
        (sequence->hole_count < SEQUENCE_HOLES && now_ns - oldest->seen_ns < SEQUENCE_SETTLE_S * NS_PER_SECOND))
        return false;
    *gap = *oldest;
    drop_hole(sequence, 0);
    if (are_mixed(sequence)) {
        sequence->mixed = true;
        sequence->hole_count = 0;
        return false;
    }
    sequence->gaps++;
    sequence->missing += sequence_missing(gap);
    sequence->gap_from = gap->from;
    sequence->gap_to = gap->to;
    sequence->gap_ns = gap->seen_ns;
    return true;
}

/* ---- keeping: not yet settled holes, too ---- */

enum { NUMBERS = 13 };

static void numbers_of(const struct sequence *s, uint64_t numbers[NUMBERS])
{
    const uint64_t all[NUMBERS] = {s->newest, s->begun, s->in_order, s->mixed, s->gaps, s->missing, s->again, s->restarts,
                                   s->gap_from, s->gap_to, (uint64_t)s->gap_ns, (uint64_t)s->restart_ns, s->hole_count};
    memcpy(numbers, all, sizeof(all));
}

void sequence_save(const struct sequence *sequence, struct buffer *to)
{
    uint64_t numbers[NUMBERS];
    numbers_of(sequence, numbers);
    for (size_t i = 0; i < NUMBERS; i++)
        buffer_put_varint(to, numbers[i]);
    for (uint32_t i = 0; i < sequence->hole_count; i++) {
        const struct sequence_hole *hole = &sequence->holes[i];
        buffer_put_varint(to, hole->from);
        buffer_put_varint(to, hole->to);
        buffer_put_varint(to, (uint64_t)hole->seen_ns);
        buffer_put_varint(to, hole->before);
    }
}

static bool load_hole(struct sequence_hole *hole, struct slice *from)
{
    uint64_t seen;
    if (!slice_take_varint(from, &hole->from) || !slice_take_varint(from, &hole->to) || hole->from > hole->to ||
        hole->to > INT64_MAX ||
        !slice_take_varint(from, &seen) || seen > INT64_MAX || !slice_take_varint(from, &hole->before))
        return false;
    hole->seen_ns = (int64_t)seen;
    return true;
}

bool sequence_load(struct sequence *sequence, struct slice *from)
{
    uint64_t n[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        if (!slice_take_varint(from, &n[i]))
            return false;
    if (n[0] > INT64_MAX || n[10] > INT64_MAX || n[11] > INT64_MAX || n[12] > SEQUENCE_HOLES)
        return false;
    *sequence = (struct sequence){.newest = n[0], .begun = n[1], .in_order = n[2], .mixed = n[3], .gaps = n[4],
                                  .missing = n[5], .again = n[6], .restarts = n[7], .gap_from = n[8], .gap_to = n[9],
                                  .gap_ns = (int64_t)n[10], .restart_ns = (int64_t)n[11], .hole_count = (uint32_t)n[12]};
    for (uint32_t i = 0; i < sequence->hole_count; i++)
        if (!load_hole(&sequence->holes[i], from))
            return false;
    return true;
}
