#include "decode/registry.h"

#include "base/file.h"
#include "base/mem.h"
#include "decode/recognition.h"
#include "decode/verb.h"

#include <stdlib.h>

#define DECODERS_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const char *const known_names[KNOWN_COUNT] = {
    [KNOWN_TIMESTAMP] = "@timestamp",
    [KNOWN_MESSAGE] = "message",
    [KNOWN_DATASET] = "event.dataset",
    [KNOWN_KIND] = "event.kind",
    [KNOWN_CATEGORY] = "event.category",
    [KNOWN_TYPE] = "event.type",
    [KNOWN_DECODER] = "hinomi.decoder",
    [KNOWN_ERROR] = "error.message",
    [KNOWN_TAGS] = "tags",
    [KNOWN_HOST] = "host.name",
    [KNOWN_PATH] = "log.file.path",
    [KNOWN_SENT_TIME] = "hinomi.sent_time",
    [KNOWN_SENT_INDEX] = "hinomi.sent_index",
    [KNOWN_OWN_ID] = "hinomi.own_id",
    [KNOWN_ID] = "event.id",
    [KNOWN_PROCESS_NAME] = "process.name",
    [KNOWN_PROCESS_PID] = "process.pid",
    [KNOWN_PRIORITY] = "log.syslog.priority",
    [KNOWN_FACILITY_CODE] = "log.syslog.facility.code",
    [KNOWN_FACILITY_NAME] = "log.syslog.facility.name",
    [KNOWN_SEVERITY_CODE] = "log.syslog.severity.code",
    [KNOWN_SEVERITY_NAME] = "log.syslog.severity.name",
    [KNOWN_SYSLOG_VERSION] = "log.syslog.version",
    [KNOWN_SYSLOG_MESSAGE_ID] = "log.syslog.msgid",
    [KNOWN_HOSTNAME] = "host.hostname",
    [KNOWN_ENCODING] = "hinomi.encoding",
    [KNOWN_PART] = "hinomi.part",
    [KNOWN_TEXT] = "hinomi.text",
    [KNOWN_HEADER] = "hinomi.header",
};

static struct decoders *decoders_new(void)
{
    struct arena *arena = arena_new(DECODERS_BYTES_MAX);
    struct decoders *decoders = arena ? arena_calloc(arena, sizeof(*decoders)) : NULL;
    if (!decoders) {
        arena_free(arena);
        return NULL;
    }
    decoders->arena = arena;
    decoders->fields.arena = arena;
    map_init(&decoders->fields.by_name, arena);
    map_init(&decoders->by_name, arena);
    map_init(&decoders->by_source, arena);
    map_init(&decoders->by_program, arena);
    map_init(&decoders->tables, arena);
    map_init(&decoders->json_keys, arena);
    map_init(&decoders->json_parents, arena);
    (void)fields_number(&decoders->fields, SLICE("_text")); /* expressions may be the only ones that ask for it */
    for (int i = 0; i < KNOWN_COUNT; i++) {
        decoders->known[i] = fields_number(&decoders->fields, slice_text(known_names[i]));
        if (decoders->known[i] == UINT32_MAX) {
            arena_free(arena);
            return NULL;
        }
    }
    return decoders;
}

void decoders_free(struct decoders *decoders)
{
    if (!decoders)
        return;
    for (uint32_t i = 0; i < decoders->all.count; i++)
        decoder_close((struct decoder *)(uintptr_t)decoders->all.list[i]);
    arena_free(decoders->arena);
}

static int append(struct arena *arena, struct decoder_list *to, const struct decoder *decoder,
                  struct err *err)
{
    if (to->count == to->size) {
        uint32_t size = to->size ? to->size * 2 : 8;
        void *list = arena_grow(arena, (void *)(uintptr_t)to->list, to->count * sizeof(*to->list),
                                size * sizeof(*to->list));
        if (!list)
            return err_nomem(err);
        to->list = list;
        to->size = size;
    }
    to->list[to->count++] = decoder;
    return 0;
}

/* --- indexes over all decoders, made when the last one is loaded --- */

struct slice decoders_lowercase(struct slice name, char to[SOURCE_NAME_MAX])
{
    size_t len = name.len < SOURCE_NAME_MAX ? name.len : SOURCE_NAME_MAX;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]);
    return slice_of(to, len);
}

static int add_to_list(struct decoders *decoders, struct map *map, struct slice name,
                       const struct decoder *decoder, struct err *err)
{
    void **slot = name.ptr ? map_slot(map, name) : NULL;
    if (!slot)
        return err_nomem(err);
    if (!*slot)
        *slot = arena_calloc(decoders->arena, sizeof(struct decoder_list));
    return *slot ? append(decoders->arena, *slot, decoder, err) : err_nomem(err);
}

static int index_names(struct decoders *decoders, const struct decoder *decoder, struct err *err)
{
    const struct recognise *r = &decoder->recognise;
    char lower[SOURCE_NAME_MAX];
    for (uint32_t i = 0; i < r->source_count; i++) {
        struct slice name = arena_copy(decoders->arena, decoders_lowercase(r->sources[i], lower));
        if (add_to_list(decoders, &decoders->by_source, name, decoder, err) < 0)
            return -1;
    }
    for (uint32_t i = 0; i < r->program_count; i++)
        if (add_to_list(decoders, &decoders->by_program, r->programs[i], decoder, err) < 0)
            return -1;
    return 0;
}

static int by_priority(const void *a, const void *b)
{
    const struct decoder *const *x = a, *const *y = b;
    int64_t p = (*x)->recognise.priority, q = (*y)->recognise.priority;
    return p != q ? (p > q) - (p < q) : slice_compare((*x)->name, (*y)->name);
}

/* What steps name must be there: other decoders and shared tables. */
static int find_refs(const struct decoders *decoders, const struct decoder *decoder, struct err *err)
{
    for (const struct named_ref *ref = decoder->refs; ref; ref = ref->next) {
        if (ref->decoder && !(*ref->decoder = decoders_find(decoders, ref->name)))
            return err_set(err, ERR_CONFIG, "line %d: there is no decoder '%.*s'", ref->line,
                           SLICE_ARG(ref->name));
        if (ref->table && !(*ref->table = map_find(&decoders->tables, ref->name)))
            return err_set(err, ERR_CONFIG, "line %d: there is no table '%.*s'", ref->line,
                           SLICE_ARG(ref->name));
    }
    return 0;
}

static int build_indexes(struct decoders *decoders, struct err *err)
{
    if (decoders->all.count)
        qsort(decoders->all.list, decoders->all.count, sizeof(*decoders->all.list), by_priority);
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct decoder *decoder = decoders->all.list[i];
        if (index_names(decoders, decoder, err) < 0)
            return -1;
        if (find_refs(decoders, decoder, err) < 0)
            return err_within(err, "%.*s", SLICE_ARG(decoder->path));
    }
    return recognition_build(decoders, err);
}

/* --- loading --- */

/* {table: NAME, rows: {...}}: for lookups of all decoders. */
static int add_table(struct decoders *decoders, const struct yaml_node *node, struct err *err)
{
    struct decoder_compiler compiler = {.arena = decoders->arena, .fields = &decoders->fields, .err = err};
    struct slice name = yaml_text(yaml_get(node, "table"), SLICE_NONE);
    const struct map *table;
    if (!name.len || node->count != 2)
        return yaml_err(err, node, "a shared table has a name ('table') and 'rows', and no more");
    if (verb_table(&compiler, yaml_get(node, "rows"), &table) < 0)
        return -1;
    if (map_has(&decoders->tables, name) && !decoders->own_from)
        return yaml_err(err, node, "there is already a table '%.*s'", SLICE_ARG(name));
    return map_put(&decoders->tables, name, (void *)(uintptr_t)table) < 0 ? err_nomem(err) : 0;
}

/* An own decoder stands in the place of the one of that name that came before the own ones. */
static bool replace(struct decoders *decoders, struct decoder *decoder)
{
    for (uint32_t i = 0; i < decoders->own_from; i++) {
        const struct decoder *old = decoders->all.list[i];
        if (!slice_equal(old->name, decoder->name))
            continue;
        decoder_close((struct decoder *)(uintptr_t)old);
        decoders->all.list[i] = decoder;
        decoders->all.count--; /* it was appended, too */
        return true;
    }
    return false;
}

static int add_document(struct decoders *decoders, const struct yaml_node *node, struct slice path,
                        struct err *err)
{
    struct decoder *decoder;
    if (node->kind == YAML_MAPPING && yaml_get(node, "table"))
        return add_table(decoders, node, err);
    if (decoder_compile(node, path, &decoders->fields, &decoder, err) < 0)
        return -1;
    if (append(decoders->arena, &decoders->all, decoder, err) < 0) {
        decoder_close(decoder);
        return -1;
    }
    if (decoders->all.count > DECODERS_MAX)
        return err_set(err, ERR_LIMIT, "there are more than %d decoders", DECODERS_MAX);
    if (map_has(&decoders->by_name, decoder->name) && !replace(decoders, decoder))
        return yaml_err(err, node, "there is already a decoder '%.*s'", SLICE_ARG(decoder->name));
    return map_put(&decoders->by_name, decoder->name, decoder) < 0 ? err_nomem(err) : 0;
}

static int add_text(struct decoders *decoders, struct slice text, const char *path, struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    struct slice name = arena_copy(decoders->arena, slice_text(path));
    if (!name.ptr)
        return err_nomem(err);
    if (yaml_parse(text, decoders->arena, &documents, &count, err) < 0)
        return err_within(err, "%s", path);
    for (size_t i = 0; i < count; i++)
        if (add_document(decoders, documents[i], name, err) < 0)
            return err_within(err, "%s", path);
    return 0;
}

static int add_file(void *context, const char *path, struct err *err)
{
    struct decoders *decoders = context;
    struct slice text;
    if (file_read(path, DECODER_FILE_BYTES_MAX, decoders->arena, &text, err) < 0)
        return -1;
    return add_text(decoders, text, path, err);
}

static int finish(struct decoders *decoders, int result, struct decoders **out, struct err *err)
{
    if (result == 0)
        result = build_indexes(decoders, err);
    if (result < 0) {
        decoders_free(decoders);
        return -1;
    }
    *out = decoders;
    return 0;
}

int decoders_load(const char *path, const char *own, struct decoders **out, struct err *err)
{
    *out = NULL;
    struct decoders *decoders = decoders_new();
    if (!decoders)
        return err_nomem(err);
    int result = file_walk(path, ".yaml", add_file, decoders, err);
    decoders->own_from = decoders->all.count;
    if (result == 0 && own)
        result = file_walk(own, ".yaml", add_file, decoders, err);
    return finish(decoders, result, out, err);
}

int decoders_load_text(struct slice text, const char *path, struct decoders **out, struct err *err)
{
    *out = NULL;
    struct decoders *decoders = decoders_new();
    if (!decoders)
        return err_nomem(err);
    return finish(decoders, add_text(decoders, text, path, err), out, err);
}

const struct decoder *decoders_find(const struct decoders *decoders, struct slice name)
{
    return map_find(&decoders->by_name, name);
}

bool decoders_know_source(const struct decoders *decoders, struct slice source,
                          struct slice *nearest)
{
    char lower[SOURCE_NAME_MAX];
    const struct map_entry *entry;
    size_t at = 0, best = SIZE_MAX;
    *nearest = SLICE_NONE;
    source = decoders_lowercase(source, lower);
    if (map_has(&decoders->by_source, source))
        return true;
    while ((entry = map_next(&decoders->by_source, &at))) {
        size_t distance = slice_distance(entry->key, source);
        if (distance < best) {
            best = distance;
            *nearest = entry->key;
        }
    }
    return false;
}
