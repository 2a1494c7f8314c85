#include "search/commands/met_rows.h"

#include "base/time.h"
#include "event/schema.h"
#include "search/row_key.h"
#include "search/rows.h"
#include "search/spill.h"

static void free_arena(void *arena)
{
    arena_free(arena);
}

int met_index(struct run *run, struct met *met, const struct met_rule *rule,
              const struct batch *theirs, struct err *err)
{
    struct frame frame;
    struct group_rows rows;
    *met = (struct met){.rule = rule, .rows = theirs};
    met->pairs = arena_new_within(&run->memory->budget);
    if (!met->pairs || arena_defer(run->arena, free_arena, met->pairs) < 0)
        return run_nomem(run, err);
    if (frame_share(&frame, theirs, NULL, run->arena) < 0 ||
        grouper_init(&met->groups, run->arena, rule->theirs, rule->count, 0) < 0 ||
        grouper_rows(&met->groups, &frame, &rows) < 0)
        return run_nomem(run, err);
    met->first = arena_alloc(run->arena, (met->groups.count + 1U) * sizeof(uint32_t));
    met->next = arena_alloc(run->arena, (rows.count + 1U) * sizeof(uint32_t));
    met->row = rows.rows;
    if (!met->first || !met->next)
        return run_nomem(run, err);
    memset(met->first, 0xff, (met->groups.count + 1U) * sizeof(uint32_t));
    for (uint32_t i = rows.count; i-- > 0;) {
        met->next[i] = met->first[rows.groups[i]];
        met->first[rows.groups[i]] = i;
    }
    met->groups.fields = rule->ours; /* from now on our rows are asked for */
    met->groups.frozen = true;
    return 0;
}

/* ---- columns ---- */

static bool is_key(const struct met_rule *rule, struct slice theirs)
{
    for (size_t i = 0; i < rule->count; i++)
        if (slice_equal(rule->theirs[i], theirs))
            return true;
    return row_key_hides(theirs);
}

static int put_column(const struct met_rule *rule, const struct met_pairs *pairs,
                      const struct column *from, struct frame *out)
{
    const struct column *old = batch_find(out->batch, from->name);
    struct column *to = frame_column(out, from->name);
    for (uint32_t row = 0; to && row < pairs->count; row++) {
        uint32_t at = 0, n = old ? column_range(old, row, &at) : 0, first;
        uint32_t their = pairs->rows[row];
        uint32_t count = their == GROUP_NONE ? 0 : column_range(from, their, &first);
        const struct column *source = old;
        if (count && (rule->overwrite || !n)) {
            source = from;
            at = first;
            n = count;
        }
        for (uint32_t k = 0; k < n; k++)
            if (column_add(out->batch, to, row, column_value(source, at + k)) < 0)
                return -1;
    }
    return to ? frame_put(out, to) : -1;
}

int met_frame(const struct met_rule *rule, const struct met_pairs *pairs, struct arena *arena,
              struct frame *out)
{
    if (frame_gather(out, pairs->batch, pairs->ours, pairs->count, arena) < 0)
        return -1;
    for (uint32_t c = 0; c < pairs->theirs->column_count; c++) {
        const struct column *from = pairs->theirs->columns[c];
        bool known = !from->count && batch_find(out->batch, from->name);
        if (!known && !is_key(rule, from->name) && put_column(rule, pairs, from, out) < 0)
            return -1;
    }
    return 0;
}

/* To the second, as the language has it. */
bool met_in_time(const struct met_rule *rule, const struct batch *ours, uint32_t our,
                 const struct batch *theirs, uint32_t their)
{
    int64_t our_ns, their_ns;
    if (!rule->by_time || !rows_time(batch_first(ours, our, FIELD_TIMESTAMP), &our_ns) ||
        !rows_time(batch_first(theirs, their, FIELD_TIMESTAMP), &their_ns))
        return true;
    int64_t our_s = our_ns / NS_PER_SECOND, their_s = their_ns / NS_PER_SECOND;
    return rule->earlier ? their_s <= our_s : their_s >= our_s;
}

/* ---- pairs ---- */

struct pairing {
    struct stage *op;
    struct met *met;
    struct met_pairs pairs;
    uint32_t most; /* pairs of a frame */
};

static int give_pairs(struct pairing *p, struct err *err)
{
    struct run *run = p->op->run;
    struct frame out;
    if (!p->pairs.count)
        return 0;
    arena_reset(p->met->pairs);
    if (met_frame(p->met->rule, &p->pairs, p->met->pairs, &out) < 0)
        return run_nomem(run, err);
    p->pairs.count = 0;
    return run_check(run, err) < 0 ? -1 : stage_push(p->op, &out, err);
}

static int add_pair(struct pairing *p, uint32_t our, uint32_t their, struct err *err)
{
    p->pairs.ours[p->pairs.count] = our;
    p->pairs.rows[p->pairs.count++] = their;
    return p->pairs.count == p->most ? give_pairs(p, err) : 0;
}

static int pair_row(struct pairing *p, uint32_t our, uint32_t entry, struct err *err)
{
    const struct met *met = p->met;
    const struct met_rule *rule = met->rule;
    int64_t some = 0;
    for (; entry != GROUP_NONE && (!rule->max || some < rule->max); entry = met->next[entry]) {
        if (!met_in_time(rule, p->pairs.batch, our, met->rows, met->row[entry]))
            continue;
        some++;
        if (add_pair(p, our, met->row[entry], err) < 0)
            return -1;
    }
    return some || !rule->left ? 0 : add_pair(p, our, GROUP_NONE, err);
}

int met_push(struct stage *op, struct met *met, const struct frame *frame, struct err *err)
{
    uint32_t rows = frame->batch->row_count;
    struct group_rows groups;
    struct pairing p;
    uint32_t *first = arena_alloc(frame->batch->arena, (rows + 1U) * sizeof(*first));
    if (!first || grouper_rows(&met->groups, frame, &groups) < 0)
        return run_nomem(op->run, err);
    memset(first, 0xff, rows * sizeof(*first));
    for (uint32_t i = groups.count; i-- > 0;) /* of several values the first one that is known */
        first[groups.rows[i]] = met->first[groups.groups[i]];
    p.op = op;
    p.met = met;
    p.most = search_memory_rows(op->run->memory);
    p.pairs.batch = frame->batch;
    p.pairs.theirs = met->rows;
    p.pairs.count = 0;
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1))
        if (pair_row(&p, row, first[row], err) < 0)
            return -1;
    return give_pairs(&p, err);
}
