/* The steps that cut a text into fields. */
#include "decode/decode_run.h"

#include "cut/csv.h"
#include "cut/kv.h"
#include "cut/syslog.h"
#include "cut/winjson.h"
#include "cut/winxml.h"

static void put_text(struct run *run, uint32_t field, struct slice text)
{
    if (field != UINT32_MAX && text.ptr)
        run_put(run, field, value_string(text), false);
}

static void put_known(struct run *run, enum known_field known, struct value v)
{
    run_put(run, run->runner->decoders->known[known], v, true);
}

static void put_known_text(struct run *run, enum known_field known, struct slice text)
{
    if (text.len)
        put_known(run, known, value_string(text));
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

static enum run_result cut_json_step(struct run *run, const struct step *step, struct slice text)
{
    struct json_cutter *cutter = run->runner->json;
    UNSET struct err err;
    err_clear(&err);
    if (scan_json(run, text, &err) < 0)
        return run_fail(run, step, "%s", err.text);
    if (json_cutter_put(cutter, &run->tokens, 0, step->under, run->batch, run->row,
                        &run->json_flags, &err) < 0) {
        run->out_of_memory |= err.code == ERR_NOMEM;
        return run_fail(run, step, "%s", err.text);
    }
    return RUN_OK;
}

/* A name that only the event knows. */
static void put_dynamic(struct run *run, struct slice prefix, struct slice key, struct value v)
{
    char name[FIELD_NAME_MAX];
    if (prefix.len + key.len > sizeof(name) || !key.len) {
        run->left = true;
        return;
    }
    if (prefix.len) {
        memcpy(mempcpy(name, prefix.ptr, prefix.len), key.ptr, key.len);
        key = slice_of(name, prefix.len + key.len);
    }
    struct column *column = columns_find(&run->runner->columns, run->batch, key);
    if (!column || (column->count >= FIELD_VALUES_MAX &&
                    column->rows[column->count - FIELD_VALUES_MAX] == run->row))
        run->left = true;
    else if (column_add(run->batch, column, run->row, v) < 0)
        run->out_of_memory = true;
}

static struct value text_or_gone(struct run *run, struct slice text)
{
    run->out_of_memory |= !text.ptr;
    return text.ptr ? value_string(text) : value_null();
}

static enum run_result cut_kv_step(struct run *run, const struct step *step, struct slice text)
{
    struct kv kv = {text, step->separator, step->equals};
    struct kv_pair pair;
    uint32_t count = 0;
    columns_begin(&run->runner->columns, run->batch);
    while (kv_next(&kv, &pair)) {
        if (++count > EVENT_FIELDS_MAX) {
            run->left = true;
            break;
        }
        struct slice value = pair.escaped ? kv_unescape(pair.value, run->batch->arena) : pair.value;
        put_dynamic(run, step->under, pair.key, text_or_gone(run, value));
    }
    return count ? RUN_OK : run_fail(run, step, "the text has no key and value");
}

static enum run_result cut_csv_step(struct run *run, const struct step *step, struct slice text)
{
    struct csv csv = {text, step->separator, true};
    struct csv_cell cell;
    uint32_t i = 0;
    for (; i < step->target_count && csv_next(&csv, &cell); i++) {
        struct slice value = cell.escaped ? csv_unescape(cell.text, run->batch->arena) : cell.text;
        run->out_of_memory |= !value.ptr;
        if (value.len)
            put_text(run, step->targets[i], value);
    }
    return i ? RUN_OK : run_fail(run, step, "the line has no cells");
}

static enum run_result cut_dissect_step(struct run *run, const struct step *step, struct slice text)
{
    struct slice values[DISSECT_KEYS_MAX];
    if (!dissect_match(step->dissect, text, values))
        return run_fail(run, step, "the text does not fit the pattern");
    for (uint32_t i = 0; i < step->target_count; i++)
        if (values[i].len)
            put_text(run, step->targets[i], values[i]);
    return RUN_OK;
}

static enum run_result cut_regex_step(struct run *run, const struct step *step, struct slice text)
{
    struct regex_groups groups;
    enum regex_result result = regex_capture(step->regex, text, 0, &groups);
    if (result == REGEX_LIMIT)
        return run_fail(run, step, "the regular expression gave up at its match limit");
    if (result == REGEX_NO)
        return run_fail(run, step, "the text does not fit the pattern");
    for (uint32_t i = 0; i < step->target_count; i++)
        if (step->groups[i] < groups.count && groups.group[step->groups[i]].len)
            put_text(run, step->targets[i], groups.group[step->groups[i]]);
    return RUN_OK;
}

static enum run_result cut_winxml_step(struct run *run, const struct step *step, struct slice text)
{
    UNSET struct err err;
    err_clear(&err);
    if (cut_winxml(&run->runner->columns, text, run->batch, run->row, &run->left, &err) == 0)
        return RUN_OK;
    run->out_of_memory |= err.code == ERR_NOMEM;
    return run_fail(run, step, "%s", err.text);
}

static enum run_result cut_winjson_step(struct run *run, const struct step *step, struct slice text)
{
    UNSET struct err err;
    err_clear(&err);
    if (scan_json(run, text, &err) == 0 &&
        cut_winjson(&run->runner->columns, &run->tokens, run->batch, run->row, &run->left,
                    &err) == 0) {
        run->json_flags |= run->tokens.not_utf8 ? JSON_CUT_NOT_UTF8 : 0;
        return RUN_OK;
    }
    run->out_of_memory |= err.code == ERR_NOMEM;
    return run_fail(run, step, "%s", err.text);
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
        while (syslog_next_parameter(&parameters, &key, &value, &escaped)) {
            if (escaped)
                value = kv_unescape(value, run->batch->arena);
            put_dynamic(run, slice_of(name, len), key, text_or_gone(run, value));
        }
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

static enum run_result cut_syslog_step(struct run *run, const struct step *step, struct slice text)
{
    struct syslog syslog;
    int64_t pid;
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
    columns_begin(&run->runner->columns, run->batch);
    put_structured_data(run, syslog.data);
    return RUN_OK;
}

enum run_result run_cut_step(struct run *run, const struct step *step)
{
    struct slice text = run_text(run, step->from);
    if (!text.ptr)
        return step->optional ? RUN_OK : run_fail(run, step, "there is nothing to cut");
    switch ((int)step->kind) {
    case STEP_JSON:
        return cut_json_step(run, step, text);
    case STEP_KV:
        return cut_kv_step(run, step, text);
    case STEP_SYSLOG:
        return cut_syslog_step(run, step, text);
    case STEP_DISSECT:
        return cut_dissect_step(run, step, text);
    case STEP_REGEX:
        return cut_regex_step(run, step, text);
    case STEP_CSV:
        return cut_csv_step(run, step, text);
    case STEP_WINJSON:
        return cut_winjson_step(run, step, text);
    default:
        return cut_winxml_step(run, step, text);
    }
}
