#include "know/know_read.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/time.h"
#include "expr/parse.h"

static const char *const kind_names[KNOW_KINDS] = {"macro",      "lookup", "data_model",
                                                   "event_type", "tag",    "saved_search", "dashboard"};

const char *know_kind_name(enum know_kind kind)
{
    return kind_names[kind];
}

bool know_kind_by_name(struct slice name, enum know_kind *out)
{
    for (size_t i = 0; i < KNOW_KINDS; i++)
        if (slice_is(name, kind_names[i])) {
            *out = (enum know_kind)i;
            return true;
        }
    return false;
}

/* ---- values ---- */

int know_check_keys(const struct yaml_node *node, const char *const *keys, struct err *err)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        const char *nearest = NULL;
        size_t best = SIZE_MAX;
        bool known = false;
        for (const char *const *k = keys; *k && !known; k++) {
            size_t distance = slice_distance(key->text, slice_text(*k));
            known = slice_is(key->text, *k);
            if (distance < best) {
                best = distance;
                nearest = *k;
            }
        }
        if (!known)
            return yaml_err(err, key, "here is no key '%.*s'; the nearest is %s",
                            SLICE_ARG(key->text), nearest);
    }
    return 0;
}

int know_read_texts(const struct yaml_node *node, struct arena *arena, const struct slice **out,
                    size_t *count, struct err *err)
{
    *out = NULL;
    *count = 0;
    if (yaml_is_null(node))
        return 0;
    size_t most = node->kind == YAML_SEQUENCE ? node->count : 1;
    struct slice *list = arena_array(arena, most + 1, sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < most; i++) {
        const struct yaml_node *one = node->kind == YAML_SEQUENCE ? node->entries[i].value : node;
        list[i] = yaml_text(one, SLICE(""));
        if (one->kind != YAML_SCALAR || list[i].len == 0)
            return yaml_err(err, one, "here a text or a list of texts is needed");
    }
    *out = list;
    *count = most;
    return 0;
}

int know_read_text(const struct yaml_node *document, const char *key, bool needed,
                   struct slice *out, struct err *err)
{
    const struct yaml_node *node = yaml_get(document, key);
    *out = SLICE_NONE;
    if (yaml_is_null(node))
        return needed ? yaml_err(err, document, "the key %s is missing", key) : 0;
    if (node->kind != YAML_SCALAR)
        return yaml_err(err, node, "%s is a text", key);
    *out = node->text;
    return 0;
}

static int read_number(const struct yaml_node *document, const char *key, int64_t least,
                       int64_t most, int64_t *out, struct err *err)
{
    const struct yaml_node *node = yaml_get(document, key);
    if (yaml_is_null(node))
        return 0;
    if (!yaml_to_i64(node, out) || *out < least || *out > most)
        return yaml_err(err, node, "%s is a whole number from %lld to %lld", key, (long long)least,
                        (long long)most);
    return 0;
}

int know_read_bool(const struct yaml_node *document, const char *key, bool *out, struct err *err)
{
    const struct yaml_node *node = yaml_get(document, key);
    if (yaml_is_null(node) || yaml_to_bool(node, out))
        return 0;
    return yaml_err(err, node, "%s is true or false", key);
}

int know_read_span(const struct yaml_node *document, const char *key, int64_t *out,
                   struct err *err)
{
    const struct yaml_node *node = yaml_get(document, key);
    if (yaml_is_null(node) || duration_parse(yaml_text(node, SLICE("")), out))
        return 0;
    return yaml_err(err, node, "%s is a duration such as 90s, 15m or 1d", key);
}

/* A tag's name is a field and its value, which may be a path. */
static bool is_plain_name(struct slice name, enum know_kind kind)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if ((unsigned char)c < ' ' || c == '`' || c == '"' ||
            (kind != KNOW_TAG && (c == '/' || c == '\\')))
            return false;
    }
    return name.len > 0 && name.len <= KNOW_NAME_BYTES_MAX;
}

/* ---- kinds ---- */

static int read_macro(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                      struct err *err)
{
    static const char *const keys[] = {"macro", "args",       "definition", "eval",
                                       "error", "validation", "description", NULL};
    struct know_macro *macro = arena_calloc(arena, sizeof(*macro));
    if (!macro)
        return err_nomem(err);
    out->spec = macro;
    if (know_check_keys(d, keys, err) < 0 ||
        know_read_texts(yaml_get(d, "args"), arena, &macro->args, &macro->arg_count, err) < 0 ||
        know_read_text(d, "definition", true, &macro->definition, err) < 0 ||
        know_read_bool(d, "eval", &macro->eval, err) < 0 ||
        know_read_text(d, "validation", false, &macro->validation, err) < 0 ||
        know_read_text(d, "error", false, &macro->error, err) < 0)
        return -1;
    if (macro->arg_count > KNOW_ARGS_MAX)
        return yaml_err(err, d, "a macro has at most %d arguments", KNOW_ARGS_MAX);
    if (slice_find_char(out->name, '(') >= 0 || slice_find_char(out->name, ' ') >= 0)
        return yaml_err(err, d, "a macro's name has no brackets and no spaces; its arguments go "
                                "into args");
    for (size_t i = 0; i < macro->arg_count; i++)
        for (size_t k = 0; k < i; k++)
            if (slice_equal(macro->args[i], macro->args[k]))
                return yaml_err(err, d, "the argument %.*s is there twice",
                                SLICE_ARG(macro->args[i]));
    return 0;
}

static int read_match(const struct yaml_node *node, struct arena *arena, struct know_lookup *lookup,
                      struct err *err)
{
    static const char *const names[] = {"exact", "wildcard", "cidr"};
    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "match is a list of field: exact, wildcard or cidr");
    struct know_match_field *list = arena_array(arena, node->count + 1, sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        struct slice text = yaml_text(node->entries[i].value, SLICE(""));
        size_t k = 0;
        while (k < ARRAY_COUNT(names) && !slice_is(text, names[k]))
            k++;
        if (k == ARRAY_COUNT(names))
            return yaml_err(err, node->entries[i].value,
                            "a field matches exact, wildcard or cidr");
        list[i] = (struct know_match_field){node->entries[i].key->text, (enum know_match)k};
    }
    lookup->match = list;
    lookup->match_count = node->count;
    return 0;
}

bool know_is_file_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[i] == '\\' || (unsigned char)name.ptr[i] < ' ')
            return false;
    return name.len > 0 && name.len < 200 && name.ptr[0] != '.';
}

static int read_lookup(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                       struct err *err)
{
    static const char *const keys[] = {
        "lookup",      "file",          "case_sensitive", "match",      "max_matches",
        "min_matches", "default_match", "time_field",     "time_format", "max_offset",
        "min_offset",  "description",   NULL};
    struct know_lookup *lookup = arena_calloc(arena, sizeof(*lookup));
    if (!lookup)
        return err_nomem(err);
    out->spec = lookup;
    *lookup = (struct know_lookup){.case_sensitive = true, .max_offset_ns = INT64_MAX};
    if (know_check_keys(d, keys, err) < 0 || know_read_text(d, "file", true, &lookup->file, err) < 0 ||
        know_read_bool(d, "case_sensitive", &lookup->case_sensitive, err) < 0 ||
        read_match(yaml_get(d, "match"), arena, lookup, err) < 0 ||
        know_read_text(d, "default_match", false, &lookup->default_match, err) < 0 ||
        know_read_text(d, "time_field", false, &lookup->time_field, err) < 0 ||
        know_read_text(d, "time_format", false, &lookup->time_format, err) < 0 ||
        know_read_span(d, "max_offset", &lookup->max_offset_ns, err) < 0 ||
        know_read_span(d, "min_offset", &lookup->min_offset_ns, err) < 0)
        return -1;
    /* with a time the one before the event counts, else all */
    lookup->max_matches = lookup->time_field.len ? 1 : LOOKUP_MATCHES_MAX;
    if (read_number(d, "max_matches", 1, LOOKUP_MATCHES_MAX, &lookup->max_matches, err) < 0 ||
        read_number(d, "min_matches", 0, LOOKUP_MATCHES_MAX, &lookup->min_matches, err) < 0)
        return -1;
    if (!know_is_file_name(lookup->file))
        return yaml_err(err, yaml_get(d, "file"),
                        "file is the name of a file in the folder of lookups, without a path");
    if (lookup->default_match.len && lookup->min_matches == 0)
        lookup->min_matches = 1;
    return 0;
}

static int read_event_type(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                           struct err *err)
{
    static const char *const keys[] = {"event_type", "search",      "priority",
                                       "tags",       "description", NULL};
    struct know_event_type *type = arena_calloc(arena, sizeof(*type));
    if (!type)
        return err_nomem(err);
    out->spec = type;
    type->priority = 5;
    if (know_check_keys(d, keys, err) < 0 || know_read_text(d, "search", true, &type->search, err) < 0 ||
        read_number(d, "priority", 1, 10, &type->priority, err) < 0)
        return -1;
    if (slice_find_char(type->search, '|') >= 0)
        return yaml_err(err, yaml_get(d, "search"),
                        "an event type is a search without commands: here is a |");
    return know_read_texts(yaml_get(d, "tags"), arena, &type->tags, &type->tag_count, err);
}

static int read_tag(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                    struct err *err)
{
    static const char *const keys[] = {"tag", "tags", "description", NULL};
    struct know_tag *tag = arena_calloc(arena, sizeof(*tag));
    if (!tag)
        return err_nomem(err);
    out->spec = tag;
    if (know_check_keys(d, keys, err) < 0 ||
        know_read_texts(yaml_get(d, "tags"), arena, &tag->tags, &tag->tag_count, err) < 0)
        return -1;
    if (!slice_cut(out->name, '=', &tag->field, &tag->value) || !tag->field.len || !tag->value.len)
        return yaml_err(err, d, "tag is field=value, such as user=root");
    return tag->tag_count ? 0 : yaml_err(err, d, "the key tags is missing");
}

static int read_saved(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                      struct err *err)
{
    static const char *const keys[] = {"saved_search", "search",   "earliest", "latest",
                                       "description",  "schedule", NULL};
    struct know_saved_search *saved = arena_calloc(arena, sizeof(*saved));
    if (!saved)
        return err_nomem(err);
    out->spec = saved;
    if (know_check_keys(d, keys, err) < 0 ||
        know_read_text(d, "search", true, &saved->search, err) < 0 ||
        know_read_text(d, "earliest", false, &saved->earliest, err) < 0 ||
        know_read_text(d, "latest", false, &saved->latest, err) < 0)
        return -1;
    return know_read_schedule(d, arena, saved, err);
}

static int read_model(const struct yaml_node *d, struct arena *arena, struct know_object *out,
                      struct err *err)
{
    struct know_model *model = arena_calloc(arena, sizeof(*model));
    if (!model)
        return err_nomem(err);
    out->spec = model;
    return know_read_model(d, arena, model, err);
}

static int (*const readers[KNOW_KINDS])(const struct yaml_node *, struct arena *,
                                        struct know_object *, struct err *) = {
    read_macro, read_lookup, read_model, read_event_type, read_tag, read_saved, know_read_dashboard};

int know_read(const struct yaml_node *document, struct arena *arena, struct know_object *out,
              struct err *err)
{
    *out = (struct know_object){.owner = SLICE(""), .place = SLICE(""), .text = SLICE("")};
    if (document->kind != YAML_MAPPING || document->count == 0)
        return yaml_err(err, document, "a definition begins with its kind and name, such as "
                                       "\"macro: web\"");
    const struct yaml_node *key = document->entries[0].key;
    if (!know_kind_by_name(key->text, &out->kind))
        return yaml_err(err, key, "'%.*s' is no kind of definition: macro, lookup, data_model, "
                                  "event_type, tag, saved_search, dashboard", SLICE_ARG(key->text));
    out->name = yaml_text(document->entries[0].value, SLICE(""));
    if (!is_plain_name(out->name, out->kind))
        return yaml_err(err, key, "a name has 1 to %d bytes, and none of ` / \\ \"",
                        KNOW_NAME_BYTES_MAX);
    if (know_read_text(document, "description", false, &out->description, err) < 0)
        return -1;
    return readers[out->kind](document, arena, out, err);
}
