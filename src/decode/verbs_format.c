/* The steps for formats that name their own fields: CEF, LEEF, W3C, XML, the journal's entries, Windows'
 * messages. */
#include "decode/verb.h"

#include "base/limits.h"
#include "cut/cef.h"
#include "cut/journal_export.h"
#include "cut/sections.h"
#include "cut/xml_path.h"
#include "decode/decode_run.h"
#include "decode/run_put.h"

/* Formats that are nothing but names and values. */
static int compile_keys(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct keys *data = verb_data(compiler, step, sizeof(*data));
    return data && keys_compile(compiler, node, "", data) == 0 ? verb_from(compiler, node, step) : -1;
}

/* --- CEF and LEEF --- */

struct header {
    uint32_t part[CEF_PARTS]; /* fields */
    struct keys keys;
};

static int compile_header(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step,
                          const char *under, const char *const names[], int count, const char *extension)
{
    struct header *data = verb_data(compiler, step, sizeof(*data));
    struct slice prefix;
    if (!data || keys_compile(compiler, node, under, &data->keys) < 0)
        return -1;
    prefix = data->keys.under;
    for (int i = 0; i < count; i++)
        if (verb_field_under(compiler, node, prefix, names[i], &data->part[i]) < 0)
            return -1;
    data->keys.under = arena_printf(compiler->arena, "%.*s%s.", SLICE_ARG(prefix), extension);
    if (!data->keys.under.ptr)
        return err_nomem(compiler->err);
    return verb_from(compiler, node, step);
}

static int compile_cef(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    static const char *const names[] = {"version",        "device.vendor",         "device.product",
                                        "device.version", "device.event_class_id", "name",
                                        "severity"};
    return compile_header(compiler, node, step, "cef", names, CEF_PARTS, "extensions");
}

static int compile_leef(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    static const char *const names[] = {"version", "device.vendor", "device.product", "device.version",
                                        "event_id"};
    return compile_header(compiler, node, step, "leef", names, CEF_CLASS + 1, "attributes");
}

/* Values of LEEF are as they are written: CORP\ren is no line break. */
static void put_parts(struct run *run, const struct header *header, const struct cef *cef, int count)
{
    struct kv pairs = cef_pairs(cef);
    struct kv_pair pair;
    bool escaped = count == CEF_PARTS;
    for (int i = 0; i < count; i++) {
        struct slice text = cef_unescape(cef->part[i], run->batch->arena);
        run->out_of_memory |= !text.ptr;
        if (text.len)
            run_put(run, header->part[i], value_string(text), true);
    }
    struct key_put put = keys_begin(run, &header->keys);
    while (kv_next(&pairs, &pair) && keys_room(&put)) {
        struct slice value = escaped ? cef_unescape(pair.value, run->batch->arena) : pair.value;
        if (!value.ptr || value.len)
            keys_put(&put, pair.key, value);
    }
}

static enum run_result run_cef(struct run *run, const struct step *step)
{
    struct cef cef;
    if (!cef_cut(run_text(run, step->from), &cef))
        return run_fail(run, step, "the text has no CEF header");
    put_parts(run, step->data, &cef, CEF_PARTS);
    return RUN_OK;
}

static enum run_result run_leef(struct run *run, const struct step *step)
{
    struct cef cef;
    if (!leef_cut(run_text(run, step->from), &cef))
        return run_fail(run, step, "the text has no LEEF header");
    put_parts(run, step->data, &cef, CEF_CLASS + 1);
    return RUN_OK;
}

/* --- W3C extended log files (https://www.w3.org/TR/WD-logfile.html), as IIS and many proxies write them --- */

struct layouts {
    struct keys keys;
    const struct slice **names; /* of each layout */
    uint32_t *counts;
    uint32_t count;
};

static int compile_w3c(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *layouts = yaml_get(node, "layouts");
    struct layouts *data = verb_data(compiler, step, sizeof(*data));
    if (!data || keys_compile(compiler, node, "", &data->keys) < 0)
        return -1;
    if (layouts && layouts->kind != YAML_SEQUENCE)
        return yaml_err(compiler->err, node, "'layouts' must be a list of texts, each with the names of the fields");
    size_t count = layouts ? layouts->count : 0;
    data->names = arena_array(compiler->arena, count + 1, sizeof(*data->names));
    data->counts = arena_array(compiler->arena, count + 1, sizeof(*data->counts));
    if (!data->names || !data->counts)
        return err_nomem(compiler->err);
    for (; data->count < count; data->count++)
        if (verb_texts(compiler, layouts->entries[data->count].value, &data->names[data->count],
                       &data->counts[data->count]) < 0)
            return -1;
    return verb_from(compiler, node, step);
}

/* The next cell: up to white space, or in quotes (doubled within). */
static bool next_cell(struct slice *rest, struct slice *cell)
{
    size_t at = 0;
    while (at < rest->len && (rest->ptr[at] == ' ' || rest->ptr[at] == '\t'))
        at++;
    *rest = slice_from(*rest, at);
    if (!rest->len)
        return false;
    bool quoted = rest->ptr[0] == '"';
    for (at = quoted; at < rest->len; at++)
        if (quoted ? rest->ptr[at] == '"' : rest->ptr[at] == ' ' || rest->ptr[at] == '\t')
            break;
    *cell = slice_sub(*rest, quoted, at - quoted);
    *rest = slice_from(*rest, at + quoted);
    return true;
}

static uint32_t count_cells(struct slice text)
{
    struct slice cell;
    uint32_t count = 0;
    while (next_cell(&text, &cell))
        count++;
    return count;
}

static void put_cell(struct key_put *put, struct slice name, struct slice cell)
{
    if (cell.len && !slice_is(cell, "-"))
        keys_put(put, name, cell);
}

static enum run_result run_w3c(struct run *run, const struct step *step)
{
    const struct layouts *data = step->data;
    struct slice text = run_text(run, step->from), header = run->header, name, cell;
    struct key_put put = keys_begin(run, &data->keys);
    if (header.len) {
        run->header_used = true;
        while (next_cell(&text, &cell) && next_cell(&header, &name) && keys_room(&put))
            put_cell(&put, name, cell);
        return RUN_OK;
    }
    uint32_t cells = count_cells(text), layout = 0;
    while (layout < data->count && data->counts[layout] != cells)
        layout++;
    if (layout == data->count)
        return run_fail(run, step, "the line has %u fields, and none of the known layouts has so many: the "
                                   "file's #Fields line is missing", cells);
    for (uint32_t i = 0; next_cell(&text, &cell); i++)
        put_cell(&put, data->names[layout][i], cell);
    return RUN_OK;
}

/* --- XML --- */

/* "a.b{@c}" is a.b.c. */
static int put_leaf(void *context, struct slice path, struct slice text)
{
    struct key_put *put = context;
    ptrdiff_t brace = slice_find(path, SLICE("{@"));
    char name[FIELD_NAME_MAX];
    if (!keys_room(put))
        return 0;
    if (brace > 0 && path.len <= sizeof(name)) {
        size_t len = (size_t)brace, rest = path.len - len - 3;
        memcpy(name, path.ptr, len);
        name[len] = '.';
        memcpy(name + len + 1, path.ptr + len + 2, rest);
        path = slice_of(name, len + 1 + rest);
    }
    if (text.len)
        keys_put(put, path, text);
    return put->run->out_of_memory ? -1 : 0;
}

static enum run_result run_xml(struct run *run, const struct step *step)
{
    struct slice text = run_text(run, step->from);
    struct key_put put = keys_begin(run, step->data);
    if (!xml_path_fits(text))
        return run_fail(run, step, "the text is no XML");
    if (xml_path_leaves(text, run->batch->arena, put_leaf, &put) < 0)
        run->out_of_memory = true;
    return put.count ? RUN_OK : run_fail(run, step, "the text is no whole XML document");
}

/* --- entries of systemd's journal --- */

static enum run_result run_journal(struct run *run, const struct step *step)
{
    struct slice rest = run_text(run, step->from), name, value;
    struct key_put put = keys_begin(run, step->data);
    while (journal_export_field(&rest, &name, &value) && keys_room(&put))
        keys_put(&put, name, value);
    if (!put.count)
        return run_fail(run, step, "the text is no entry of a journal");
    return RUN_OK;
}

/* --- labels and values under headings --- */

enum { LABELS_SEEN_MAX = 64 };

struct labelled {
    struct section_words words;
    struct keys keys;
};

static struct map *map_of(struct decoder_compiler *compiler, const struct yaml_node *node)
{
    struct map *map = verb_new_map(compiler);
    const struct slice *list;
    uint32_t count;
    if (!map || verb_texts(compiler, node, &list, &count) < 0)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        if (map_put(map, list[i], map) < 0)
            return NULL;
    return map;
}

static int put_heading(struct decoder_compiler *compiler, struct map *headings, struct slice heading, struct slice kind)
{
    struct slice *value = arena_alloc(compiler->arena, sizeof(*value));
    if (!value || map_put(headings, heading, value) < 0)
        return err_nomem(compiler->err);
    *value = kind;
    return 0;
}

/* {KIND: [HEADING, ...]} */
static int compile_headings(struct decoder_compiler *compiler, const struct yaml_node *kinds, struct map *headings)
{
    const struct slice *list;
    uint32_t count;
    if (kinds && kinds->kind != YAML_MAPPING)
        return yaml_err(compiler->err, kinds, "'headings' must be a mapping of kinds to lists of headings");
    for (size_t i = 0; kinds && i < kinds->count; i++) {
        if (verb_texts(compiler, kinds->entries[i].value, &list, &count) < 0)
            return -1;
        for (uint32_t k = 0; k < count; k++)
            if (put_heading(compiler, headings, list[k], kinds->entries[i].key->text) < 0)
                return -1;
    }
    return 0;
}

/* {"KIND.LABEL, LABEL": field}; a heading that is in no kind is one itself. */
static int compile_labels(struct decoder_compiler *compiler, const struct yaml_node *names, struct map *labels,
                          struct map *headings)
{
    if (names && names->kind != YAML_MAPPING)
        return yaml_err(compiler->err, names, "'names' must be a mapping of labels to fields");
    for (size_t i = 0; names && i < names->count; i++) {
        const struct yaml_node *value = names->entries[i].value;
        struct slice keys = names->entries[i].key->text, key, heading, label;
        uint32_t field;
        if (verb_field(compiler, value, yaml_text(value, SLICE_NONE), &field) < 0 ||
            verb_put_keys(compiler, labels, names->entries[i].key, (void *)(uintptr_t)(field + 1)) < 0)
            return -1;
        while (slice_next_part(&keys, ',', &key))
            if (slice_cut(slice_trim(key), '.', &heading, &label) && !map_has(headings, heading) &&
                put_heading(compiler, headings, heading, heading) < 0)
                return -1;
    }
    return 0;
}

static int compile_sections(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct labelled *data = verb_data(compiler, step, sizeof(*data));
    struct map *labels = verb_new_map(compiler), *headings = verb_new_map(compiler);
    if (!data || !labels || !headings || verb_under(compiler, node, "", &data->keys.under) < 0)
        return -1;
    if (compile_headings(compiler, yaml_get(node, "headings"), headings) < 0 ||
        compile_labels(compiler, yaml_get(node, "names"), labels, headings) < 0)
        return -1;
    data->words = (struct section_words){.labels = labels, .headings = headings, .last = map_of(compiler, yaml_get(node, "last"))};
    if (!data->words.last || verb_texts(compiler, yaml_get(node, "ends"), &data->words.ends, &data->words.end_count) < 0)
        return -1;
    return verb_from(compiler, node, step);
}

static size_t put_letters(char *to, size_t len, struct slice words)
{
    for (size_t i = 0; i < words.len; i++) {
        char c = words.ptr[i], small = (char)(c | 0x20);
        if ((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80)
            to[len++] = c;
    }
    return len;
}

/* "Mandatory Label" is UNDER.MandatoryLabel; under a second heading UNDER.HeadingMandatoryLabel. */
static void put_unknown(struct key_put *put, const struct section_value *value, bool again)
{
    char name[2 * LABEL_BYTES_MAX];
    size_t len = again && value->heading.len <= LABEL_BYTES_MAX ? put_letters(name, 0, value->heading) : 0;
    len = put_letters(name, len, value->label);
    keys_put(put, slice_of(name, len), value->value);
}

static enum run_result run_sections(struct run *run, const struct step *step)
{
    const struct labelled *data = step->data;
    struct sections sections = sections_begin(&data->words, run_text(run, step->from));
    struct key_put put = keys_begin(run, &data->keys);
    struct slice seen[LABELS_SEEN_MAX];
    size_t seen_count = 0, i;
    struct section_value value;
    while (sections_next(&sections, &value) && keys_room(&put)) {
        uintptr_t field = (uintptr_t)sections_known(&data->words, value.heading, value.label);
        if (field) {
            run_put_text(run, (uint32_t)field - 1, value.value);
            continue;
        }
        for (i = 0; i < seen_count && !slice_equal(seen[i], value.label); i++)
            ;
        put_unknown(&put, &value, i < seen_count);
        if (i == seen_count && seen_count < LABELS_SEEN_MAX)
            seen[seen_count++] = value.label;
    }
    return put.count ? RUN_OK : run_fail(run, step, "the text has no labels with values");
}

static const struct verb list[] = {
    {"cef", VERB_OPTIONS, "from under names skip", compile_cef, run_cef, NEEDS_NOTHING},
    {"leef", VERB_OPTIONS, "from under names skip", compile_leef, run_leef, NEEDS_NOTHING},
    {"w3c", VERB_OPTIONS, "from under names skip layouts", compile_w3c, run_w3c, NEEDS_NOTHING},
    {"xml", VERB_OPTIONS, "from under names skip", compile_keys, run_xml, NEEDS_NOTHING},
    {"sections", VERB_OPTIONS, "from under headings names last ends", compile_sections, run_sections, NEEDS_NOTHING},
    {"journal", VERB_OPTIONS, "from under names skip", compile_keys, run_journal, NEEDS_NOTHING},
};
const struct verb_family verbs_format = {list, ARRAY_COUNT(list)};
