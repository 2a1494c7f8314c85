#include "search/commands/txn_machine.h"

enum { OPEN_MANY = 1000 }; /* fewer are not why memory is out */

/* Open transactions, in a list by the order of their slots' birth; others are free. */
struct txn_slot {
    struct txn txn;
    uint32_t older, newer; /* slot + 1, or 0 */
    bool open;
};

/* A slot is another transaction's when the numbers differ. */
struct txn_place {
    uint32_t slot, seq; /* 0: none */
};

int txn_machine_init(struct txn_machine *machine, struct arena *arena, const struct txn_rules *rules,
                     struct err *err)
{
    size_t fields = rules->field_count;
    machine->arena = arena;
    machine->rules = rules;
    machine->places = arena_array(arena, fields + 1, sizeof(*machine->places));
    machine->place_rooms = arena_array(arena, fields + 1, sizeof(*machine->place_rooms));
    return machine->places && machine->place_rooms ? 0 : run_nomem(machine->run, err);
}

int txn_machine_nomem(const struct txn_machine *m, struct err *err)
{
    uint64_t open = 0;
    for (uint32_t at = m->newest; at; at = m->slots[at - 1].older)
        open++;
    if (open < OPEN_MANY)
        return run_nomem(m->run, err);
    return err_set(err, ERR_LIMIT, "there is no memory for more than %llu open transactions; maxpause= or maxspan= "
                   "end them sooner", (unsigned long long)open);
}

/* ---- slots ---- */

static int grow_slots(struct txn_machine *m)
{
    size_t fields = m->rules->field_count;
    uint32_t room = grown_room(m->slot_room);
    struct txn_slot *slots = grown_array(m->arena, m->slots, m->slot_room * sizeof(*slots),
                                         room * sizeof(*slots));
    if (!slots)
        return -1;
    m->slots = slots;
    uint32_t *values = grown_array(m->arena, m->values, m->slot_room * fields * sizeof(*values),
                                   (room * fields + 1) * sizeof(*values));
    if (!values)
        return -1;
    m->values = values;
    m->slot_room = room;
    return 0;
}

static void begin_txn(struct txn_machine *m, struct txn_slot *slot, const struct txn_row *row)
{
    size_t fields = m->rules->field_count;
    slot->txn = (struct txn){.first = row->number, .first_ns = row->time_ns, .seq = ++m->seq};
    memset(m->values + (size_t)(slot - m->slots) * fields, 0, fields * sizeof(*m->values));
}

static struct txn_slot *open_slot(struct txn_machine *m, const struct txn_row *row)
{
    uint32_t at = m->free_slot;
    if (at)
        m->free_slot = m->slots[at - 1].older;
    else if (m->slot_count == m->slot_room && grow_slots(m) < 0)
        return NULL;
    else
        at = ++m->slot_count;
    struct txn_slot *slot = &m->slots[at - 1];
    *slot = (struct txn_slot){.older = m->newest, .open = true};
    begin_txn(m, slot, row);
    if (m->newest)
        m->slots[m->newest - 1].newer = at;
    m->newest = at;
    return slot;
}

static void free_slot(struct txn_machine *m, struct txn_slot *slot)
{
    if (slot->newer)
        m->slots[slot->newer - 1].older = slot->older;
    else
        m->newest = slot->older;
    if (slot->older)
        m->slots[slot->older - 1].newer = slot->newer;
    slot->open = false;
    slot->older = m->free_slot;
    m->free_slot = (uint32_t)(slot - m->slots) + 1;
}

static int end_txn(struct txn_machine *m, struct txn_slot *slot, bool closed, struct err *err)
{
    slot->txn.closed = closed;
    if (!closed && m->rules->ends && !m->rules->keep_evicted)
        return 0;
    return m->done(m->context, &slot->txn, err);
}

static int close_slot(struct txn_machine *m, struct txn_slot *slot, bool closed, struct err *err)
{
    free_slot(m, slot);
    return end_txn(m, slot, closed, err);
}

/* ---- which one ---- */

static bool agrees(const struct txn_machine *m, uint32_t slot, const uint32_t *ids)
{
    const uint32_t *values = m->values + (size_t)slot * m->rules->field_count;
    for (size_t f = 0; f < m->rules->field_count; f++)
        if (values[f] && ids[f] && values[f] != ids[f])
            return false;
    return true;
}

/* The slot + 1 that a value leads to, or 0. */
static uint32_t place_of(const struct txn_machine *m, size_t field, uint32_t id)
{
    if (!id || id > m->place_rooms[field])
        return 0;
    struct txn_place place = m->places[field][id - 1];
    bool valid = place.seq && m->slots[place.slot].open && m->slots[place.slot].txn.seq == place.seq;
    return valid ? place.slot + 1 : 0;
}

/* No row of this time or a later one can be in it. */
static bool is_over(const struct txn_rules *rules, const struct txn *txn, int64_t now)
{
    return (rules->max_span.kind && now - txn->first_ns > span_ns(&rules->max_span)) ||
           (rules->max_pause.kind && now - txn->last_ns > span_ns(&rules->max_pause));
}

/* Whether a row may be in the transaction of slot at - 1; one that is over ends here. */
static int may_join(struct txn_machine *m, uint32_t at, const struct txn_row *row, struct err *err)
{
    struct txn_slot *slot = &m->slots[at - 1];
    if (is_over(m->rules, &slot->txn, row->time_ns))
        return close_slot(m, slot, !m->rules->ends, err);
    return agrees(m, at - 1, row->ids);
}

/* *out NULL: in none. */
static int find_slot(struct txn_machine *m, const struct txn_row *row, struct txn_slot **out,
                     struct err *err)
{
    size_t fields = m->rules->field_count;
    int joins = 0;
    uint32_t at = 0, older;
    for (size_t f = 0; f < fields && joins == 0; f++)
        if ((at = place_of(m, f, row->ids[f])))
            joins = may_join(m, at, row, err);
    if (joins == 0 && (!fields || !m->rules->connected))
        for (at = m->newest; at && joins == 0; at = joins ? at : older) {
            older = m->slots[at - 1].older;
            joins = may_join(m, at, row, err);
        }
    *out = joins > 0 ? &m->slots[at - 1] : NULL;
    return joins < 0 ? -1 : 0;
}

static int grow_places(struct txn_machine *m, size_t field, uint32_t id)
{
    uint32_t old = m->place_rooms[field], room = grown_room(old > id ? old : id);
    struct txn_place *places = grown_array(m->arena, m->places[field], old * sizeof(*places),
                                           room * sizeof(*places));
    if (!places)
        return -1;
    memset(places + old, 0, (room - old) * sizeof(*places));
    m->places[field] = places;
    m->place_rooms[field] = room;
    return 0;
}

static int note_values(struct txn_machine *m, const struct txn_slot *slot, const uint32_t *ids)
{
    uint32_t at = (uint32_t)(slot - m->slots);
    for (size_t f = 0; f < m->rules->field_count; f++) {
        if (!ids[f])
            continue;
        if (ids[f] > m->place_rooms[f] && grow_places(m, f, ids[f]) < 0)
            return -1;
        m->values[at * m->rules->field_count + f] = ids[f];
        m->places[f][ids[f] - 1] = (struct txn_place){at, slot->txn.seq};
    }
    return 0;
}

/* A row that belongs to none parts what came before it from what follows. */
static void forget_values(struct txn_machine *m, const uint32_t *ids)
{
    for (size_t f = 0; f < m->rules->field_count; f++)
        if (ids[f] && ids[f] <= m->place_rooms[f])
            m->places[f][ids[f] - 1] = (struct txn_place){0, 0};
}

/* ---- rows ---- */

static bool has_key(const struct txn_machine *m, const struct txn_row *row)
{
    for (size_t f = 0; f < m->rules->field_count; f++)
        if (row->ids[f])
            return true;
    return m->rules->field_count == 0;
}

int txn_machine_orphan(struct txn_machine *m, const struct txn_row *row, struct err *err)
{
    if (!m->rules->keep_orphans)
        return 0;
    struct txn txn = {.first = row->number,
                      .first_ns = row->time_ns,
                      .last_ns = row->time_ns,
                      .seq = ++m->seq,
                      .count = 1,
                      .orphan = true};
    return m->row(m->context, row, txn.seq, err) < 0 ? -1 : m->done(m->context, &txn, err);
}

int txn_machine_add(struct txn_machine *m, const struct txn_row *row, struct err *err)
{
    const struct txn_rules *rules = m->rules;
    if (!has_key(m, row))
        return txn_machine_orphan(m, row, err);
    struct txn_slot *slot;
    if (find_slot(m, row, &slot, err) < 0)
        return -1;
    bool full = slot && rules->max_events && slot->txn.count >= (uint64_t)rules->max_events;
    bool over = slot && (row->starts || full);
    if (over && end_txn(m, slot, !rules->ends, err) < 0)
        return -1;
    if ((over || !slot) && rules->starts && !row->starts) {
        if (over)
            free_slot(m, slot);
        forget_values(m, row->ids);
        return txn_machine_orphan(m, row, err);
    }
    if (over)
        begin_txn(m, slot, row);
    else if (!slot && !(slot = open_slot(m, row)))
        return txn_machine_nomem(m, err);
    if (note_values(m, slot, row->ids) < 0)
        return txn_machine_nomem(m, err);
    slot->txn.last_ns = row->time_ns;
    slot->txn.count++;
    if (m->row(m->context, row, slot->txn.seq, err) < 0)
        return -1;
    return rules->ends && row->ends ? close_slot(m, slot, true, err) : 0;
}

/* Ends those that no row from now on can join. */
static int expire(struct txn_machine *m, int64_t now, struct err *err)
{
    uint32_t older;
    for (uint32_t at = now == INT64_MIN ? 0 : m->newest; at; at = older) {
        older = m->slots[at - 1].older;
        if (is_over(m->rules, &m->slots[at - 1].txn, now) &&
            close_slot(m, &m->slots[at - 1], !m->rules->ends, err) < 0)
            return -1;
    }
    return 0;
}

int txn_machine_end(struct txn_machine *m, int64_t last_ns, struct err *err)
{
    if (expire(m, last_ns, err) < 0)
        return -1;
    /* what the rows ended is not closed, but where a start is enough */
    while (m->newest)
        if (close_slot(m, &m->slots[m->newest - 1], m->rules->starts && !m->rules->ends, err) < 0)
            return -1;
    return 0;
}

/* ---- less memory ---- */

static int copy_slot(struct txn_machine *to, const struct txn_machine *from, uint32_t at,
                     uint32_t (*rename)(void *context, size_t field, uint32_t id), void *context)
{
    size_t fields = from->rules->field_count;
    if (to->slot_count == to->slot_room && grow_slots(to) < 0)
        return -1;
    uint32_t fresh = to->slot_count++;
    to->slots[fresh] = from->slots[at];
    to->slots[fresh].older = fresh; /* the slot before, + 1 */
    to->slots[fresh].newer = 0;
    if (fresh)
        to->slots[fresh - 1].newer = fresh + 1;
    to->newest = fresh + 1;
    for (size_t f = 0; f < fields; f++) {
        uint32_t old = from->values[at * fields + f], id = old ? rename(context, f, old) : 0;
        if (old && !id)
            return -1;
        to->values[fresh * fields + f] = id;
        if (!old || place_of(from, f, old) != at + 1)
            continue;
        if (id > to->place_rooms[f] && grow_places(to, f, id) < 0)
            return -1;
        to->places[f][id - 1] = (struct txn_place){fresh, from->slots[at].txn.seq};
    }
    return 0;
}

int txn_machine_move(struct txn_machine *m, struct arena *arena, int64_t now,
                     uint32_t (*rename)(void *context, size_t field, uint32_t id), void *context,
                     struct err *err)
{
    struct txn_machine to = {.run = m->run, .row = m->row, .done = m->done, .context = m->context,
                             .seq = m->seq};
    if (txn_machine_init(&to, arena, m->rules, err) < 0 || expire(m, now, err) < 0)
        return -1;
    uint32_t oldest = m->newest;
    while (oldest && m->slots[oldest - 1].older)
        oldest = m->slots[oldest - 1].older;
    for (uint32_t at = oldest; at; at = m->slots[at - 1].newer)
        if (copy_slot(&to, m, at - 1, rename, context) < 0)
            return run_nomem(m->run, err);
    *m = to;
    return 0;
}
