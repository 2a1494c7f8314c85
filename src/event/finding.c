#include "event/finding.h"

#include "base/hash.h"

#include "base/buffer.h"

static const char *const names[] = {"none", "low", "medium", "high", "critical"};

const char *severity_name(enum severity severity)
{
    return names[severity];
}

enum severity severity_parse(struct slice name)
{
    for (enum severity s = SEVERITY_LOW; s <= SEVERITY_CRITICAL; s++)
        if (slice_is_nocase(name, names[s]))
            return s;
    return SEVERITY_NONE;
}

void finding_set_id(struct finding *finding)
{
    static const char hex[] = "0123456789abcdef";
    struct buffer key;
    buffer_init(&key, 1024 * 1024);
    buffer_put(&key, finding->rule_id.ptr ? finding->rule_id : finding->rule_name);
    buffer_put_char(&key, '\0');
    buffer_put(&key, finding->group_key);
    buffer_put_char(&key, '\0');
    if (finding->evidence_count)
        buffer_put_u64(&key, finding->evidence[0].seq);
    struct hash128 hash = hash_bytes128(buffer_slice(&key));
    buffer_close(&key);
    for (int i = 0; i < 16; i++) {
        finding->id[i] = hex[hash.high >> (60 - 4 * i) & 15];
        finding->id[16 + i] = hex[hash.low >> (60 - 4 * i) & 15];
    }
    finding->id[32] = '\0';
}

void finding_set_id_of(struct finding *finding, struct slice group_key)
{
    struct slice own = finding->group_key;
    finding->group_key = group_key;
    finding_set_id(finding);
    finding->group_key = own;
}

static bool copy_slice(struct slice *s, struct arena *arena)
{
    if (!s->ptr)
        return true;
    *s = arena_copy(arena, *s);
    return s->ptr != NULL;
}

static bool copy_entities(const struct entity **list, size_t count, struct arena *arena)
{
    struct entity *entities = arena_array(arena, count + 1, sizeof(*entities));
    if (!entities)
        return false;
    for (size_t i = 0; i < count; i++) {
        entities[i] = (*list)[i];
        if (!copy_slice(&entities[i].type, arena) || !copy_slice(&entities[i].value, arena))
            return false;
    }
    *list = entities;
    return true;
}

static bool copy_evidence(const struct finding *from, struct arena *arena, struct finding *to)
{
    struct evidence *evidence = arena_array(arena, from->evidence_count + 1, sizeof(*evidence));
    if (!evidence)
        return false;
    for (size_t i = 0; i < from->evidence_count; i++) {
        evidence[i] = from->evidence[i];
        if (!copy_slice(&evidence[i].event_id, arena))
            return false;
    }
    to->evidence = evidence;
    return true;
}

bool finding_copy(const struct finding *from, struct arena *arena, struct finding *to)
{
    *to = *from;
    return copy_slice(&to->rule_id, arena) && copy_slice(&to->rule_name, arena) &&
           copy_slice(&to->rule_version, arena) && copy_slice(&to->title, arena) &&
           copy_slice(&to->catalogue, arena) && copy_slice(&to->explanation_en, arena) &&
           copy_slice(&to->explanation_ja, arena) && copy_slice(&to->group_key, arena) &&
           copy_slice(&to->retracts, arena) && copy_slice(&to->follows, arena) &&
           copy_entities(&to->entities, to->entity_count, arena) &&
           copy_entities(&to->groups, to->group_count, arena) &&
           copy_entities(&to->holds, to->hold_count, arena) && copy_evidence(from, arena, to);
}

/* ---- as bytes: version, the texts in this order, numbers, entities, evidence; from version 2 on how many
 * events it stands for, what it follows, groups; from version 3 on what is to be held ---- */

enum { ENCODING_VERSION = 3, TEXTS = 9 };

static void text_fields(struct finding *finding, struct slice *fields[TEXTS])
{
    fields[0] = &finding->rule_id;
    fields[1] = &finding->rule_name;
    fields[2] = &finding->rule_version;
    fields[3] = &finding->title;
    fields[4] = &finding->catalogue;
    fields[5] = &finding->explanation_en;
    fields[6] = &finding->explanation_ja;
    fields[7] = &finding->group_key;
    fields[8] = &finding->retracts;
}

static void put_text(struct buffer *to, struct slice text)
{
    buffer_put_varint(to, text.ptr ? (uint64_t)text.len + 1 : 0);
    buffer_put(to, text);
}

static bool take_text(struct slice *from, struct slice *out)
{
    uint64_t len;
    *out = SLICE_NONE;
    if (!slice_take_varint(from, &len))
        return false;
    return len == 0 || (len - 1 <= from->len && slice_take(from, (size_t)len - 1, out));
}

static void put_entities(struct buffer *to, const struct entity *entities, size_t count)
{
    buffer_put_varint(to, count);
    for (size_t i = 0; i < count; i++) {
        put_text(to, entities[i].type);
        put_text(to, entities[i].value);
    }
}

void finding_encode(const struct finding *finding, struct buffer *to)
{
    struct finding copy = *finding;
    struct slice *fields[TEXTS];
    text_fields(&copy, fields);
    buffer_put_char(to, ENCODING_VERSION);
    buffer_put(to, slice_of(finding->id, 32));
    for (int i = 0; i < TEXTS; i++)
        put_text(to, *fields[i]);
    buffer_put_char(to, (char)finding->severity);
    buffer_put_le64(to, (uint64_t)finding->event_ns);
    buffer_put_le64(to, (uint64_t)finding->raised_ns);
    put_entities(to, finding->entities, finding->entity_count);
    buffer_put_varint(to, finding->evidence_count);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        put_text(to, finding->evidence[i].event_id);
        buffer_put_le64(to, finding->evidence[i].seq);
        buffer_put_le64(to, (uint64_t)finding->evidence[i].time_ns);
    }
    buffer_put_varint(to, finding->evidence_seen);
    put_text(to, finding->follows);
    put_entities(to, finding->groups, finding->group_count);
    put_entities(to, finding->holds, finding->hold_count);
}

static bool take_head(struct slice *from, struct finding *out, int *version)
{
    struct slice part, *fields[TEXTS];
    uint64_t event_ns, raised_ns;
    text_fields(out, fields);
    if (!slice_take(from, 1, &part) || part.ptr[0] < 1 || part.ptr[0] > ENCODING_VERSION)
        return false;
    *version = part.ptr[0];
    if (!slice_take(from, 32, &part))
        return false;
    memcpy(out->id, part.ptr, 32);
    for (int i = 0; i < TEXTS; i++)
        if (!take_text(from, fields[i]))
            return false;
    if (!slice_take(from, 1, &part) || (unsigned char)part.ptr[0] > SEVERITY_CRITICAL ||
        !slice_take_le64(from, &event_ns) || !slice_take_le64(from, &raised_ns))
        return false;
    out->severity = (enum severity)part.ptr[0];
    out->event_ns = (int64_t)event_ns;
    out->raised_ns = (int64_t)raised_ns;
    return true;
}

static bool take_entities(struct slice *from, struct arena *arena, const struct entity **out,
                          size_t *out_count)
{
    uint64_t count;
    if (!slice_take_varint(from, &count) || count > from->len)
        return false;
    struct entity *entities = arena_array(arena, (size_t)count + 1, sizeof(*entities));
    for (uint64_t i = 0; entities && i < count; i++)
        if (!take_text(from, &entities[i].type) || !take_text(from, &entities[i].value))
            return false;
    *out = entities;
    *out_count = (size_t)count;
    return entities != NULL;
}

static bool take_evidence(struct slice *from, struct arena *arena, struct finding *out)
{
    uint64_t count;
    if (!slice_take_varint(from, &count) || count > from->len)
        return false;
    struct evidence *evidence = arena_array(arena, (size_t)count + 1, sizeof(*evidence));
    for (uint64_t i = 0; evidence && i < count; i++) {
        uint64_t time_ns;
        if (!take_text(from, &evidence[i].event_id) || !slice_take_le64(from, &evidence[i].seq) ||
            !slice_take_le64(from, &time_ns))
            return false;
        evidence[i].time_ns = (int64_t)time_ns;
    }
    out->evidence = evidence;
    out->evidence_count = (size_t)count;
    return evidence != NULL;
}

int finding_decode(struct slice bytes, struct arena *arena, struct finding *out, struct err *err)
{
    int version;
    *out = (struct finding){0};
    if (take_head(&bytes, out, &version) &&
        take_entities(&bytes, arena, &out->entities, &out->entity_count) &&
        take_evidence(&bytes, arena, out) &&
        (version == 1 || (slice_take_varint(&bytes, &out->evidence_seen) &&
                          take_text(&bytes, &out->follows) &&
                          take_entities(&bytes, arena, &out->groups, &out->group_count))) &&
        (version < 3 || take_entities(&bytes, arena, &out->holds, &out->hold_count)) &&
        bytes.len == 0)
        return 0;
    return err_set(err, ERR_CORRUPT, "the bytes of a finding are damaged");
}
