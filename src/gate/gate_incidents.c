#include "gate/gate_incidents.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#include <assert.h>

#define INDEX_BYTES_MAX (256 * MIB)

/* What a request names, and the entity types that mean the same thing. */
enum kind { KIND_ACCOUNT = 'a', KIND_ASSET = 's', KIND_PLACE = 'p', KIND_NONE = 0 };

struct incident {
    struct arena *arena; /* id and keys */
    struct slice id;
    enum severity severity;
    struct slice *keys; /* kind, then the value */
    size_t key_count;
};

struct incidents {
    struct incident *list;
    size_t count;
    struct arena *arena; /* of the index */
    struct map index;    /* key -> struct incident, the worst */
    bool incomplete;
};

struct incidents *incidents_new(void)
{
    struct incidents *incidents = mem_calloc(1, sizeof(*incidents));
    if (!incidents)
        return NULL;
    incidents->list = mem_calloc(INCIDENTS_OPEN_MAX, sizeof(*incidents->list));
    incidents->arena = arena_new(INDEX_BYTES_MAX);
    if (!incidents->list || !incidents->arena) {
        incidents_free(incidents);
        return NULL;
    }
    map_init(&incidents->index, incidents->arena);
    return incidents;
}

void incidents_free(struct incidents *incidents)
{
    if (!incidents)
        return;
    for (size_t i = 0; i < incidents->count; i++)
        arena_free(incidents->list[i].arena);
    arena_free(incidents->arena);
    mem_free(incidents->list);
    mem_free(incidents);
}

static const struct {
    const char *type;
    enum kind kind;
} known[] = {
    {"account", KIND_ACCOUNT}, {"user", KIND_ACCOUNT},      {"asset", KIND_ASSET},
    {"wallet", KIND_PLACE},    {"address", KIND_PLACE},     {"destination", KIND_PLACE},
    {"key", KIND_PLACE},
};

static enum kind kind_of(struct slice type)
{
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (slice_is(type, known[i].type))
            return known[i].kind;
    return KIND_NONE;
}

static bool add_keys(struct incident *incident, const struct entity *entities, size_t count)
{
    incident->keys = arena_array(incident->arena, count + 1, sizeof(*incident->keys));
    if (!incident->keys)
        return false;
    for (size_t i = 0; i < count; i++) {
        enum kind kind = kind_of(entities[i].type);
        if (kind == KIND_NONE || !entities[i].value.len)
            continue;
        struct slice key =
            arena_printf(incident->arena, "%c%.*s", kind, SLICE_ARG(entities[i].value));
        if (!key.ptr)
            return false;
        incident->keys[incident->key_count++] = key;
    }
    return true;
}

/* Made anew at each change: incidents change seldom, requests are many. */
static bool make_index(struct incidents *incidents)
{
    arena_reset(incidents->arena);
    map_init(&incidents->index, incidents->arena);
    for (size_t i = 0; i < incidents->count; i++) {
        struct incident *incident = &incidents->list[i];
        for (size_t k = 0; k < incident->key_count; k++) {
            void **slot = map_slot(&incidents->index, incident->keys[k]);
            if (!slot)
                return false;
            const struct incident *worst = *slot;
            if (!worst || worst->severity < incident->severity)
                *slot = incident;
        }
    }
    return true;
}

static void forget(struct incidents *incidents, struct slice id)
{
    for (size_t i = 0; i < incidents->count; i++)
        if (slice_equal(incidents->list[i].id, id)) {
            arena_free(incidents->list[i].arena);
            incidents->list[i] = incidents->list[--incidents->count];
            return;
        }
}

static bool add(struct incidents *incidents, struct slice id, enum severity severity,
                const struct entity *entities, size_t count)
{
    struct incident incident = {.severity = severity};
    if (incidents->count == INCIDENTS_OPEN_MAX || count > INCIDENT_ENTITIES_MAX)
        return false;
    incident.arena = arena_new(4 * MIB);
    if (!incident.arena)
        return false;
    incident.id = arena_copy(incident.arena, id);
    if (!incident.id.ptr || !add_keys(&incident, entities, count)) {
        arena_free(incident.arena);
        return false;
    }
    incidents->list[incidents->count++] = incident;
    return true;
}

void incidents_set(struct incidents *incidents, struct slice id, enum severity severity, bool open,
                   const struct entity *entities, size_t entity_count)
{
    forget(incidents, id);
    /* What once did not fit is not known any more, so it stays incomplete until a restart. */
    if (open && !add(incidents, id, severity, entities, entity_count))
        incidents->incomplete = true;
    if (!make_index(incidents))
        incidents->incomplete = true;
}

bool incidents_incomplete(const struct incidents *incidents)
{
    return incidents->incomplete;
}

static void look(const struct incidents *incidents, enum kind kind, struct slice value,
                 struct incident_touch *worst)
{
    char key[1024];
    if (!value.len || value.len >= sizeof(key))
        return;
    key[0] = (char)kind;
    memcpy(key + 1, value.ptr, value.len);
    const struct incident *found = map_find(&incidents->index, slice_of(key, value.len + 1));
    if (found && (!worst->id.ptr || found->severity > worst->severity))
        *worst = (struct incident_touch){found->id, found->severity};
}

struct incident_touch incidents_touching(const struct incidents *incidents,
                                         const struct gate_request *request)
{
    struct incident_touch worst = {.severity = SEVERITY_NONE};
    look(incidents, KIND_ACCOUNT, request->account, &worst);
    look(incidents, KIND_ASSET, request->asset, &worst);
    look(incidents, KIND_PLACE, request->wallet, &worst);
    look(incidents, KIND_PLACE, request->destination, &worst);
    return worst;
}

static size_t add_as(struct entity *to, enum kind kind, struct slice value)
{
    size_t count = 0;
    for (size_t i = 0; value.len && i < ARRAY_COUNT(known); i++)
        if (known[i].kind == kind)
            to[count++] = (struct entity){slice_text(known[i].type), value};
    return count;
}

size_t gate_request_entities(const struct gate_request *request,
                             struct entity to[GATE_REQUEST_ENTITIES_MAX])
{
    static_assert(GATE_REQUEST_ENTITIES_MAX >= 2 * ARRAY_COUNT(known), "places come twice");
    size_t count = add_as(to, KIND_ACCOUNT, request->account);
    count += add_as(to + count, KIND_ASSET, request->asset);
    count += add_as(to + count, KIND_PLACE, request->wallet);
    if (!slice_equal(request->wallet, request->destination))
        count += add_as(to + count, KIND_PLACE, request->destination);
    return count;
}
