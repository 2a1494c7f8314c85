#include "search/commands/txn_join.h"

int txn_join_init(struct txn_join *join, struct arena *arena, const struct batch *rows,
                  const struct slice *fields, size_t field_count, bool connected)
{
    *join = (struct txn_join){.arena = arena,
                              .rows = rows,
                              .fields = fields,
                              .field_count = field_count,
                              .connected = connected,
                              .ids = arena_array(arena, field_count, sizeof(*join->ids)),
                              .slots = arena_array(arena, field_count, sizeof(*join->slots)),
                              .rooms = arena_array(arena, field_count, sizeof(*join->rooms)),
                              .row = arena_array(arena, field_count, sizeof(*join->row))};
    join->values = arena_array(arena, (rows->row_count + 1U) * field_count, sizeof(*join->values));
    return join->ids && join->slots && join->rooms && join->row && join->values ? 0 : -1;
}

/* The row's values by number, with room for their transactions. */
static int read_row(struct txn_join *join, uint32_t row, bool *some)
{
    *some = false;
    for (size_t f = 0; f < join->field_count; f++) {
        struct value v = batch_first(join->rows, row, join->fields[f]);
        join->row[f] = 0;
        if (v.type == VALUE_NULL)
            continue;
        uint32_t id = intern_value(&join->ids[f], join->arena, v);
        if (id == GROUP_NONE)
            return -1;
        if (id >= join->rooms[f]) {
            uint32_t room = grown_room(join->rooms[f] > id ? join->rooms[f] : id);
            uint32_t *slots = grown_array(join->arena, join->slots[f],
                                          join->rooms[f] * sizeof(*slots), room * sizeof(*slots));
            if (!slots)
                return -1;
            memset(slots + join->rooms[f], 0, (room - join->rooms[f]) * sizeof(*slots));
            join->slots[f] = slots;
            join->rooms[f] = room;
        }
        join->row[f] = id + 1;
        *some = true;
    }
    return 0;
}

/* No field has another value. */
static bool agrees(const struct txn_join *join, uint32_t slot)
{
    const uint32_t *values = join->values + (size_t)slot * join->field_count;
    for (size_t f = 0; f < join->field_count; f++)
        if (values[f] && join->row[f] && values[f] != join->row[f])
            return false;
    return true;
}

int txn_join_find(struct txn_join *join, uint32_t row,
                  bool (*is_open)(const void *context, uint32_t slot), const void *context,
                  uint32_t *slot)
{
    bool some;
    *slot = GROUP_NONE;
    if (read_row(join, row, &some) < 0)
        return -1;
    if (!some)
        return 0;
    for (size_t f = 0; f < join->field_count; f++) {
        uint32_t last = join->row[f] ? join->slots[f][join->row[f] - 1] : 0;
        if (last && is_open(context, last - 1) && agrees(join, last - 1)) {
            *slot = last - 1;
            return 0;
        }
    }
    for (uint32_t s = join->connected ? 0 : join->count; s-- > 0;)
        if (is_open(context, s) && agrees(join, s)) {
            *slot = s;
            return 0;
        }
    *slot = join->count++;
    return 0;
}

void txn_join_take(struct txn_join *join, uint32_t slot, bool first)
{
    uint32_t *values = join->values + (size_t)slot * join->field_count;
    for (size_t f = 0; f < join->field_count; f++) {
        if (join->row[f] || first)
            values[f] = join->row[f];
        if (join->row[f])
            join->slots[f][join->row[f] - 1] = slot + 1;
    }
}
