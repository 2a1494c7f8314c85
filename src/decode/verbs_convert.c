/* The steps that make values of values, each by itself: numbers, addresses, encodings, durations, bits. */
#include "decode/verb.h"

#include "base/elapsed.h"
#include "base/mac.h"
#include "base/time.h"
#include "base/unescape.h"
#include "decode/decode_run.h"

/* --- conversions: VALUE_NULL when it does not fit, and the old value stays --- */

/* "12", and "12.0", as some JSON has whole numbers. */
static struct value to_int(struct run *run, struct slice text)
{
    int64_t n;
    (void)run;
    text = slice_trim(text);
    size_t zeros = 0;
    while (zeros < text.len && text.ptr[text.len - 1 - zeros] == '0')
        zeros++;
    if (zeros && zeros < text.len && text.ptr[text.len - 1 - zeros] == '.')
        text.len -= zeros + 1;
    return slice_to_i64(text, &n) ? value_i64(n) : value_null();
}

static struct value to_decimal(struct run *run, struct slice text)
{
    struct decimal d;
    text = slice_trim(text);
    return decimal_parse(text, &d) ? value_from_number_text(text, run->batch->arena) : value_null();
}

static struct value to_float(struct run *run, struct slice text)
{
    double f;
    (void)run;
    return slice_to_f64(slice_trim(text), &f) ? value_f64(f) : value_null();
}

static struct value to_bool(struct run *run, struct slice text)
{
    (void)run;
    text = slice_trim(text);
    if (slice_is_nocase(text, "true") || slice_is(text, "1") || slice_is_nocase(text, "yes"))
        return value_bool(true);
    if (slice_is_nocase(text, "false") || slice_is(text, "0") || slice_is_nocase(text, "no"))
        return value_bool(false);
    return value_null();
}

static struct value to_ip(struct run *run, struct slice text)
{
    struct ip ip;
    return ip_parse(slice_trim(text), &ip) ? value_ip(&ip, run->batch->arena) : value_null();
}

static struct value to_string(struct run *run, struct slice text)
{
    (void)run;
    return value_string(text);
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

static struct value to_lowercase(struct run *run, struct slice text)
{
    return to_case(run, text, 'A', 'Z');
}

static struct value to_uppercase(struct run *run, struct slice text)
{
    return to_case(run, text, 'a', 'z');
}

static struct value to_trim(struct run *run, struct slice text)
{
    (void)run;
    return value_string(slice_trim(text));
}

/* "0x1f" to 31 */
static struct value to_hex(struct run *run, struct slice text)
{
    uint64_t n = 0;
    (void)run;
    text = slice_trim(text);
    if (slice_starts(text, SLICE("0x")) || slice_starts(text, SLICE("0X")))
        text = slice_from(text, 2);
    if (text.len == 0 || text.len > 15)
        return value_null();
    for (size_t i = 0; i < text.len; i++) {
        int digit = unescape_hex_digit(text.ptr[i]);
        if (digit < 0)
            return value_null();
        n = n << 4 | (unsigned)digit;
    }
    return value_i64((int64_t)n);
}

static struct value text_or_null(struct slice text)
{
    return text.ptr ? value_string(text) : value_null();
}

static struct value to_base64(struct run *run, struct slice text)
{
    return text_or_null(unescape_base64(text, run->batch->arena));
}

static struct value to_urldecode(struct run *run, struct slice text)
{
    return text_or_null(unescape_url(text, run->batch->arena));
}

static struct value to_octal(struct run *run, struct slice text)
{
    return text_or_null(unescape_octal(text, run->batch->arena));
}

static struct value to_unescape(struct run *run, struct slice text)
{
    return text_or_null(unescape_backslash(text, run->batch->arena));
}

static struct value to_hextext(struct run *run, struct slice text)
{
    return text_or_null(unescape_hex(text, run->batch->arena));
}

/* Any of 00:1a:2b:3c:4d:5e, 0-1a-2b-3c-4d-5e, 001a.2b3c.4d5e, 001a2b3c4d5e to 00-1A-2B-3C-4D-5E; eight bytes, too. */
static struct value to_mac(struct run *run, struct slice text)
{
    struct mac mac;
    if (!mac_parse(slice_trim(text), &mac))
        return value_null();
    struct slice copy = arena_copy(run->batch->arena, slice_of(mac.text, mac.len));
    run->out_of_memory |= !copy.ptr;
    return text_or_null(copy);
}

struct conversion {
    const char *name;
    struct value (*convert)(struct run *run, struct slice text);
};

static const struct conversion conversions[] = {
    {"int", to_int},
    {"decimal", to_decimal},
    {"float", to_float},
    {"bool", to_bool},
    {"ip", to_ip},
    {"string", to_string},
    {"lowercase", to_lowercase},
    {"uppercase", to_uppercase},
    {"trim", to_trim},
    {"hex", to_hex},
    {"base64", to_base64},
    {"urldecode", to_urldecode},
    {"octal", to_octal},
    {"unescape", to_unescape},
    {"hextext", to_hextext},
    {"mac", to_mac},
};

static int compile_convert(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice name = yaml_text(node, SLICE_NONE);
    for (size_t i = 0; i < ARRAY_COUNT(conversions); i++)
        if (slice_is(name, conversions[i].name)) {
            step->data = &conversions[i];
            return 0;
        }
    return yaml_err(compiler->err, node, "there is no such conversion");
}

/* In place: the values of this event are the column's last. */
static enum run_result run_convert(struct run *run, const struct step *step)
{
    const struct conversion *conversion = step->data;
    const struct field *field = run_field(run, step->from);
    struct value_list list = run_get(run, step->from);
    if (!list.count || field->kind == FIELD_TEXT)
        return RUN_OK;
    struct value *values = (struct value *)(uintptr_t)list.values;
    enum run_result result = RUN_OK;
    for (uint32_t i = 0; i < list.count; i++) {
        if (values[i].type == VALUE_NULL)
            continue;
        struct slice text = run_value_text(run, values[i]);
        struct value v = text.ptr ? conversion->convert(run, text) : value_null();
        if (v.type != VALUE_NULL)
            values[i] = v;
        else if (!step->optional)
            result = run_fail(run, step, "'%.*s' of %.*s cannot be converted",
                              (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "",
                              SLICE_ARG(field->name));
        if (field->kind == FIELD_COLUMN)
            run_column(run, step->from)->types_seen |= (uint16_t)(1U << values[i].type);
    }
    return result;
}

/* --- durations --- */

struct lasting {
    int64_t unit_ns; /* of a number; 0: the text has units, or is a clock */
};

static int compile_duration(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *unit = yaml_get(node, "unit");
    struct lasting *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_option_field(compiler, node, "from", NULL, &step->from) < 0 ||
        verb_option_field(compiler, node, "to", "event.duration", &step->to) < 0)
        return -1;
    data->unit_ns = unit ? elapsed_unit_ns(yaml_text(unit, SLICE_NONE)) : 0;
    return !unit || data->unit_ns ? 0 : yaml_err(compiler->err, unit, "'unit' is ns, us, ms, s, min, h, d or w");
}

/* In nanoseconds, as ECS has them. */
static enum run_result run_duration(struct run *run, const struct step *step)
{
    const struct lasting *data = step->data;
    struct slice text = slice_trim(run_text(run, step->from));
    int64_t ns = 0;
    bool fits = data->unit_ns ? elapsed_scaled(text, data->unit_ns, &ns) : elapsed_parse(text, &ns);
    if (!fits)
        return run_fail(run, step, "'%.*s' is no duration", (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "");
    run_put(run, step->to, value_i64(ns), true);
    return RUN_OK;
}

/* --- bits --- */

enum { MASKS_MAX = 64 };

struct mask {
    uint64_t bits;
    struct constant name;
};

struct masks {
    struct mask *list;
    uint32_t count;
};

static bool parse_bits(struct slice text, uint64_t *out)
{
    text = slice_trim(text);
    if (!slice_starts(text, SLICE("0x")) && !slice_starts(text, SLICE("0X")))
        return slice_to_u64(text, out);
    text = slice_from(text, 2);
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = unescape_hex_digit(text.ptr[i]);
        if (digit < 0 || *out >> 60)
            return false;
        *out = *out << 4 | (unsigned)digit;
    }
    return text.len > 0;
}

static int compile_mask(struct decoder_compiler *compiler, const struct yaml_entry *entry, struct mask *out)
{
    struct slice name = yaml_text(entry->value, SLICE_NONE);
    if (!parse_bits(entry->key->text, &out->bits) || !out->bits)
        return yaml_err(compiler->err, entry->key, "'%.*s' is no mask: a number such as 0x40 is wanted", SLICE_ARG(entry->key->text));
    if (!name.len)
        return yaml_err(compiler->err, entry->value, "the name of the bits is wanted");
    return verb_constant_text(compiler, name, &out->name);
}

static int compile_bits(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *table = yaml_get(node, "table");
    struct masks *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_option_field(compiler, node, "from", NULL, &step->from) < 0 ||
        verb_option_field(compiler, node, "to", NULL, &step->to) < 0)
        return -1;
    if (!table || table->kind != YAML_MAPPING || table->count > MASKS_MAX)
        return yaml_err(compiler->err, node, "'table' must be a mapping of at most %d masks to names", MASKS_MAX);
    data->list = arena_array(compiler->arena, table->count + 1, sizeof(*data->list));
    if (!data->list)
        return err_nomem(compiler->err);
    for (; data->count < table->count; data->count++)
        if (compile_mask(compiler, &table->entries[data->count], &data->list[data->count]) < 0)
            return -1;
    return 0;
}

/* The names of the masks that are set, of the first value. */
static enum run_result run_bits(struct run *run, const struct step *step)
{
    const struct masks *masks = step->data;
    struct slice text = run_text(run, step->from);
    uint64_t bits;
    if (!parse_bits(text, &bits))
        return run_fail(run, step, "'%.*s' is no number", (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "");
    run_drop(run, step->to);
    for (uint32_t i = 0; i < masks->count; i++) {
        const struct mask *mask = &masks->list[i];
        if ((bits & mask->bits) == mask->bits)
            run_put(run, step->to, run_own_value(run, &mask->name, 0), false);
    }
    return RUN_OK;
}

/* --- texts written as lists of their bytes --- */

static int compile_octets(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice *under = verb_data(compiler, step, sizeof(*under));
    if (!under)
        return -1;
    *under = verb_scalar_or(node, "under");
    if (!slice_ends(*under, SLICE(".*")))
        return yaml_err(compiler->err, node, "'octets' wants the fields of a prefix: 'name.*'");
    under->len--;
    verb_watch(compiler, step);
    return 0;
}

/* The column's values of this event, all of them bytes, become one text. */
static void join_octets(struct run *run, struct column *column)
{
    uint32_t first = column->count - 1;
    while (first && column->rows[first - 1] == run->row)
        first--;
    struct value_list list = {column->values + first, column->count - first};
    for (uint32_t i = 0; i < list.count; i++)
        if (list.values[i].type != VALUE_I64 || list.values[i].i64 < 0 || list.values[i].i64 > 255)
            return;
    char *text = arena_alloc(run->batch->arena, list.count + 1U);
    if (!text) {
        run->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < list.count; i++)
        text[i] = (char)(unsigned char)list.values[i].i64;
    column_drop_last(column, run->row);
    if (column_add(run->batch, column, run->row, value_string(slice_of(text, list.count))) < 0)
        run->out_of_memory = true;
}

static enum run_result run_octets(struct run *run, const struct step *step)
{
    const struct watch *watch = run_watch(run, step, run_under, false);
    for (uint32_t i = 0; watch && i < watch->count; i++)
        if (column_has_row(watch->list[i].column, run->row))
            join_octets(run, watch->list[i].column);
    return RUN_OK;
}

static const struct verb list[] = {
    {"convert", VERB_PAIRS, "", compile_convert, run_convert, NEEDS_FROM},
    {"duration", VERB_OPTIONS, "from to unit", compile_duration, run_duration, NEEDS_FROM},
    {"octets", VERB_OPTIONS, "under", compile_octets, run_octets, NEEDS_NOTHING},
    {"bits", VERB_OPTIONS, "from to table", compile_bits, run_bits, NEEDS_FROM},
};
const struct verb_family verbs_convert = {list, ARRAY_COUNT(list)};
