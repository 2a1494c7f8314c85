/* lookup and join: an index of the other side, and who meets whom. */
#include "search/commands/met_rows.h"

int met_index(struct run *run, struct met *met, const struct field_pair *keys, size_t count,
              struct err *err)
{
    struct slice *theirs = arena_array(run->arena, count + 1, sizeof(*theirs));
    met->ours = arena_array(run->arena, count + 1, sizeof(*met->ours));
    struct frame frame;
    struct group_rows rows;
    if (!theirs || !met->ours)
        return run_nomem(run, err);
    for (size_t i = 0; i < count; i++) {
        theirs[i] = keys[i].theirs;
        met->ours[i] = keys[i].ours;
    }
    if (frame_share(&frame, met->rows, NULL, run->arena) < 0 ||
        grouper_init(&met->groups, run->arena, theirs, count, 0) < 0 ||
        grouper_rows(&met->groups, &frame, &rows) < 0)
        return run_nomem(run, err);
    met->first = arena_alloc(run->arena, (met->groups.count + 1U) * sizeof(uint32_t));
    met->next = arena_alloc(run->arena, (met->rows->row_count + 1U) * sizeof(uint32_t));
    if (!met->first || !met->next)
        return run_nomem(run, err);
    memset(met->first, 0xff, (met->groups.count + 1U) * sizeof(uint32_t));
    memset(met->next, 0xff, (met->rows->row_count + 1U) * sizeof(uint32_t));
    for (uint32_t i = rows.count; i-- > 0;) {
        met->next[rows.rows[i]] = met->first[rows.groups[i]];
        met->first[rows.groups[i]] = rows.rows[i];
    }
    met->groups.fields = met->ours; /* from now on our rows are asked for */
    met->groups.frozen = true;
    return 0;
}

int met_rows(struct stage *op, struct met *met, const struct frame *frame, uint32_t *first,
             struct err *err)
{
    struct group_rows rows;
    memset(first, 0xff, frame->batch->row_count * sizeof(*first));
    if (grouper_rows(&met->groups, frame, &rows) < 0)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < rows.count; i++)
        if (first[rows.rows[i]] == GROUP_NONE)
            first[rows.rows[i]] = met->first[rows.groups[i]];
    return 0;
}

bool met_is_key(const struct field_pair *keys, size_t count, struct slice theirs)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(keys[i].theirs, theirs))
            return true;
    return false;
}
