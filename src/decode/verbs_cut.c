/* The steps that cut a text into fields. */
#include "decode/verb.h"

#include "cut/csv.h"
#include "cut/dissect.h"
#include "cut/kv.h"
#include "cut/syslog.h"
#include "cut/winjson.h"
#include "cut/winxml.h"
#include "decode/decode_run.h"
#include "decode/run_put.h"

/* What the step is given, or what comes of a step that is given nothing. */
static bool has_text(struct run *run, const struct step *step, struct slice *text, enum run_result *result)
{
    *text = run_text(run, step->from);
    if (!text->ptr)
        *result = step->optional ? RUN_OK : run_fail(run, step, "there is nothing to cut");
    return text->ptr != NULL;
}

/* --- JSON and Windows' events --- */

struct under {
    struct slice prefix;
};

static int compile_json(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct under *data = verb_data(compiler, step, sizeof(*data));
    return data && verb_under(compiler, node, "", &data->prefix) == 0 ? verb_from(compiler, node, step) : -1;
}

/* The text's tokens in run->tokens, scanned anew unless they are there already. */
static int scan_json(struct run *run, struct slice text, struct err *err)
{
    if (run->tokens_of.ptr == text.ptr && run->tokens_of.len == text.len)
        return 0;
    run->tokens_of = SLICE_NONE;
    if (json_cutter_scan(run->runner->json, text, run->batch->arena, &run->tokens, err) < 0)
        return -1;
    run->tokens_of = text;
    return 0;
}

typedef int whole_cut(struct run *run, const struct step *step, struct slice text, struct err *err);

/* A text that is cut all at once by who says why it cannot. */
static inline enum run_result cut_whole(struct run *run, const struct step *step, whole_cut *cut)
{
    enum run_result result;
    struct slice text;
    UNSET struct err err;
    if (!has_text(run, step, &text, &result))
        return result;
    err_clear(&err);
    if (cut(run, step, text, &err) == 0)
        return RUN_OK;
    run->out_of_memory |= err.code == ERR_NOMEM;
    return run_fail(run, step, "%s", err.text);
}

static int put_json(struct run *run, const struct step *step, struct slice text, struct err *err)
{
    const struct under *under = step->data;
    if (scan_json(run, text, err) < 0)
        return -1;
    return json_cutter_put(run->runner->json, &run->tokens, 0, under->prefix, run->batch, run->row, &run->json_flags, err);
}

static enum run_result run_json(struct run *run, const struct step *step)
{
    return cut_whole(run, step, put_json);
}

static int put_winxml(struct run *run, const struct step *step, struct slice text, struct err *err)
{
    (void)step;
    return cut_winxml(&run->runner->columns, text, run->batch, run->row, &run->left, err);
}

static enum run_result run_winxml(struct run *run, const struct step *step)
{
    return cut_whole(run, step, put_winxml);
}

static int put_winjson(struct run *run, const struct step *step, struct slice text, struct err *err)
{
    (void)step;
    if (scan_json(run, text, err) < 0)
        return -1;
    run->json_flags |= run->tokens.not_utf8 ? JSON_CUT_NOT_UTF8 : 0;
    return cut_winjson(&run->runner->columns, &run->tokens, run->batch, run->row, &run->left, err);
}

static enum run_result run_winjson(struct run *run, const struct step *step)
{
    return cut_whole(run, step, put_winjson);
}

/* --- key and value --- */

struct pairs {
    struct keys keys;
    struct kv kv; /* without a text */
};

static int compile_kv(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *spaces = yaml_get(node, "spaces");
    struct pairs *data = verb_data(compiler, step, sizeof(*data));
    if (!data || keys_compile(compiler, node, "", &data->keys) < 0)
        return -1;
    struct slice equals = yaml_text(yaml_get(node, "equals"), SLICE("="));
    data->kv = (struct kv){.separator = yaml_text(yaml_get(node, "separator"), SLICE(" ")),
                           .quotes = yaml_text(yaml_get(node, "quotes"), SLICE("\""))};
    if (equals.len != 1)
        return yaml_err(compiler->err, node, "'equals' must be one character");
    data->kv.equals = equals.ptr[0];
    if (!data->kv.separator.len)
        return yaml_err(compiler->err, node, "'separator' must not be empty");
    if (spaces && !yaml_to_bool(spaces, &data->kv.spaces))
        return yaml_err(compiler->err, spaces, "'spaces' must be true or false");
    if (data->kv.spaces && data->kv.separator.len != 1)
        return yaml_err(compiler->err, node, "with 'spaces', the separator must be one character");
    return verb_from(compiler, node, step);
}

static enum run_result run_kv(struct run *run, const struct step *step)
{
    const struct pairs *pairs = step->data;
    enum run_result result;
    struct kv kv = pairs->kv;
    struct kv_pair pair;
    if (!has_text(run, step, &kv.rest, &result))
        return result;
    struct key_put put = keys_begin(run, &pairs->keys);
    while (kv_next(&kv, &pair) && keys_room(&put)) {
        struct slice value = pair.escaped ? kv_unescape(pair.value, run->batch->arena) : pair.value;
        keys_put(&put, pair.key, value);
    }
    return put.count ? RUN_OK : run_fail(run, step, "the text has no key and value");
}

/* --- cells --- */

struct cells {
    uint32_t *targets; /* UINT32_MAX: not kept */
    uint32_t count;
    char separator;
    bool header; /* names come from the file's header line, where there is one */
    struct slice under;
};

static int compile_targets(struct decoder_compiler *compiler, const struct yaml_node *names,
                           struct cells *data)
{
    data->targets = arena_array(compiler->arena, names->count + 1, sizeof(*data->targets));
    if (!data->targets)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < names->count; i++) {
        struct slice name = yaml_text(names->entries[i].value, SLICE_NONE);
        uint32_t *target = &data->targets[data->count++];
        *target = UINT32_MAX;
        if (name.len && verb_field(compiler, names->entries[i].value, name, target) < 0)
            return -1;
    }
    return 0;
}

static int compile_cells(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step,
                         struct slice separator)
{
    const struct yaml_node *names = node->kind == YAML_SEQUENCE ? node : yaml_get(node, "names");
    const struct yaml_node *header = yaml_get(node, "header");
    struct cells *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    separator = yaml_text(yaml_get(node, "separator"), separator);
    if (separator.len != 1)
        return yaml_err(compiler->err, node, "'separator' must be one character");
    data->separator = separator.ptr[0];
    if (header && !yaml_to_bool(header, &data->header))
        return yaml_err(compiler->err, header, "'header' must be true or false");
    if (names ? names->kind != YAML_SEQUENCE : !data->header)
        return yaml_err(compiler->err, node, "'names' must be a list");
    if ((names && compile_targets(compiler, names, data) < 0) ||
        verb_under(compiler, node, "", &data->under) < 0)
        return -1;
    return verb_from(compiler, node, step);
}

static int compile_csv(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    return compile_cells(compiler, node, step, SLICE(","));
}

static int compile_tsv(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    return compile_cells(compiler, node, step, SLICE("\t"));
}

static struct slice cell_text(struct run *run, const struct csv_cell *cell)
{
    struct slice text = cell->escaped ? csv_unescape(cell->text, run->batch->arena) : cell->text;
    run->out_of_memory |= !text.ptr;
    return text;
}

/* Cells under the names of the header line. */
static void put_by_header(struct run *run, const struct cells *cells, struct csv *csv)
{
    struct keys keys = {.under = cells->under};
    struct csv header = {run->header, cells->separator, true};
    struct csv_cell cell, name;
    struct key_put put = keys_begin(run, &keys);
    run->header_used = true;
    while (csv_next(csv, &cell) && csv_next(&header, &name) && keys_room(&put)) {
        struct slice text = cell_text(run, &cell);
        if (text.len)
            keys_put(&put, slice_trim(cell_text(run, &name)), text);
    }
}

static enum run_result run_csv(struct run *run, const struct step *step)
{
    const struct cells *cells = step->data;
    struct csv csv = {.separator = cells->separator, .more = true};
    enum run_result result;
    struct csv_cell cell;
    if (!has_text(run, step, &csv.rest, &result))
        return result;
    if (cells->header && run->header.len) {
        put_by_header(run, cells, &csv);
        return RUN_OK;
    }
    if (!cells->count)
        return run_fail(run, step, "the names of the cells are not known: the file's header line is missing");
    for (uint32_t i = 0; i < cells->count && csv_next(&csv, &cell); i++) {
        struct slice text = cells->targets[i] == UINT32_MAX ? SLICE("") : cell_text(run, &cell);
        if (text.len)
            run_put_text(run, cells->targets[i], text);
    }
    return RUN_OK;
}

/* --- patterns --- */

struct dissection {
    struct dissect dissect;
    uint32_t targets[DISSECT_KEYS_MAX];
};

static int compile_dissect(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice pattern = verb_scalar_or(node, "pattern");
    struct dissection *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (!pattern.ptr)
        return yaml_err(compiler->err, node, "'pattern' is missing");
    if (dissect_compile(pattern, compiler->arena, &data->dissect, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    for (size_t i = 0; i < data->dissect.count; i++) {
        struct slice name = data->dissect.parts[i].key;
        data->targets[i] = UINT32_MAX;
        if (name.len && verb_field(compiler, node, name, &data->targets[i]) < 0)
            return -1;
    }
    return verb_from(compiler, node, step);
}

static enum run_result run_dissect(struct run *run, const struct step *step)
{
    const struct dissection *data = step->data;
    struct slice values[DISSECT_KEYS_MAX], text;
    enum run_result result;
    if (!has_text(run, step, &text, &result))
        return result;
    if (!dissect_match(&data->dissect, text, values))
        return run_fail(run, step, "the text does not fit the pattern");
    for (size_t i = 0; i < data->dissect.count; i++)
        if (values[i].len)
            run_put_text(run, data->targets[i], values[i]);
    return RUN_OK;
}

struct groups {
    struct regex *regex;
    uint32_t *targets, *numbers;
    uint32_t count;
};

/* PCRE2 names are words: "source__ip" is source.ip. */
static struct slice group_field(struct arena *arena, struct slice name)
{
    char *to = arena_alloc(arena, name.len + 1);
    size_t len = 0;
    if (!to)
        return SLICE_NONE;
    for (size_t i = 0; i < name.len; i++) {
        bool dot = i > 0 && i + 2 < name.len && name.ptr[i] == '_' && name.ptr[i + 1] == '_';
        to[len++] = dot ? '.' : name.ptr[i];
        i += dot;
    }
    return slice_of(to, len);
}

static int compile_regex(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct groups *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_regex(compiler, node, verb_scalar_or(node, "pattern"), &data->regex) < 0)
        return -1;
    data->count = regex_name_count(data->regex);
    data->targets = arena_array(compiler->arena, data->count + 1U, sizeof(*data->targets));
    data->numbers = arena_array(compiler->arena, data->count + 1U, sizeof(*data->numbers));
    if (!data->targets || !data->numbers)
        return err_nomem(compiler->err);
    for (uint32_t i = 0; i < data->count; i++) {
        struct slice name = regex_name(data->regex, i, &data->numbers[i]);
        name = group_field(compiler->arena, name);
        if (!name.ptr)
            return err_nomem(compiler->err);
        if (verb_field(compiler, node, name, &data->targets[i]) < 0)
            return -1;
    }
    return verb_from(compiler, node, step);
}

static enum run_result run_regex(struct run *run, const struct step *step)
{
    const struct groups *data = step->data;
    struct regex_groups groups;
    enum run_result result;
    struct slice text;
    if (!has_text(run, step, &text, &result))
        return result;
    enum regex_result found = regex_capture(data->regex, text, 0, &groups);
    if (found == REGEX_LIMIT)
        return run_fail(run, step, "the regular expression gave up at its match limit");
    if (found == REGEX_NO)
        return run_fail(run, step, "the text does not fit the pattern");
    for (uint32_t i = 0; i < data->count; i++)
        if (data->numbers[i] < groups.count && groups.group[data->numbers[i]].len)
            run_put_text(run, data->targets[i], groups.group[data->numbers[i]]);
    return RUN_OK;
}

/* --- syslog --- */

static void put_known(struct run *run, enum known_field known, struct value v)
{
    run_put(run, run->runner->decoders->known[known], v, true);
}

static void put_known_text(struct run *run, enum known_field known, struct slice text)
{
    if (text.len)
        put_known(run, known, value_string(text));
}

/* [id name="value"]: log.syslog.structured_data.ID.NAME */
static void put_structured_data(struct run *run, struct slice data)
{
    static const char prefix[] = "log.syslog.structured_data.";
    char name[FIELD_NAME_MAX];
    struct slice id, parameters, key, value;
    bool escaped;
    memcpy(name, prefix, sizeof(prefix) - 1);
    while (syslog_next_element(&data, &id, &parameters)) {
        size_t len = sizeof(prefix) - 1;
        if (len + id.len + 1 > sizeof(name) / 2)
            continue;
        memcpy(name + len, id.ptr, id.len);
        len += id.len;
        name[len++] = '.';
        struct keys keys = {.under = slice_of(name, len)};
        struct key_put put = keys_begin(run, &keys);
        while (syslog_next_parameter(&parameters, &key, &value, &escaped) && keys_room(&put))
            keys_put(&put, key, escaped ? kv_unescape(value, run->batch->arena) : value);
    }
}

static void put_priority(struct run *run, int priority)
{
    put_known(run, KNOWN_PRIORITY, value_i64(priority));
    put_known(run, KNOWN_FACILITY_CODE, value_i64(priority / 8));
    put_known(run, KNOWN_SEVERITY_CODE, value_i64(priority % 8));
    put_known_text(run, KNOWN_FACILITY_NAME, slice_text(syslog_facility_name(priority)));
    put_known_text(run, KNOWN_SEVERITY_NAME, slice_text(syslog_severity_name(priority)));
}

static enum run_result run_syslog(struct run *run, const struct step *step)
{
    struct syslog syslog;
    enum run_result result;
    struct slice text;
    int64_t pid;
    if (!has_text(run, step, &text, &result))
        return result;
    if (!syslog_cut(text, run->zone, run->received_ns, &syslog))
        return run_fail(run, step, "the text does not begin like a syslog message");
    if (syslog.priority >= 0)
        put_priority(run, syslog.priority);
    if (syslog.version)
        put_known_text(run, KNOWN_SYSLOG_VERSION, SLICE("1"));
    if (syslog.has_time)
        put_known(run, KNOWN_TIMESTAMP, value_time(syslog.time_ns));
    put_known_text(run, KNOWN_HOSTNAME, syslog.host);
    put_known_text(run, KNOWN_HOST, syslog.host);
    put_known_text(run, KNOWN_PROCESS_NAME, syslog.app);
    if (syslog.pid.len)
        put_known(run, KNOWN_PROCESS_PID,
                  slice_to_i64(syslog.pid, &pid) ? value_i64(pid) : value_string(syslog.pid));
    put_known_text(run, KNOWN_SYSLOG_MESSAGE_ID, syslog.message_id);
    put_known_text(run, KNOWN_MESSAGE, syslog.message);
    put_structured_data(run, syslog.data);
    return RUN_OK;
}

static const struct verb list[] = {
    {"json", VERB_OPTIONS, "from under", compile_json, run_json, NEEDS_FROM_IF_OPTIONAL},
    {"kv", VERB_OPTIONS, "from under names skip separator equals quotes spaces", compile_kv, run_kv, NEEDS_FROM_IF_OPTIONAL},
    {"csv", VERB_OPTIONS, "from names separator header under", compile_csv, run_csv, NEEDS_FROM_IF_OPTIONAL},
    {"tsv", VERB_OPTIONS, "from names separator header under", compile_tsv, run_csv, NEEDS_FROM_IF_OPTIONAL},
    {"dissect", VERB_OPTIONS, "from pattern", compile_dissect, run_dissect, NEEDS_FROM_IF_OPTIONAL},
    {"regex", VERB_OPTIONS, "from pattern", compile_regex, run_regex, NEEDS_FROM_IF_OPTIONAL},
    {"syslog", VERB_OPTIONS, "from", verb_from, run_syslog, NEEDS_FROM_IF_OPTIONAL},
    {"winxml", VERB_OPTIONS, "from", verb_from, run_winxml, NEEDS_FROM_IF_OPTIONAL},
    {"winjson", VERB_OPTIONS, "from", verb_from, run_winjson, NEEDS_FROM_IF_OPTIONAL},
};
const struct verb_family verbs_cut = {list, ARRAY_COUNT(list)};
