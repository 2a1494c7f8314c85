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
    buffer_put(&key, finding->rule_id);
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

static bool copy_slice(struct slice *s, struct arena *arena)
{
    if (!s->ptr)
        return true;
    *s = arena_copy(arena, *s);
    return s->ptr != NULL;
}

static bool copy_entities(const struct finding *from, struct arena *arena, struct finding *to)
{
    struct entity *entities = arena_array(arena, from->entity_count + 1, sizeof(*entities));
    if (!entities)
        return false;
    for (size_t i = 0; i < from->entity_count; i++) {
        entities[i] = from->entities[i];
        if (!copy_slice(&entities[i].type, arena) || !copy_slice(&entities[i].value, arena))
            return false;
    }
    to->entities = entities;
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
           copy_slice(&to->retracts, arena) && copy_entities(from, arena, to) &&
           copy_evidence(from, arena, to);
}
