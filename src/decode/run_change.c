/* The steps that move and change fields. */
#include "decode/decode_run.h"

#include "base/time_pattern.h"

/* The values of one field go to another. Values of a column are read by position, since adding to
 * the other column may move nothing of the first. */
static void copy_values(struct run *run, uint32_t from, uint32_t to)
{
    struct value_list list = run_get(run, from);
    for (uint32_t i = 0; i < list.count; i++)
        run_put(run, to, list.values[i], false);
}

static void copy_any(struct run *run, const struct step *step, bool rename)
{
    if (step->from == step->to || !run_get(run, step->from).count)
        return;
    run_drop(run, step->to);
    copy_values(run, step->from, step->to);
    if (rename)
        run_drop(run, step->from);
}

/* Most go from one column with one value to another: that without a call, since there are many for each event. */
static void run_copy(struct run *run, const struct step *step, bool rename)
{
    const struct field *from = run_field(run, step->from), *to = run_field(run, step->to);
    bool columns = from->kind == FIELD_COLUMN && to->kind == FIELD_COLUMN && from != to;
    struct column *source = columns ? run_column(run, from) : NULL;
    if (columns && (!source || !column_has_row(source, run->row)))
        return;
    struct column *target = columns ? run_column(run, to) : NULL;
    uint32_t last = target ? source->count - 1 : 0;
    if (!target || (last && source->rows[last - 1] == run->row) || source->values[last].type == VALUE_NULL) {
        copy_any(run, step, rename);
        return;
    }
    struct value v = source->values[last];
    source->count -= rename;
    column_drop_last(target, run->row);
    if (column_add(run->batch, target, run->row, v) < 0)
        run->out_of_memory = true;
}

/* Literal, field, literal, ...; NULL when one of the fields is missing. */
static struct value fill_template(struct run *run, const struct constant *constant)
{
    struct slice pieces[128];
    size_t len = 0, count = 0;
    for (uint32_t i = 0; i < constant->part_count; i++) {
        const struct template_part *part = &constant->parts[i];
        pieces[count++] = part->literal;
        if (part->field != UINT32_MAX) {
            struct slice text = run_text(run, part->field);
            if (!text.ptr)
                return value_null();
            pieces[count++] = text;
        }
    }
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    char *start = arena_alloc(run->batch->arena, len + 1), *to = start;
    if (!start || len > EVENT_BYTES_MAX) {
        run->out_of_memory |= !start;
        return value_null();
    }
    for (size_t i = 0; i < count; i++)
        to = mempcpy(to, pieces[i].ptr, pieces[i].len);
    return value_string(slice_of(start, len));
}

/* A decoder's own value, in a batch that may outlive it or not. */
static struct value own_value(struct run *run, struct value v)
{
    v = run->runner->borrows ? v : value_copy(v, run->batch->arena);
    run->out_of_memory |= v.type == VALUE_NULL;
    return v;
}

static void put_constant(struct run *run, uint32_t field, const struct constant *constant)
{
    if (constant->parts) {
        struct value v = fill_template(run, constant);
        if (v.type != VALUE_NULL)
            run_put(run, field, v, true);
        return;
    }
    if (constant->count != 1)
        run_drop(run, field);
    for (uint32_t i = 0; i < constant->count; i++)
        run_put(run, field, own_value(run, constant->values[i]), constant->count == 1);
}

/* --- conversions --- */

static struct value to_bool(struct slice text)
{
    if (slice_is_nocase(text, "true") || slice_is(text, "1") || slice_is_nocase(text, "yes"))
        return value_bool(true);
    if (slice_is_nocase(text, "false") || slice_is(text, "0") || slice_is_nocase(text, "no"))
        return value_bool(false);
    return value_null();
}

static struct value to_case(struct run *run, struct slice text, char low, char high)
{
    char *to = arena_alloc(run->batch->arena, text.len + 1);
    if (!to) {
        run->out_of_memory = true;
        return value_null();
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        to[i] = (char)(c >= low && c <= high ? c ^ 0x20 : c);
    }
    return value_string(slice_of(to, text.len));
}

static struct value to_hex(struct slice text)
{
    uint64_t n = 0;
    if (slice_starts(text, SLICE("0x")) || slice_starts(text, SLICE("0X")))
        text = slice_from(text, 2);
    if (text.len == 0 || text.len > 15)
        return value_null();
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)(text.ptr[i] | 0x20);
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit > 15)
            return value_null();
        n = n << 4 | digit;
    }
    return value_i64((int64_t)n);
}

static struct value to_number(struct run *run, struct slice text, enum convert_kind kind)
{
    struct decimal d;
    int64_t n;
    double f;
    if (kind == CONVERT_INT)
        return slice_to_i64(text, &n) ? value_i64(n) : value_null();
    if (kind == CONVERT_FLOAT)
        return slice_to_f64(text, &f) ? value_f64(f) : value_null();
    if (!decimal_parse(text, &d))
        return value_null();
    return value_from_number_text(text, run->batch->arena);
}

/* NULL: it does not fit, and the old value stays. */
static struct value converted(struct run *run, struct slice text, enum convert_kind kind)
{
    struct ip ip;
    switch (kind) {
    case CONVERT_INT:
    case CONVERT_DECIMAL:
    case CONVERT_FLOAT:
        return to_number(run, slice_trim(text), kind);
    case CONVERT_BOOL:
        return to_bool(slice_trim(text));
    case CONVERT_IP:
        return ip_parse(slice_trim(text), &ip) ? value_ip(&ip, run->batch->arena) : value_null();
    case CONVERT_LOWERCASE:
        return to_case(run, text, 'A', 'Z');
    case CONVERT_UPPERCASE:
        return to_case(run, text, 'a', 'z');
    case CONVERT_TRIM:
        return value_string(slice_trim(text));
    case CONVERT_HEX:
        return to_hex(slice_trim(text));
    case CONVERT_STRING:
        break;
    }
    return value_string(text);
}

static struct slice text_of(struct run *run, struct value v)
{
    return v.type == VALUE_STRING ? value_slice(v) : value_text(v, run->batch->arena);
}

/* In place: the values of this event are the column's last. */
static enum run_result run_convert(struct run *run, const struct step *step)
{
    struct value_list list = run_get(run, step->from);
    if (!list.count)
        return RUN_OK;
    const struct field *field = &run->runner->decoders->fields.list[step->from];
    if (field->kind == FIELD_TEXT)
        return RUN_OK;
    struct value *values = (struct value *)(uintptr_t)list.values;
    enum run_result result = RUN_OK;
    for (uint32_t i = 0; i < list.count; i++) {
        if (values[i].type == VALUE_NULL)
            continue;
        struct slice text = text_of(run, values[i]);
        struct value v = text.ptr ? converted(run, text, step->convert) : value_null();
        if (v.type != VALUE_NULL)
            values[i] = v;
        else if (!step->optional)
            result = run_fail(run, step, "'%.*s' of %.*s cannot be converted",
                              (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "",
                              SLICE_ARG(field->name));
        if (field->kind == FIELD_COLUMN && run->runner->known[field->slot])
            run->runner->known[field->slot]->types_seen |= (uint16_t)(1U << values[i].type);
    }
    return result;
}

/* --- dates --- */

static bool parse_date(struct run *run, const struct step *step, struct slice text, int64_t *out)
{
    const struct zone *zone = step->zone_set ? step->zone : run->zone;
    struct time_pattern_in in = {zone, run->received_ns};
    bool zone_seen;
    for (uint32_t i = 0; i < step->format_count; i++) {
        const struct date_format *format = &step->formats[i];
        size_t used;
        if (format->kind == DATE_EPOCH && time_parse_epoch(text, out))
            return true;
        if (format->kind == DATE_PATTERN &&
            time_pattern_parse(format->pattern, text, &in, out, &used) && used == text.len)
            return true;
        if (format->kind != DATE_ISO || !time_parse_rfc3339(text, out, &zone_seen))
            continue;
        if (!zone_seen) {
            struct time_parts parts;
            time_split(*out, &parts);
            return zone_to_utc(zone, &parts, 0, out);
        }
        return true;
    }
    return false;
}

static enum run_result run_date(struct run *run, const struct step *step)
{
    struct value_list list = run_get(run, step->from);
    int64_t t;
    if (!list.count || list.values[0].type == VALUE_NULL)
        return RUN_OK;
    if (list.values[0].type == VALUE_TIME) {
        run_put(run, step->to, list.values[0], true);
        return RUN_OK;
    }
    struct slice text = run_text(run, step->from);
    if (!parse_date(run, step, slice_trim(text), &t))
        return run_fail(run, step, "'%.*s' is no time in any of the formats",
                        (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "");
    run_put(run, step->to, value_time(t), true);
    return RUN_OK;
}

/* --- others --- */

static void run_lookup(struct run *run, const struct step *step)
{
    struct value_list list = run_get(run, step->from);
    struct value keys[16];
    uint32_t count = list.count < ARRAY_COUNT(keys) ? list.count : (uint32_t)ARRAY_COUNT(keys);
    bool found = false;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = list.values[i];
    if (!count)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = text_of(run, keys[i]);
        const struct constant *constant = key.ptr ? map_find(step->table, key) : NULL;
        if (!constant)
            continue;
        if (!found)
            put_constant(run, step->to, constant);
        else
            for (uint32_t k = 0; k < constant->count; k++)
                run_put(run, step->to, own_value(run, constant->values[k]), false);
        found = true;
    }
    if (!found && (step->constant.count || step->constant.parts))
        put_constant(run, step->to, &step->constant);
}

static void run_split(struct run *run, const struct step *step)
{
    struct slice text = run_text(run, step->from);
    if (!text.ptr || slice_find(text, step->by) < 0)
        return;
    run_drop(run, step->from);
    for (;;) {
        ptrdiff_t end = slice_find(text, step->by);
        struct slice part = slice_trim(slice_sub(text, 0, end < 0 ? text.len : (size_t)end));
        if (part.len)
            run_put(run, step->from, value_string(part), false);
        if (end < 0)
            break;
        text = slice_from(text, (size_t)end + step->by.len);
    }
}

/* The last part of a path with either slash, or what is before it. */
static void run_path_part(struct run *run, const struct step *step)
{
    struct slice path = run_text(run, step->from);
    size_t cut = path.len;
    while (cut > 0 && path.ptr[cut - 1] != '\\' && path.ptr[cut - 1] != '/')
        cut--;
    struct slice part = step->kind == STEP_BASENAME ? slice_from(path, cut)
                                                    : slice_sub(path, 0, cut ? cut - 1 : 0);
    if (part.len)
        run_put(run, step->to, value_string(part), true);
}

static bool has_value(struct run *run, uint32_t field, struct value v)
{
    struct value_list list = run_get(run, field);
    for (uint32_t i = 0; i < list.count; i++)
        if (value_equal(list.values[i], v))
            return true;
    return false;
}

/* related.user: [user.name, ...]: each value once. */
static void run_append(struct run *run, const struct step *step)
{
    uint32_t count = run_get(run, step->to).count;
    for (uint32_t i = 0; i < count; i++) {
        struct value_list list = run_get(run, step->to);
        struct value v = list.values[i];
        bool empty = v.type == VALUE_NULL || (v.type == VALUE_STRING && v.len == 0);
        if (!empty && !has_value(run, step->from, v))
            run_put(run, step->from, v, false);
    }
}

enum run_result run_change_step(struct run *run, const struct step *step)
{
    switch ((int)step->kind) {
    case STEP_RENAME:
        run_copy(run, step, true);
        break;
    case STEP_COPY:
        run_copy(run, step, false);
        break;
    case STEP_BASENAME:
    case STEP_DIRNAME:
        run_path_part(run, step);
        break;
    case STEP_SET:
        put_constant(run, step->from, &step->constant);
        break;
    case STEP_DEFAULT:
        if (!run_get(run, step->from).count)
            put_constant(run, step->from, &step->constant);
        break;
    case STEP_CONVERT:
        return run_convert(run, step);
    case STEP_DATE:
        return run_date(run, step);
    case STEP_LOOKUP:
        run_lookup(run, step);
        break;
    case STEP_SPLIT:
        run_split(run, step);
        break;
    case STEP_DROP:
        run_drop(run, step->from);
        break;
    default:
        run_append(run, step);
        break;
    }
    return RUN_OK;
}
