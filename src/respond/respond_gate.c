/* What the gate did, on the timelines of the incidents it concerns. */
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "respond/inside.h"
#include "respond/notify/outbox.h"

enum { TEXTS = 6, CONCERNED_MAX = 64, ENTITIES_MAX = 256 };
#define ENTRY_BYTES_MAX (1 * MIB)

/* ---- as an item of the queue ---- */

static void list_texts(struct respond_gate_entry *entry, struct slice *list[TEXTS])
{
    struct slice *all[TEXTS] = {&entry->event, &entry->follows, &entry->incident,
                                &entry->en,    &entry->ja,      &entry->user};
    memcpy(list, all, sizeof(all));
}

static void encode(const struct respond_gate_entry *entry, struct buffer *to)
{
    struct respond_gate_entry copy = *entry;
    struct slice *list[TEXTS];
    list_texts(&copy, list);
    buffer_put_le64(to, (uint64_t)entry->time_ns);
    for (int i = 0; i < TEXTS; i++)
        buffer_put_block(to, *list[i]);
    buffer_put_varint(to, entry->entity_count);
    for (size_t i = 0; i < entry->entity_count; i++) {
        buffer_put_block(to, entry->entities[i].type);
        buffer_put_block(to, entry->entities[i].value);
    }
}

static int decode(struct slice bytes, struct arena *arena, struct respond_gate_entry *out,
                  struct err *err)
{
    uint64_t time, count = 0;
    struct slice *list[TEXTS];
    bool whole = slice_take_le64(&bytes, &time);
    *out = (struct respond_gate_entry){.time_ns = (int64_t)time};
    list_texts(out, list);
    for (int i = 0; whole && i < TEXTS; i++)
        whole = slice_take_block(&bytes, list[i]);
    whole = whole && slice_take_varint(&bytes, &count) && count <= ENTITIES_MAX;
    struct entity *entities = arena_array(arena, ENTITIES_MAX, sizeof(*entities));
    if (!entities)
        return err_nomem(err);
    for (uint64_t i = 0; whole && i < count; i++)
        whole = slice_take_block(&bytes, &entities[i].type) && slice_take_block(&bytes, &entities[i].value);
    out->entities = entities;
    out->entity_count = (size_t)count;
    return whole ? 0 : err_set(err, ERR_CORRUPT, "what the gate did is damaged in the queue");
}

/* Gives what was written into the item, which was made for it. */
static bool put_item(struct respond *respond, struct item *item)
{
    if (!buffer_failed(&item->bytes))
        return respond_put(respond, item, false);
    buffer_close(&item->bytes);
    mem_free(item);
    return false;
}

static struct item *new_item(bool is_call)
{
    struct item *item = mem_calloc(1, sizeof(*item));
    if (item) {
        item->of_gate = true;
        item->is_call = is_call;
        buffer_init(&item->bytes, ENTRY_BYTES_MAX);
    }
    return item;
}

void respond_gate(struct respond *respond, const struct respond_gate_entry *entry)
{
    struct item *item = new_item(false);
    if (item)
        encode(entry, &item->bytes);
    if (!item || !put_item(respond, item))
        respond_note(respond, "something the gate did is missing on the timelines of incidents, for too "
                              "much was waiting; the gate and the event stream have it");
}

/* ---- for programs that are told ---- */

bool respond_gate_is_called(const struct respond *respond)
{
    for (size_t i = 0; i < respond->config.notifier_count; i++)
        if (respond->config.notifiers[i].gate.len)
            return true;
    return false;
}

void respond_gate_call(struct respond *respond, const struct respond_gate_call *call)
{
    struct item *item = new_item(true);
    if (item) {
        buffer_put_block(&item->bytes, call->key);
        buffer_put_block(&item->bytes, call->event);
        buffer_put_block(&item->bytes, call->payload);
        buffer_put_varint(&item->bytes, call->plain);
    }
    if (!item || !put_item(respond, item))
        respond_note(respond, "something the gate did is told to no notifier before the next start, for too much was waiting");
}

int gate_call_file(struct join *join, struct slice bytes, struct err *err)
{
    struct respond_gate_call call;
    uint64_t plain;
    if (!slice_take_block(&bytes, &call.key) || !slice_take_block(&bytes, &call.event) || !slice_take_block(&bytes, &call.payload) ||
        !slice_take_varint(&bytes, &plain))
        return err_set(err, ERR_CORRUPT, "what the gate did is damaged in the queue");
    call.plain = plain != 0;
    return outbox_put_gate(join->outbox, &call, join->arena, err);
}

/* ---- filing ---- */

struct concerned {
    int64_t ids[CONCERNED_MAX];
    size_t count;
};

static bool has_id(const struct concerned *of, int64_t id)
{
    for (size_t i = 0; i < of->count; i++)
        if (of->ids[i] == id)
            return true;
    return false;
}

static void add_id(struct concerned *to, int64_t id)
{
    if (!has_id(to, id) && to->count < CONCERNED_MAX)
        to->ids[to->count++] = id;
}

/* Every first column of a statement with up to two texts. */
static int add_found(struct database *database, const char *sql, struct slice a, struct slice b,
                     struct concerned *to, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_text(query, 1, a);
    if (b.ptr)
        query_text(query, 2, b);
    while ((result = query_step(query, err)) == 1)
        add_id(to, query_get_i64(query, 0));
    query_end(query);
    return result;
}

static struct slice evidence_json(struct slice event, struct arena *arena)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 4 * KIB);
    json_init(&json, &text);
    json_open(&json, '[');
    json_text(&json, event);
    json_close(&json, ']');
    struct slice copy =
        buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

/* Where it stands already: after a restart some is told again. */
static int find_told(struct join *join, const struct respond_gate_entry *entry, struct concerned *to, struct err *err)
{
    struct slice evidence = evidence_json(entry->event, join->arena);
    if (!entry->event.len)
        return 0;
    if (!evidence.ptr)
        return err_nomem(err);
    return add_found(join->database, "SELECT incident FROM timeline WHERE kind='gate' AND evidence=?1", evidence, SLICE_NONE, to, err);
}

static int find_concerned(struct join *join, const struct respond_gate_entry *entry,
                          struct concerned *to, struct err *err)
{
    int64_t named = 0;
    struct slice follows = evidence_json(entry->follows, join->arena);
    if (!follows.ptr)
        return err_nomem(err);
    if (incident_parse_name(entry->incident, &named) &&
        incident_number(join->database, "SELECT id FROM incidents WHERE id=?1", named, &named, err) < 0)
        return -1;
    if (named)
        add_id(to, named);
    if (entry->follows.len &&
        add_found(join->database, "SELECT incident FROM timeline WHERE kind='gate' AND evidence=?1",
                  follows, SLICE_NONE, to, err) < 0)
        return -1;
    for (size_t i = 0; i < entry->entity_count; i++)
        if (add_found(join->database,
                      "SELECT e.incident FROM incident_entities e JOIN incidents i ON i.id=e.incident"
                      " WHERE e.type=?1 AND e.value=?2 AND i.state!='closed'",
                      entry->entities[i].type, entry->entities[i].value, to, err) < 0)
            return -1;
    return 0;
}

static int add_entry(struct join *join, const struct respond_gate_entry *entry, int64_t incident,
                     struct err *err)
{
    int64_t shown;
    struct timeline_entry row = {.time_ns = entry->time_ns, .kind = "gate", .en = entry->en,
                                 .ja = entry->ja, .user = entry->user.len ? entry->user : SLICE_NONE,
                                 .evidence = evidence_json(entry->event, join->arena)};
    if (!row.evidence.ptr)
        return err_nomem(err);
    if (incident_number(join->database, "SELECT count(*) FROM timeline WHERE incident=?1 AND kind='gate'",
                        incident, &shown, err) < 0)
        return -1;
    if (shown > INCIDENT_GATE_MAX)
        return 0;
    if (shown == INCIDENT_GATE_MAX)
        row = (struct timeline_entry){
            .time_ns = entry->time_ns, .kind = "gate",
            .en = SLICE("The gate did more, which is not shown here one by one: see its own page."),
            .ja = SLICE("これ以降のゲートの判断は個別に表示しません。ブレーキの画面を参照してください。")};
    return incident_add_entry(join->database, incident, &row, err);
}

int gate_entry_file(struct join *join, struct slice bytes, struct err *err)
{
    struct respond_gate_entry entry;
    struct concerned concerned = {.count = 0}, told = {.count = 0};
    if (decode(bytes, join->arena, &entry, err) < 0 || find_told(join, &entry, &told, err) < 0 ||
        find_concerned(join, &entry, &concerned, err) < 0)
        return -1;
    for (size_t i = 0; i < concerned.count; i++)
        if (!has_id(&told, concerned.ids[i]) && add_entry(join, &entry, concerned.ids[i], err) < 0)
            return -1;
    return 0;
}
