#include "table/risk.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "table/groups.h"
#include "table/timed_map.h"

#include <stdlib.h>

enum { FRACTION_BITS = 28, ONE_BITS = 32, KEY_ROOM = 64, FORGOTTEN_HALF_LIVES = 14 };
#define LEAST (RISK_POINT / 10) /* what is less than this is forgotten */
#define HALF_LIFE_MS_MAX (INT64_C(1) << 35)

struct risk {
    struct timed_map *entities; /* "type\0value" to its text: see put_entity() */
    int64_t half_life_ms;
    int64_t swept_ns; /* what nothing is left of was looked for */
    uint64_t bytes, evicted, cut, late;
};

/* An entity taken apart, to be changed and put back. */
struct record {
    int64_t raised_ns, newest_ns;
    struct risk_part parts[RISK_PARTS_MAX + 1];
    size_t count;
};

struct risk *risk_new(int64_t half_life_ns)
{
    struct risk *risk = mem_calloc(1, sizeof(*risk));
    if (!risk)
        return NULL;
    risk->half_life_ms = half_life_ns / NS_PER_MS;
    risk->swept_ns = INT64_MIN;
    risk->entities = timed_map_new(SIZE_MAX); /* bounded here */
    if (risk->entities)
        return risk;
    risk_free(risk);
    return NULL;
}

void risk_free(struct risk *risk)
{
    if (!risk)
        return;
    timed_map_free(risk->entities);
    mem_free(risk);
}

/* ---- decay ---- */

/* 2^-f as 32 bits behind the point: the product of 2^-(1/2), 2^-(1/4) ... for the bits of f that are set. */
static uint64_t power(uint64_t fraction)
{
    static const uint32_t factors[FRACTION_BITS] = {
        3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965, 4271771996, 4283353945, 4289156690, 4292061010,
        4293513907, 4294240540, 4294603903, 4294785595, 4294876445, 4294921870, 4294944583, 4294955939, 4294961618, 4294964457,
        4294965876, 4294966586, 4294966941, 4294967119, 4294967207, 4294967252, 4294967274, 4294967285,
    };
    uint64_t result = UINT64_C(1) << ONE_BITS;
    for (int i = 0; i < FRACTION_BITS; i++)
        if (fraction >> (FRACTION_BITS - 1 - i) & 1)
            result = result * factors[i] >> ONE_BITS;
    return result;
}

/* To the millisecond; a finding of the future has all its points. */
static uint64_t decayed(const struct risk *risk, uint32_t points, int64_t last_ns, int64_t now_ns)
{
    uint64_t whole = points * RISK_POINT; /* below 2^30 */
    if (now_ns <= last_ns)
        return whole;
    uint64_t age_ms = ((uint64_t)now_ns - (uint64_t)last_ns) / NS_PER_MS, half_life = (uint64_t)risk->half_life_ms;
    uint64_t halves = age_ms / half_life, rest = age_ms % half_life;
    if (halves > FORGOTTEN_HALF_LIVES + 10)
        return 0;
    return (whole * power((rest << FRACTION_BITS) / half_life) >> ONE_BITS) >> halves;
}

/* ---- an entity as text: raised, parts ---- */

static bool put_key(struct buffer *to, const struct entity *entity)
{
    buffer_put(to, entity->type);
    buffer_put_char(to, '\0');
    buffer_put(to, entity->value);
    return !buffer_failed(to);
}

static void put_part(struct buffer *to, const struct risk_part *part)
{
    buffer_put_block(to, part->source.rule);
    buffer_put_block(to, part->source.title);
    buffer_put_block(to, part->source.tactics);
    buffer_put_varint(to, part->source.points);
    buffer_put_le64(to, (uint64_t)part->last_ns);
    buffer_put_varint(to, part->count);
    buffer_put_block(to, part->finding);
    buffer_put_varint(to, part->evidence.seq);
    buffer_put_le64(to, (uint64_t)part->evidence.time_ns);
    buffer_put_block(to, part->evidence.event_id);
}

static bool take_part(struct slice *from, struct risk_part *part)
{
    uint64_t points, last_ns, time_ns;
    *part = (struct risk_part){0};
    if (!slice_take_block(from, &part->source.rule) || !slice_take_block(from, &part->source.title) ||
        !slice_take_block(from, &part->source.tactics) || !slice_take_varint(from, &points) ||
        points > RISK_POINTS_MAX || !slice_take_le64(from, &last_ns) || !slice_take_varint(from, &part->count) ||
        !slice_take_block(from, &part->finding) || !slice_take_varint(from, &part->evidence.seq) ||
        !slice_take_le64(from, &time_ns) || !slice_take_block(from, &part->evidence.event_id))
        return false;
    part->source.points = (uint32_t)points;
    part->last_ns = (int64_t)last_ns;
    part->evidence.time_ns = (int64_t)time_ns;
    if (!part->evidence.event_id.len)
        part->evidence.event_id = SLICE_NONE;
    return true;
}

static bool take_record(struct slice text, struct record *record)
{
    uint64_t raised_ns, count;
    *record = (struct record){.raised_ns = INT64_MIN, .newest_ns = INT64_MIN};
    if (!text.len)
        return true; /* a new one */
    if (!slice_take_le64(&text, &raised_ns) || !slice_take_varint(&text, &count) || count > RISK_PARTS_MAX)
        return false;
    record->raised_ns = (int64_t)raised_ns;
    for (; record->count < count; record->count++) {
        struct risk_part *part = &record->parts[record->count];
        if (!take_part(&text, part))
            return false;
        record->newest_ns = part->last_ns > record->newest_ns ? part->last_ns : record->newest_ns;
    }
    return text.len == 0;
}

static uint64_t bytes_of(const struct timed_entry *entry)
{
    return sizeof(*entry) + entry->key.len + entry->text.len + KEY_ROOM;
}

static int put_record(struct risk *risk, struct timed_entry *entry, const struct record *record)
{
    struct buffer text;
    buffer_init(&text, RISK_BYTES_MAX);
    buffer_put_le64(&text, (uint64_t)record->raised_ns);
    buffer_put_varint(&text, record->count);
    for (size_t i = 0; i < record->count; i++)
        put_part(&text, &record->parts[i]);
    uint64_t before = bytes_of(entry);
    int result = buffer_failed(&text) ? -1 : timed_map_set_text(entry, buffer_slice(&text));
    risk->bytes += bytes_of(entry) - before;
    buffer_close(&text);
    return result;
}

/* ---- bounds ---- */

static void count_bytes(struct risk *risk)
{
    struct timed_entry *entry;
    risk->bytes = 0;
    for (size_t at = 0; (entry = timed_map_next(risk->entities, &at));)
        risk->bytes += bytes_of(entry);
}

bool risk_shrink(struct risk *risk)
{
    size_t before = timed_map_count(risk->entities), at = 0;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (struct timed_entry *entry; (entry = timed_map_next(risk->entities, &at));) {
        low = entry->time_ns < low ? entry->time_ns : low;
        high = entry->time_ns > high ? entry->time_ns : high;
    }
    if (!before)
        return false;
    timed_map_drop_before(risk->entities, low + (int64_t)(((uint64_t)high - (uint64_t)low) / 10) + 1);
    risk->evicted += before - timed_map_count(risk->entities);
    count_bytes(risk);
    return timed_map_count(risk->entities) < before;
}

/* Now and then, by event time: entities of whose newest finding nothing is left. */
static void sweep(struct risk *risk, int64_t time_ns)
{
    uint64_t half_life_ns = (uint64_t)risk->half_life_ms * NS_PER_MS;
    if (risk->swept_ns == INT64_MIN)
        risk->swept_ns = time_ns;
    if (time_ns < risk->swept_ns || (uint64_t)time_ns - (uint64_t)risk->swept_ns < half_life_ns)
        return;
    risk->swept_ns = time_ns;
    if (half_life_ns < (uint64_t)INT64_MAX / FORGOTTEN_HALF_LIVES)
        timed_map_drop_before(risk->entities, groups_earlier(time_ns, (int64_t)half_life_ns * FORGOTTEN_HALF_LIVES));
    count_bytes(risk);
}

static struct timed_entry *find(const struct risk *risk, const struct entity *entity)
{
    struct buffer key;
    buffer_init(&key, RISK_BYTES_MAX);
    struct timed_entry *found = put_key(&key, entity) ? timed_map_find(risk->entities, buffer_slice(&key)) : NULL;
    buffer_close(&key);
    return found;
}

static struct timed_entry *make(struct risk *risk, const struct entity *entity, int64_t time_ns)
{
    struct buffer key;
    buffer_init(&key, RISK_BYTES_MAX);
    bool good = put_key(&key, entity), known = good && timed_map_find(risk->entities, buffer_slice(&key));
    while (good && !known && (timed_map_count(risk->entities) >= RISK_ENTITIES_MAX || risk->bytes > RISK_BYTES_MAX) &&
           risk_shrink(risk))
        ;
    struct timed_entry *entry = good ? timed_map_touch(risk->entities, buffer_slice(&key), time_ns) : NULL;
    if (entry && !known)
        risk->bytes += bytes_of(entry);
    buffer_close(&key);
    return entry;
}

/* ---- changing ---- */

static size_t part_of(const struct record *record, struct slice rule)
{
    size_t at = 0;
    while (at < record->count && !slice_equal(record->parts[at].source.rule, rule))
        at++;
    return at;
}

static void remove_part(struct record *record, size_t at)
{
    record->count--;
    memmove(&record->parts[at], &record->parts[at + 1], (record->count - at) * sizeof(record->parts[0]));
}

/* What nothing is left of goes, and of too many the least. */
static void prune(struct risk *risk, struct record *record)
{
    size_t least = 0;
    record->newest_ns = INT64_MIN;
    for (size_t i = 0; i < record->count; i++)
        if (record->parts[i].last_ns > record->newest_ns)
            record->newest_ns = record->parts[i].last_ns;
    for (size_t i = 0; i < record->count; i++)
        record->parts[i].left = decayed(risk, record->parts[i].source.points, record->parts[i].last_ns, record->newest_ns);
    for (size_t i = record->count; i-- > 0;)
        if (record->parts[i].left < LEAST)
            remove_part(record, i);
    for (size_t i = 1; i < record->count; i++)
        if (record->parts[i].left < record->parts[least].left)
            least = i;
    if (record->count <= RISK_PARTS_MAX)
        return;
    remove_part(record, least);
    risk->cut++;
}

static struct evidence newest_evidence(const struct finding *finding)
{
    return finding->evidence_count ? finding->evidence[finding->evidence_count - 1] : (struct evidence){0};
}

/* In the order of their names, so that the same parts are the same bytes. */
static void place_part(struct record *record, const struct risk_part *part)
{
    size_t at = part_of(record, part->source.rule);
    if (at < record->count) {
        record->parts[at] = *part;
        return;
    }
    while (at > 0 && slice_compare(record->parts[at - 1].source.rule, part->source.rule) > 0)
        at--;
    memmove(&record->parts[at + 1], &record->parts[at], (record->count - at) * sizeof(*part));
    record->parts[at] = *part;
    record->count++;
}

/* False: it was counted already. */
static bool add_part(struct record *record, const struct risk_source *source, const struct finding *finding)
{
    size_t at = part_of(record, source->rule);
    struct slice id = slice_text(finding->id);
    struct risk_part part = {.source = *source, .last_ns = finding->event_ns, .count = 1, .finding = id,
                             .evidence = newest_evidence(finding)};
    if (at < record->count) {
        struct risk_part *before = &record->parts[at];
        if (slice_equal(before->finding, id))
            return false;
        uint64_t count = before->count + 1;
        bool newer = finding->event_ns > before->last_ns ||
                     (finding->event_ns == before->last_ns && slice_compare(id, before->finding) > 0);
        if (!newer)
            part = *before;
        part.count = count;
    }
    place_part(record, &part);
    return true;
}

int risk_add(struct risk *risk, const struct entity *entity, const struct risk_source *source,
             const struct finding *finding, struct arena *moment)
{
    struct record *record = arena_alloc(moment, sizeof(*record));
    sweep(risk, finding->event_ns);
    const struct timed_entry *known = find(risk, entity);
    if (!record)
        return -1;
    if (!take_record(known ? known->text : SLICE(""), record) || !add_part(record, source, finding))
        return 0;
    prune(risk, record);
    if (part_of(record, source->rule) == record->count) { /* a late one, of which nothing is left */
        risk->late++;
        return 0;
    }
    struct timed_entry *entry = make(risk, entity, finding->event_ns);
    return entry ? put_record(risk, entry, record) : -1;
}

int risk_take_back(struct risk *risk, const struct entity *entity, struct slice rule, struct slice finding,
                   struct arena *moment)
{
    struct timed_entry *entry = find(risk, entity);
    struct record *record = arena_alloc(moment, sizeof(*record));
    if (!record)
        return -1;
    size_t at = entry && take_record(entry->text, record) ? part_of(record, rule) : 0;
    if (!entry || at >= record->count || !slice_equal(record->parts[at].finding, finding))
        return 0;
    remove_part(record, at);
    return put_record(risk, entry, record);
}

int risk_set_raised(struct risk *risk, const struct entity *entity, int64_t time_ns, struct arena *moment)
{
    struct timed_entry *entry = find(risk, entity);
    struct record *record = arena_alloc(moment, sizeof(*record));
    if (!record)
        return -1;
    if (!entry || !take_record(entry->text, record))
        return 0;
    record->raised_ns = time_ns;
    return put_record(risk, entry, record);
}

/* ---- reading ---- */

static int by_points(const void *a, const void *b)
{
    const struct risk_part *x = a, *y = b;
    if (x->left != y->left)
        return x->left > y->left ? -1 : 1;
    return slice_compare(x->source.rule, y->source.rule);
}

static bool has_word(struct slice text, struct slice word)
{
    struct slice one;
    while (slice_next_part(&text, ' ', &one))
        if (slice_equal(one, word))
            return true;
    return false;
}

static uint32_t count_tactics(const struct risk_part *parts, size_t count)
{
    uint32_t tactics = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice text = parts[i].source.tactics, one;
        while (parts[i].left >= RISK_POINT && slice_next_part(&text, ' ', &one)) {
            bool before = false;
            for (size_t k = 0; k < i && !before; k++)
                before = parts[k].left >= RISK_POINT && has_word(parts[k].source.tactics, one);
            tactics += !before && one.len;
        }
    }
    return tactics;
}

static int total_of(const struct risk *risk, const struct timed_entry *entry, int64_t now_ns, struct arena *arena,
                    struct risk_total *out)
{
    struct record *record = arena_alloc(arena, sizeof(*record));
    struct slice key = entry->key;
    if (!record)
        return -1;
    *out = (struct risk_total){0};
    if (!slice_cut(key, '\0', &out->entity.type, &out->entity.value) || !take_record(entry->text, record))
        return 0;
    out->now_ns = now_ns == RISK_NEWEST ? record->newest_ns : now_ns;
    out->newest_ns = record->newest_ns;
    out->raised_ns = record->raised_ns;
    out->parts = record->parts;
    out->part_count = record->count;
    for (size_t i = 0; i < record->count; i++) {
        struct risk_part *part = &record->parts[i];
        part->left = decayed(risk, part->source.points, part->last_ns, out->now_ns);
        out->points += part->left;
        bool recent = part->last_ns >= out->now_ns || (uint64_t)out->now_ns - (uint64_t)part->last_ns <= RISK_RECENT_NS;
        out->recent += recent ? part->left : 0;
    }
    qsort(record->parts, record->count, sizeof(record->parts[0]), by_points);
    out->tactics = count_tactics(record->parts, record->count);
    return 1;
}

int risk_read(const struct risk *risk, const struct entity *entity, int64_t now_ns, struct arena *arena,
              struct risk_total *out)
{
    const struct timed_entry *entry = find(risk, entity);
    return entry ? total_of(risk, entry, now_ns, arena, out) : 0;
}

struct rank {
    uint64_t points;
    const struct timed_entry *entry;
};

static int by_rank(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->points != y->points)
        return x->points > y->points ? -1 : 1;
    return slice_compare(x->entry->key, y->entry->key);
}

int risk_top(const struct risk *risk, int64_t now_ns, struct arena *arena, struct risk_total **out, size_t *count)
{
    size_t all = 0, at = 0, most = *count;
    struct rank *ranks = mem_calloc(timed_map_count(risk->entities) + 1, sizeof(*ranks));
    struct timed_entry *entry;
    struct risk_total total;
    *count = 0;
    int result = ranks ? 0 : -1;
    while (result == 0 && (entry = timed_map_next(risk->entities, &at))) {
        struct arena_mark mark = arena_mark(arena);
        int known = total_of(risk, entry, now_ns, arena, &total);
        arena_rewind(arena, &mark);
        if (known > 0 && total.points >= LEAST)
            ranks[all++] = (struct rank){total.points, entry};
        result = known < 0 ? -1 : 0;
    }
    if (result == 0)
        qsort(ranks, all, sizeof(*ranks), by_rank);
    *out = arena_array(arena, (all < most ? all : most) + 1, sizeof(**out));
    if (!*out)
        result = -1;
    for (size_t i = 0; i < all && i < most && result == 0; i++)
        result = total_of(risk, ranks[i].entry, now_ns, arena, &(*out)[(*count)++]) < 0 ? -1 : 0;
    mem_free(ranks);
    return result;
}

struct risk_stats risk_stats(const struct risk *risk)
{
    return (struct risk_stats){timed_map_count(risk->entities), risk->bytes, risk->evicted, risk->cut, risk->late};
}

/* ---- snapshots: half-life, swept, counts, then entities in the order of their keys ---- */

static int by_key(const void *a, const void *b)
{
    return slice_compare((*(struct timed_entry *const *)a)->key, (*(struct timed_entry *const *)b)->key);
}

void risk_save(const struct risk *risk, struct buffer *to)
{
    size_t count = 0, at = 0;
    struct timed_entry **list = mem_calloc(timed_map_count(risk->entities) + 1, sizeof(struct timed_entry *));
    if (!list) {
        to->failed = true;
        return;
    }
    for (struct timed_entry *entry; (entry = timed_map_next(risk->entities, &at));)
        list[count++] = entry;
    qsort(list, count, sizeof(struct timed_entry *), by_key);
    buffer_put_le64(to, (uint64_t)risk->half_life_ms);
    buffer_put_le64(to, (uint64_t)risk->swept_ns);
    buffer_put_varint(to, risk->evicted);
    buffer_put_varint(to, risk->cut);
    buffer_put_varint(to, risk->late);
    buffer_put_varint(to, count);
    for (size_t i = 0; i < count; i++) {
        buffer_put_block(to, list[i]->key);
        buffer_put_le64(to, (uint64_t)list[i]->time_ns);
        buffer_put_block(to, list[i]->text);
    }
    mem_free(list);
}

/* 1, 0: it is damaged, -1: memory is out. */
static int load_entity(struct risk *risk, struct slice *from, struct record *record)
{
    struct slice key, text;
    uint64_t time_ns;
    if (!slice_take_block(from, &key) || !slice_take_le64(from, &time_ns) || !slice_take_block(from, &text) ||
        slice_find_char(key, '\0') < 0 || !text.len || !take_record(text, record))
        return 0;
    struct timed_entry *entry = timed_map_touch(risk->entities, key, (int64_t)time_ns);
    return entry && timed_map_set_text(entry, text) == 0 ? 1 : -1;
}

int risk_load(struct risk *risk, struct slice *from, struct err *err)
{
    uint64_t half_life_ms, swept_ns, count;
    struct record *record = mem_calloc(1, sizeof(*record));
    int good = record ? 1 : -1;
    if (good > 0)
        good = slice_take_le64(from, &half_life_ms) && slice_take_le64(from, &swept_ns) &&
               slice_take_varint(from, &risk->evicted) && slice_take_varint(from, &risk->cut) &&
               slice_take_varint(from, &risk->late) && slice_take_varint(from, &count) && half_life_ms > 0 &&
               half_life_ms < HALF_LIFE_MS_MAX;
    if (good > 0) {
        risk->half_life_ms = (int64_t)half_life_ms;
        risk->swept_ns = (int64_t)swept_ns;
        for (uint64_t i = 0; i < count && good > 0; i++)
            good = load_entity(risk, from, record);
        count_bytes(risk);
    }
    mem_free(record);
    return good > 0 ? 0 : good < 0 ? err_nomem(err) : err_set(err, ERR_CORRUPT, "a snapshot of the risk of entities is damaged");
}
