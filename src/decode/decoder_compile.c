/* The head of a decoder file: its name and what it recognises. Its steps are compiled in verbs.c. */
#include "decode/verb.h"

#include "base/limits.h"

uint32_t fields_number(struct fields *fields, struct slice name)
{
    if (name.len == 0 || name.len > FIELD_NAME_MAX)
        return UINT32_MAX;
    uintptr_t known = (uintptr_t)map_find(&fields->by_name, name);
    if (known)
        return (uint32_t)known - 1;
    if (fields->count == fields->size) {
        uint32_t size = fields->size ? fields->size * 2 : 256;
        void *list = arena_grow(fields->arena, fields->list, fields->count * sizeof(struct field),
                                size * sizeof(struct field));
        if (!list)
            return UINT32_MAX;
        fields->list = list;
        fields->size = size;
    }
    bool temp = name.ptr[0] == '_' && !slice_is(name, "_text");
    name = arena_copy(fields->arena, name);
    if (!name.ptr || fields->count == DECODER_FIELDS_MAX ||
        (temp && fields->temps == DECODER_TEMPS_MAX) ||
        map_put(&fields->by_name, name, (void *)(uintptr_t)(fields->count + 1)) < 0)
        return UINT32_MAX;
    struct field *field = &fields->list[fields->count];
    field->name = name;
    field->kind = temp ? FIELD_TEMP : slice_is(name, "_text") ? FIELD_TEXT : FIELD_COLUMN;
    field->slot = temp ? fields->temps++ : 0;
    return fields->count++;
}

void decoder_close(struct decoder *decoder)
{
    for (struct owned *owned = decoder ? decoder->owned : NULL; owned; owned = owned->next)
        regex_free(owned->regex);
}

static int want_text(struct decoder_compiler *compiler, const struct yaml_node *node,
                     const char *key, struct slice *out)
{
    *out = yaml_text(yaml_get(node, key), SLICE_NONE);
    return out->len ? 0 : yaml_err(compiler->err, node, "'%s' is missing or no text", key);
}

/* A text or a list of texts, none of them empty. */
static int text_list(struct decoder_compiler *compiler, const struct yaml_node *node, const char *key,
                     const struct slice **out, uint32_t *count)
{
    node = yaml_get(node, key);
    if (verb_texts(compiler, node, out, count) < 0)
        return -1;
    for (uint32_t i = 0; i < *count; i++)
        if (!(*out)[i].len)
            return yaml_err(compiler->err, node, "a text that is not empty is wanted");
    return 0;
}

static int json_needs(struct decoder_compiler *compiler, const struct yaml_node *node,
                      struct recognise *out)
{
    const struct slice *keys = NULL;
    uint32_t count;
    if (text_list(compiler, node, "json", &keys, &count) < 0)
        return -1;
    struct json_need *needs = arena_array(compiler->arena, count + 1U, sizeof(*needs));
    if (!needs)
        return err_nomem(compiler->err);
    for (uint32_t i = 0; i < count; i++) {
        needs[i].key = keys[i];
        needs[i].value = SLICE_NONE;
        if (slice_cut(keys[i], '=', &needs[i].key, &needs[i].value) &&
            slice_ends(needs[i].value, SLICE("*"))) {
            needs[i].value_prefix = true;
            needs[i].value.len--;
        }
    }
    out->json = needs;
    out->json_count = count;
    out->wants_json |= count > 0;
    return 0;
}

static int check_keys(struct decoder_compiler *compiler, const struct yaml_node *node,
                      const char *const known[], size_t count)
{
    for (size_t i = 0; i < node->count; i++) {
        struct slice key = node->entries[i].key->text;
        bool found = false;
        for (size_t k = 0; k < count && !found; k++)
            found = slice_is(key, known[k]);
        if (!found)
            return yaml_err(compiler->err, node->entries[i].key, "the key '%.*s' is not known here",
                            SLICE_ARG(key));
    }
    return 0;
}

/* header: csv, semicolon, tsv or w3c */
static int compile_header(struct decoder_compiler *compiler, const struct yaml_node *node, char *out)
{
    static const struct {
        const char *name;
        char separator;
    } kinds[] = {{"csv", ','}, {"semicolon", ';'}, {"tsv", '\t'}, {"w3c", ' '}};
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!node)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (slice_is(text, kinds[i].name)) {
            *out = kinds[i].separator;
            return 0;
        }
    return yaml_err(compiler->err, node, "'header' must be csv, semicolon, tsv or w3c");
}

static int compile_recognise(struct decoder_compiler *compiler, const struct yaml_node *node,
                             struct recognise *out)
{
    static const char *const keys[] = {"sources", "programs", "starts_with", "contains", "contains_any",
                                       "json",    "format",   "regex",       "priority", "inner_only",
                                       "header",  "columns"};
    out->priority = 50;
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'recognise' must be a mapping");
    const struct yaml_node *priority = yaml_get(node, "priority"),
                           *inner = yaml_get(node, "inner_only");
    struct slice format = yaml_text(yaml_get(node, "format"), SLICE_NONE);
    struct slice pattern = yaml_text(yaml_get(node, "regex"), SLICE_NONE);
    if (check_keys(compiler, node, keys, ARRAY_COUNT(keys)) < 0 ||
        text_list(compiler, node, "sources", &out->sources, &out->source_count) < 0 ||
        text_list(compiler, node, "programs", &out->programs, &out->program_count) < 0 ||
        text_list(compiler, node, "starts_with", &out->starts, &out->start_count) < 0 ||
        text_list(compiler, node, "contains", &out->contains, &out->contain_count) < 0 ||
        text_list(compiler, node, "contains_any", &out->any, &out->any_count) < 0 ||
        text_list(compiler, node, "columns", &out->columns, &out->column_count) < 0 ||
        json_needs(compiler, node, out) < 0)
        return -1;
    if (priority && !yaml_to_i64(priority, &out->priority))
        return yaml_err(compiler->err, priority, "'priority' must be a whole number");
    if (inner && !yaml_to_bool(inner, &out->inner_only))
        return yaml_err(compiler->err, inner, "'inner_only' must be true or false");
    if (compile_header(compiler, yaml_get(node, "header"), &out->header) < 0)
        return -1;
    out->wants_json |= slice_is(format, "json");
    out->wants_xml = slice_is(format, "winxml");
    bool other = slice_is(format, "text") || slice_is(format, "any");
    if (format.ptr && !out->wants_json && !out->wants_xml && !other)
        return yaml_err(compiler->err, node, "'format' must be json, winxml, text or any");
    if (pattern.ptr) {
        out->pattern = pattern;
        if (verb_regex(compiler, node, pattern, &out->regex) < 0)
            return -1;
    }
    bool tests_text = out->start_count || out->contain_count || out->any_count || out->regex || out->header;
    out->wants_text = slice_is(format, "text") ||
                      (!format.ptr && tests_text && !out->wants_json && !out->wants_xml);
    out->by_content = tests_text || out->wants_json || out->wants_xml;
    return 0;
}

/* multiline: {begins: regex} or {continues: regex} */
static int compile_multiline(struct decoder_compiler *compiler, const struct yaml_node *node, struct line_join *out)
{
    static const char *const keys[] = {"begins", "continues"};
    struct regex *regex;
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count != 1)
        return yaml_err(compiler->err, node, "'multiline' has either 'begins' or 'continues', a regular expression");
    if (check_keys(compiler, node, keys, ARRAY_COUNT(keys)) < 0 ||
        verb_regex(compiler, node, yaml_text(node->entries[0].value, SLICE_NONE), &regex) < 0)
        return -1;
    *(yaml_get(node, "begins") ? &out->begins : &out->continues) = regex;
    return 0;
}

static int compile_head(struct decoder_compiler *compiler, const struct yaml_node *node)
{
    static const char *const keys[] = {"name",    "version",   "dataset", "corrects",
                                       "summary", "recognise", "steps",   "differs",
                                       "multiline"};
    struct decoder *decoder = compiler->decoder;
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "a decoder must be a mapping");
    if (check_keys(compiler, node, keys, ARRAY_COUNT(keys)) < 0 ||
        want_text(compiler, node, "name", &decoder->name) < 0)
        return -1;
    const struct yaml_node *version = yaml_get(node, "version");
    if (!yaml_to_i64(version, &decoder->version) || decoder->version < 1)
        return yaml_err(compiler->err, version ? version : node,
                        "'version' must be a whole number from 1 on");
    decoder->dataset = yaml_text(yaml_get(node, "dataset"), SLICE_NONE);
    decoder->summary = yaml_text(yaml_get(node, "summary"), SLICE(""));
    if (text_list(compiler, node, "differs", &decoder->differs, &decoder->differ_count) < 0)
        return -1;
    decoder->label = arena_printf(compiler->arena, "%.*s@%lld", SLICE_ARG(decoder->name),
                                  (long long)decoder->version);
    if (!decoder->label.ptr)
        return err_nomem(compiler->err);
    if (verb_constant_text(compiler, decoder->label, &decoder->label_value) < 0 ||
        (decoder->dataset.len && verb_constant_text(compiler, decoder->dataset, &decoder->dataset_value) < 0))
        return -1;
    if (text_list(compiler, node, "corrects", &decoder->corrects,
                  &decoder->correct_count) < 0)
        return -1;
    if (compile_multiline(compiler, yaml_get(node, "multiline"), &decoder->join) < 0)
        return -1;
    return compile_recognise(compiler, yaml_get(node, "recognise"), &decoder->recognise);
}

int decoder_compile(const struct yaml_node *node, struct slice path, struct fields *fields,
                    struct decoder **out, struct err *err)
{
    struct decoder_compiler compiler = {.arena = fields->arena, .fields = fields, .err = err};
    *out = NULL;
    compiler.decoder = arena_calloc(fields->arena, sizeof(*compiler.decoder));
    if (!compiler.decoder)
        return err_nomem(err);
    compiler.decoder->path = path;
    const struct yaml_node *steps = yaml_get(node, "steps");
    if (compile_head(&compiler, node) < 0 ||
        (steps && verb_compile_steps(&compiler, steps, &compiler.decoder->steps) < 0)) {
        decoder_close(compiler.decoder);
        return -1;
    }
    *out = compiler.decoder;
    return 0;
}
