#include "decode/registry.h"

#include "base/file.h"
#include "base/mem.h"
#include "cut/yaml.h"

#include <stdlib.h>

#define DECODERS_BYTES_MAX ((size_t)256 * 1024 * 1024)

enum { SOURCE_NAME_MAX = 128 };

static const char *const known_names[KNOWN_COUNT] = {
    [KNOWN_TIMESTAMP] = "@timestamp",
    [KNOWN_MESSAGE] = "message",
    [KNOWN_DATASET] = "event.dataset",
    [KNOWN_KIND] = "event.kind",
    [KNOWN_DECODER] = "hinomi.decoder",
    [KNOWN_ERROR] = "error.message",
    [KNOWN_TAGS] = "tags",
    [KNOWN_HOST] = "host.name",
    [KNOWN_PATH] = "log.file.path",
    [KNOWN_SENT_TIME] = "hinomi.sent_time",
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
    map_init(&decoders->json_keys, arena);
    map_init(&decoders->json_parents, arena);
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

static struct slice lowercase(struct slice name, char to[SOURCE_NAME_MAX])
{
    size_t len = name.len < SOURCE_NAME_MAX ? name.len : SOURCE_NAME_MAX;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]);
    return slice_of(to, len);
}

static int index_sources(struct decoders *decoders, const struct decoder *decoder, struct err *err)
{
    const struct recognise *r = &decoder->recognise;
    char lower[SOURCE_NAME_MAX];
    for (uint32_t i = 0; i < r->source_count; i++) {
        struct slice name = arena_copy(decoders->arena, lowercase(r->sources[i], lower));
        void **slot = name.ptr ? map_slot(&decoders->by_source, name) : NULL;
        if (!slot)
            return err_nomem(err);
        if (!*slot)
            *slot = arena_calloc(decoders->arena, sizeof(struct decoder_list));
        if (!*slot)
            return err_nomem(err);
        if (append(decoders->arena, *slot, decoder, err) < 0)
            return -1;
    }
    return 0;
}

static int index_programs(struct decoders *decoders, const struct decoder *decoder, struct err *err)
{
    for (uint32_t i = 0; i < decoder->recognise.program_count; i++) {
        void **slot = map_slot(&decoders->by_program, decoder->recognise.programs[i]);
        if (!slot)
            return err_nomem(err);
        if (!*slot) /* the smaller priority was there first */
            memcpy(slot, &decoder, sizeof(decoder));
    }
    return 0;
}

static unsigned filter_bit(struct slice key)
{
    unsigned first = (unsigned char)key.ptr[0], last = (unsigned char)key.ptr[key.len - 1];
    return (first * 7 + last * 31 + (unsigned)key.len * 13) & 255;
}

static int index_json_key(struct decoders *decoders, struct json_need *need, struct err *err)
{
    struct slice key = need->key;
    ptrdiff_t dot = slice_find_char(key, '.');
    uintptr_t known = (uintptr_t)map_find(&decoders->json_keys, key);
    if (known) {
        need->number = (uint32_t)known - 1;
        return 0;
    }
    if (decoders->json_key_count == JSON_NEEDS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d JSON keys are asked for", JSON_NEEDS_MAX);
    uint32_t number = decoders->json_key_count++;
    need->number = number;
    if (map_put(&decoders->json_keys, key, (void *)(uintptr_t)(number + 1)) < 0)
        return err_nomem(err);
    bits_set(decoders->json_filter, filter_bit(key));
    if (dot <= 0)
        return 0;
    struct slice parent = slice_sub(key, 0, (size_t)dot);
    void **slot = map_slot(&decoders->json_parents, parent);
    struct json_key *entry = arena_alloc(decoders->arena, sizeof(*entry));
    if (!slot || !entry)
        return err_nomem(err);
    *entry = (struct json_key){key, *slot};
    *slot = entry;
    bits_set(decoders->json_filter, filter_bit(parent));
    return 0;
}

static int by_priority(const void *a, const void *b)
{
    const struct decoder *const *x = a, *const *y = b;
    int64_t p = (*x)->recognise.priority, q = (*y)->recognise.priority;
    return p != q ? (p > q) - (p < q) : slice_compare((*x)->name, (*y)->name);
}

/* Steps that chain to another decoder by name must find it. */
static int check_chains(const struct decoders *decoders, const struct steps *steps, struct err *err)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];
        if (step->kind == STEP_DECODER && !(*step->chain = decoders_find(decoders, step->under)))
            return err_set(err, ERR_CONFIG, "line %d: there is no decoder '%.*s'", step->line,
                           SLICE_ARG(step->under));
        if (check_chains(decoders, &step->body, err) < 0 ||
            check_chains(decoders, &step->other, err) < 0)
            return -1;
        for (uint32_t k = 0; k < step->branch_count; k++)
            if (check_chains(decoders, &step->branches[k], err) < 0)
                return -1;
        size_t at = 0;
        const struct map_entry *entry;
        while (step->kind == STEP_CHOOSE && (entry = map_next(step->table, &at)))
            if (check_chains(decoders, entry->value, err) < 0)
                return -1;
    }
    return 0;
}

static bool takes_kind(const struct recognise *r, enum text_kind kind)
{
    return (!r->wants_json || kind == TEXT_JSON) && (!r->wants_xml || kind == TEXT_XML) &&
           (!r->wants_text || kind == TEXT_PLAIN);
}

static int index_content(struct decoders *decoders, const struct decoder *decoder, struct err *err)
{
    const struct recognise *r = &decoder->recognise;
    for (unsigned kind = 0; r->by_content && !r->program_count && kind < TEXT_KIND_COUNT; kind++)
        if (takes_kind(r, (enum text_kind)kind) &&
            append(decoders->arena, &decoders->by_content[kind], decoder, err) < 0)
            return -1;
    return 0;
}

static int build_indexes(struct decoders *decoders, struct err *err)
{
    if (decoders->all.count)
        qsort(decoders->all.list, decoders->all.count, sizeof(*decoders->all.list), by_priority);
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct decoder *decoder = decoders->all.list[i];
        if (index_sources(decoders, decoder, err) < 0 || index_programs(decoders, decoder, err) < 0 ||
            index_content(decoders, decoder, err) < 0)
            return -1;
        for (uint32_t k = 0; k < decoder->recognise.json_count; k++)
            if (index_json_key(decoders, &decoder->recognise.json[k], err) < 0)
                return -1;
        if (check_chains(decoders, &decoder->steps, err) < 0)
            return err_within(err, "%.*s", SLICE_ARG(decoder->path));
    }
    return 0;
}

/* --- loading --- */

static int add_document(struct decoders *decoders, const struct yaml_node *node, struct slice path,
                        struct err *err)
{
    struct decoder *decoder;
    if (decoder_compile(node, path, &decoders->fields, &decoder, err) < 0)
        return -1;
    if (append(decoders->arena, &decoders->all, decoder, err) < 0) {
        decoder_close(decoder);
        return -1;
    }
    if (decoders->all.count > DECODERS_MAX)
        return err_set(err, ERR_LIMIT, "there are more than %d decoders", DECODERS_MAX);
    if (map_has(&decoders->by_name, decoder->name))
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

int decoders_load(const char *path, struct decoders **out, struct err *err)
{
    *out = NULL;
    struct decoders *decoders = decoders_new();
    if (!decoders)
        return err_nomem(err);
    return finish(decoders, file_walk(path, ".yaml", add_file, decoders, err), out, err);
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
    source = lowercase(source, lower);
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

/* --- choosing --- */

struct json_seen {
    uint64_t bits[JSON_NEEDS_MAX / 64];
    uint32_t token[JSON_NEEDS_MAX];
};

static void see(const struct decoders *decoders, struct slice key, uint32_t token,
                struct json_seen *seen)
{
    uintptr_t number = (uintptr_t)map_find(&decoders->json_keys, key);
    if (number) {
        bits_set(seen->bits, number - 1);
        seen->token[number - 1] = token;
    }
}

/* "event.dataset" nested in "event": the rest of the name, part by part. */
static void see_nested(const struct decoders *decoders, const struct json_tokens *tokens,
                       struct slice parent, uint32_t object, struct json_seen *seen)
{
    for (const struct json_key *key = map_find(&decoders->json_parents, parent); key;
         key = key->same_parent) {
        struct slice rest = slice_from(key->name, parent.len + 1), part;
        uint32_t at = object;
        while (at && slice_next_part(&rest, '.', &part))
            at = json_member(tokens, at, part);
        if (at)
            see(decoders, key->name, at, seen);
    }
}

static void see_keys(const struct decoders *decoders, const struct json_tokens *tokens,
                     struct json_seen *seen)
{
    bits_zero(seen->bits, JSON_NEEDS_MAX);
    if (!tokens->count || tokens->list[0].kind != JSON_OBJECT)
        return;
    for (uint32_t i = 1; i < tokens->list[0].next; i = tokens->list[i].next) {
        struct slice key = json_token_key(&tokens->list[i]);
        if (!key.len || !bits_get(decoders->json_filter, filter_bit(key)))
            continue;
        see(decoders, key, i, seen);
        if (tokens->list[i].kind == JSON_OBJECT)
            see_nested(decoders, tokens, key, i, seen);
    }
}

static bool json_fits(const struct recognise *r, const struct json_tokens *tokens,
                      const struct json_seen *seen)
{
    for (uint32_t i = 0; i < r->json_count; i++) {
        const struct json_need *need = &r->json[i];
        if (!bits_get(seen->bits, need->number))
            return false;
        struct slice text = json_token_text(&tokens->list[seen->token[need->number]]);
        if (need->value.ptr && !(need->value_prefix ? slice_starts(text, need->value)
                                                    : slice_equal(text, need->value)))
            return false;
    }
    return true;
}

static bool starts_fit(const struct recognise *r, struct slice text)
{
    for (uint32_t i = 0; i < r->start_count; i++)
        if (slice_starts(text, r->starts[i]))
            return true;
    return r->start_count == 0;
}

static bool content_fits(const struct decoder *decoder, const struct sighting *sighting,
                         const struct json_seen *seen)
{
    const struct recognise *r = &decoder->recognise;
    if (r->inner_only && !sighting->inner)
        return false;
    if (!takes_kind(r, sighting->kind))
        return false;
    if (r->json_count && !json_fits(r, sighting->tokens, seen))
        return false;
    if (!starts_fit(r, sighting->text))
        return false;
    for (uint32_t i = 0; i < r->contain_count; i++)
        if (slice_find(sighting->text, r->contains[i]) < 0)
            return false;
    return !r->regex || regex_match(r->regex, sighting->text) == REGEX_YES;
}

static const struct decoder *choose_named(const struct decoders *decoders,
                                          const struct sighting *sighting,
                                          const struct json_seen *seen)
{
    char lower[SOURCE_NAME_MAX];
    const struct decoder_list *named =
        sighting->source.len ? map_find(&decoders->by_source, lowercase(sighting->source, lower))
                             : NULL;
    for (uint32_t i = 0; named && i < named->count; i++)
        if (content_fits(named->list[i], sighting, seen))
            return named->list[i];
    return NULL;
}

const struct decoder *decoders_choose(const struct decoders *decoders,
                                      const struct sighting *sighting)
{
    UNSET struct json_seen seen;
    if (sighting->kind == TEXT_JSON)
        see_keys(decoders, sighting->tokens, &seen);
    const struct decoder *named = choose_named(decoders, sighting, &seen);
    if (named)
        return named;
    const struct decoder *program =
        sighting->program.len ? map_find(&decoders->by_program, sighting->program) : NULL;
    if (program && content_fits(program, sighting, &seen))
        return program;
    const struct decoder_list *list = &decoders->by_content[sighting->kind];
    for (uint32_t i = 0; i < list->count; i++)
        if (content_fits(list->list[i], sighting, &seen))
            return list->list[i];
    return NULL;
}
