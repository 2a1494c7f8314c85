/* Values made into another kind: tobool, toint, todouble, tomv, toarray, toobject; ipmask. */
#include "expr/json_call.h"

#include <math.h>

static int call_tobool(struct call *call, struct value_list *out)
{
    static const char *const yes[] = {"true", "t", "1", "yes", "y"};
    static const char *const no[] = {"false", "f", "0", "no", "n"};
    struct value v, n;
    if (call_value(call, 0, &v) < 0)
        return -1;
    if (v.type == VALUE_BOOL || v.type == VALUE_NULL)
        return call_return(call, v, out);
    if (value_to_number(v, call->scope->scratch, &n))
        return call_return(call, value_bool(value_compare_numbers(n, value_i64(0)) != 0), out);
    for (size_t i = 0; v.type == VALUE_STRING && i < ARRAY_COUNT(yes); i++) {
        if (slice_is_nocase(value_slice(v), yes[i]))
            return call_return(call, value_bool(true), out);
        if (slice_is_nocase(value_slice(v), no[i]))
            return call_return(call, value_bool(false), out);
    }
    return 0;
}

static int call_toint(struct call *call, struct value_list *out)
{
    struct value v, n;
    struct decimal d;
    int64_t whole;
    if (call_value(call, 0, &v) < 0)
        return -1;
    if (v.type == VALUE_BOOL)
        return call_return(call, value_i64(v.boolean != 0), out);
    if (v.type == VALUE_NULL || !value_to_number(v, call->scope->scratch, &n))
        return 0;
    if (n.type == VALUE_I64)
        return call_return(call, n, out);
    if (n.type == VALUE_F64)
        return fabs(n.f64) < 9.2e18 ? call_return(call, value_i64((int64_t)n.f64), out) : 0;
    d = value_get_decimal(n);
    for (; d.scale; d.scale--) /* towards zero */
        d.coefficient /= 10;
    return decimal_to_i64(d, &whole) ? call_return(call, value_i64(whole), out) : 0;
}

/* What was written in digits stays exact: a double would lose some. */
static int call_todouble(struct call *call, struct value_list *out)
{
    struct value v, n;
    if (call_value(call, 0, &v) < 0)
        return -1;
    if (v.type == VALUE_BOOL)
        return call_return(call, value_i64(v.boolean != 0), out);
    return v.type != VALUE_NULL && value_to_number(v, call->scope->scratch, &n)
               ? call_return(call, n, out)
               : 0;
}

/* A JSON array as it is; several values, or one, as an array. */
static int call_toarray(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct value_list list;
    struct json_writer w;
    if (call_arg(call, 0, &list) < 0 || json_call_read(call, &root) < 0)
        return -1;
    if (!list.count)
        return 0;
    json_call_begin(&w);
    bool array = list.count == 1 && root && root->kind == JSON_ARRAY;
    bool nested = list.count == 1 && root && root->kind == JSON_OBJECT;
    if (!array && list.count == 1)
        json_open(&w.json, '[');
    if (array || nested)
        json_call_put_node(root, &w.json);
    else if (json_call_put_arg(call, 0, &w.json) < 0) {
        buffer_close(&w.text);
        return -1;
    }
    if (!array && list.count == 1)
        json_close(&w.json, ']');
    return json_call_finish(&w, call, out);
}

static int call_toobject(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct slice text;
    if (json_call_read(call, &root) < 0 || call_text(call, 0, &text) < 0)
        return -1;
    return root && root->kind == JSON_OBJECT ? call_return_text(call, text, out) : 0;
}

/* Members of a JSON array as values; anything else as it is. */
static int call_tomv(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct value_list list;
    struct arena *arena = call->scope->scratch;
    if (call_arg(call, 0, &list) < 0 || json_call_read(call, &root) < 0)
        return -1;
    *out = list;
    if (list.count != 1 || !root || root->kind != JSON_ARRAY)
        return 0;
    struct value *values = arena_array(arena, root->count + 1U, sizeof(*values));
    uint32_t count = 0;
    for (const struct json_node *child = root->first; values && child; child = child->next) {
        bool nested = child->kind == JSON_OBJECT || child->kind == JSON_ARRAY;
        struct json_writer w;
        struct slice text = child->text;
        if (nested) {
            json_call_begin(&w);
            json_call_put_node(child, &w.json);
            text = buffer_failed(&w.text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&w.text));
            buffer_close(&w.text);
        }
        if (!text.ptr)
            return err_nomem(call->err);
        if (child->kind == JSON_NUMBER)
            values[count++] = value_from_number_text(text, arena);
        else if (child->kind != JSON_NULL)
            values[count++] = value_string(text);
    }
    *out = (struct value_list){values, count};
    return values ? 0 : err_nomem(call->err);
}

/* Each bit of the address that is set in the mask. */
static int call_ipmask(struct call *call, struct value_list *out)
{
    struct slice mask_text, text;
    struct ip mask, ip;
    char to[IP_TEXT_SIZE];
    if (call_text(call, 0, &mask_text) < 0 || call_text(call, 1, &text) < 0)
        return -1;
    if (!text.ptr || !mask_text.ptr || !ip_parse(slice_trim(mask_text), &mask) ||
        !ip_parse(slice_trim(text), &ip) || mask.family != ip.family)
        return 0;
    for (size_t i = ip.family == 4 ? 12 : 0; i < 16; i++)
        ip.bytes[i] &= mask.bytes[i];
    return call_return_text(call, slice_of(to, ip_format(ip.bytes, ip.family, to)), out);
}

static const struct expr_function functions[] = {
    {"tobool", 1, 1, "tobool(x): true for a number other than 0, true, t, yes; null for other text",
     call_tobool, 0},
    {"toint", 1, 1, "toint(x): the number without its fraction", call_toint, 0},
    {"todouble", 1, 1, "todouble(x): the number that the text writes, exact", call_todouble, 0},
    {"toarray", 1, 1, "toarray(x): a JSON array of the values", call_toarray, 0},
    {"toobject", 1, 1, "toobject(text): the text when it is a JSON object, else null",
     call_toobject, 0},
    {"tomv", 1, 1, "tomv(x): the members of a JSON array as values", call_tomv, 0},
    {"ipmask", 2, 2, "ipmask(mask, ip): the bits of the address that the mask has", call_ipmask, 0},
};
const struct expr_family functions_cast = {functions, ARRAY_COUNT(functions)};
