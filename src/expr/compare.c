/* Values as where and eval see them: text that looks like a number is one, NULL spreads. */
#include "expr/function.h"

#include <math.h>

static bool holds(enum expr_operator op, int order)
{
    switch (op) {
    case OP_EQUAL:
        return order == 0;
    case OP_NOT_EQUAL:
        return order != 0;
    case OP_LESS:
        return order < 0;
    case OP_LESS_EQUAL:
        return order <= 0;
    case OP_GREATER:
        return order > 0;
    case OP_GREATER_EQUAL:
        return order >= 0;
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_MODULO:
        break;
    }
    return false;
}

enum truth value_compare_by(enum expr_operator op, struct value a, struct value b,
                            struct arena *scratch)
{
    struct value x, y;
    if (a.type == VALUE_NULL || b.type == VALUE_NULL)
        return TRUTH_NULL;
    if (value_to_number(a, scratch, &x) && value_to_number(b, scratch, &y))
        return holds(op, value_compare_numbers(x, y)) ? TRUTH_TRUE : TRUTH_FALSE;
    char text_a[VALUE_TEXT_SIZE], text_b[VALUE_TEXT_SIZE];
    int order = slice_compare(value_text_small(a, text_a), value_text_small(b, text_b));
    return holds(op, order) ? TRUTH_TRUE : TRUTH_FALSE;
}

static struct value from_f64(double n)
{
    return isfinite(n) ? value_f64(n) : value_null();
}

static struct value divide(struct value x, struct value y)
{
    double below = value_to_f64(y);
    if (below == 0)
        return value_null();
    if (x.type == VALUE_I64 && y.type == VALUE_I64 && y.i64 != -1 && x.i64 % y.i64 == 0)
        return value_i64(x.i64 / y.i64);
    return from_f64(value_to_f64(x) / below);
}

static struct value modulo(struct value x, struct value y)
{
    if (x.type == VALUE_I64 && y.type == VALUE_I64) {
        if (y.i64 == 0)
            return value_null();
        return value_i64(y.i64 == -1 ? 0 : x.i64 % y.i64);
    }
    return from_f64(fmod(value_to_f64(x), value_to_f64(y)));
}

static bool integers(enum expr_operator op, int64_t x, int64_t y, int64_t *out)
{
    if (op == OP_ADD)
        return !__builtin_add_overflow(x, y, out);
    if (op == OP_SUBTRACT)
        return !__builtin_sub_overflow(x, y, out);
    return !__builtin_mul_overflow(x, y, out);
}

static struct decimal as_decimal(struct value v)
{
    return v.type == VALUE_I64 ? decimal_from_i64(v.i64) : value_get_decimal(v);
}

static struct value exact(enum expr_operator op, struct value x, struct value y,
                          struct arena *scratch)
{
    int64_t n;
    if (x.type == VALUE_I64 && y.type == VALUE_I64 && integers(op, x.i64, y.i64, &n))
        return value_i64(n);
    struct decimal a = as_decimal(x), b = as_decimal(y), result;
    bool ok = op == OP_ADD        ? decimal_add(a, b, &result)
              : op == OP_SUBTRACT ? decimal_subtract(a, b, &result)
                                  : decimal_multiply(a, b, &result);
    if (!ok)
        return value_null();
    result = decimal_trim(result);
    return decimal_to_i64(result, &n) ? value_i64(n) : value_decimal(result, scratch);
}

static struct value join_text(struct value a, struct value b, struct arena *scratch)
{
    struct slice x = value_slice(a), y = value_slice(b);
    char *text = arena_alloc(scratch, x.len + y.len + 1);
    if (!text)
        return value_null();
    if (x.len)
        memcpy(text, x.ptr, x.len);
    if (y.len)
        memcpy(text + x.len, y.ptr, y.len);
    return value_string(slice_of(text, x.len + y.len));
}

struct value value_arithmetic(enum expr_operator op, struct value a, struct value b,
                              struct arena *scratch)
{
    struct value x, y;
    bool number_a = value_to_number(a, scratch, &x), number_b = value_to_number(b, scratch, &y);
    if (op == OP_ADD && !number_a && !number_b && a.type == VALUE_STRING && b.type == VALUE_STRING)
        return join_text(a, b, scratch);
    if (!number_a || !number_b)
        return value_null();
    if (op == OP_DIVIDE)
        return divide(x, y);
    if (op == OP_MODULO)
        return modulo(x, y);
    if (x.type != VALUE_F64 && y.type != VALUE_F64)
        return exact(op, x, y, scratch);
    double p = value_to_f64(x), q = value_to_f64(y);
    return from_f64(op == OP_ADD ? p + q : op == OP_SUBTRACT ? p - q : p * q);
}

bool text_like(struct slice text, struct slice pattern)
{
    size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '%') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && (pattern.ptr[p] == '_' || pattern.ptr[p] == text.ptr[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '%')
        p++;
    return p == pattern.len;
}
