/* Numbers. Sums and rounding of what was written in digits stay exact; roots and logs are doubles.
 */
#include "expr/function.h"

#include <math.h>

static int return_f64(struct call *call, double n, struct value_list *out)
{
    if (!isfinite(n))
        return 0;
    if (n == trunc(n) && fabs(n) < 9e15)
        return call_return(call, value_i64((int64_t)n), out);
    return call_return(call, value_f64(n), out);
}

static int return_decimal(struct call *call, struct decimal d, struct value_list *out)
{
    int64_t n;
    d = decimal_trim(d);
    if (decimal_to_i64(d, &n))
        return call_return(call, value_i64(n), out);
    return call_return(call, value_decimal(d, call->scope->scratch), out);
}

static int unary(struct call *call, double (*function)(double), struct value_list *out)
{
    struct value n;
    bool ok;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    return ok ? return_f64(call, function(value_to_f64(n)), out) : 0;
}

#define UNARY(name, function)                                                                      \
    static int call_##name(struct call *call, struct value_list *out)                              \
    {                                                                                              \
        return unary(call, function, out);                                                         \
    }
UNARY(sqrt, sqrt)
UNARY(exp, exp)
UNARY(ln, log)
UNARY(sin, sin)
UNARY(cos, cos)
UNARY(tan, tan)
UNARY(asin, asin)
UNARY(acos, acos)
UNARY(atan, atan)
UNARY(sinh, sinh)
UNARY(cosh, cosh)
UNARY(tanh, tanh)
UNARY(asinh, asinh)
UNARY(acosh, acosh)
UNARY(atanh, atanh)

static int call_abs(struct call *call, struct value_list *out)
{
    struct value n;
    bool ok;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    if (!ok)
        return 0;
    bool negative = value_compare_numbers(n, value_i64(0)) < 0;
    return call_return(
        call, negative ? value_arithmetic(OP_SUBTRACT, value_i64(0), n, call->scope->scratch) : n,
        out);
}

static int call_ceiling(struct call *call, struct value_list *out)
{
    struct value n;
    bool ok;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    if (!ok)
        return 0;
    return n.type == VALUE_I64 ? call_return(call, n, out)
                               : return_f64(call, ceil(value_to_f64(n)), out);
}

static int call_floor(struct call *call, struct value_list *out)
{
    struct value n;
    bool ok;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    if (!ok)
        return 0;
    return n.type == VALUE_I64 ? call_return(call, n, out)
                               : return_f64(call, floor(value_to_f64(n)), out);
}

/* Doubles are rounded by their shortest decimal text, as people read them: round(2.555,2)=2.56. */
static bool to_decimal(struct value n, struct decimal *out)
{
    if (n.type == VALUE_I64)
        *out = decimal_from_i64(n.i64);
    else if (n.type == VALUE_DECIMAL)
        *out = value_get_decimal(n);
    else {
        char text[32];
        return decimal_parse(slice_of(text, json_format_f64(n.f64, text)), out);
    }
    return true;
}

static int call_round(struct call *call, struct value_list *out)
{
    struct value n;
    bool ok, places_ok = true;
    int64_t places = 0;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    if (call->node->arg_count > 1 && call_i64(call, 1, &places, &places_ok) < 0)
        return -1;
    struct decimal d;
    if (!ok || !places_ok || places < -18 || places > DECIMAL_DIGITS_MAX)
        return 0;
    if (!to_decimal(n, &d))
        return call_return(call, n, out);
    if (places < 0) { /* to tens, hundreds ... */
        int64_t power = 1;
        for (int64_t i = places; i < 0; i++)
            power *= 10;
        struct decimal parts = {d.coefficient, (uint8_t)(d.scale - places)};
        if (parts.scale > DECIMAL_DIGITS_MAX ||
            !decimal_multiply(decimal_round(parts, 0), decimal_from_i64(power), &d))
            return 0;
        return return_decimal(call, d, out);
    }
    d = decimal_round(d, (uint8_t)places);
    if (places == 0 || d.scale == 0)
        return return_decimal(call, d, out);
    return call_return(call, value_decimal(d, call->scope->scratch), out);
}

static int call_log(struct call *call, struct value_list *out)
{
    struct value n, base = value_i64(10);
    bool ok, base_ok = true;
    if (call_number(call, 0, &n, &ok) < 0)
        return -1;
    if (call->node->arg_count > 1 && call_number(call, 1, &base, &base_ok) < 0)
        return -1;
    double x = ok ? value_to_f64(n) : 0, b = base_ok ? value_to_f64(base) : 0;
    if (x <= 0 || b <= 0 || b == 1)
        return 0;
    return return_f64(call, b == 10 ? log10(x) : b == 2 ? log2(x) : log(x) / log(b), out);
}

static int call_pow(struct call *call, struct value_list *out)
{
    struct value a, b;
    bool ok_a, ok_b;
    if (call_number(call, 0, &a, &ok_a) < 0 || call_number(call, 1, &b, &ok_b) < 0)
        return -1;
    return ok_a && ok_b ? return_f64(call, pow(value_to_f64(a), value_to_f64(b)), out) : 0;
}

static int call_atan2(struct call *call, struct value_list *out)
{
    struct value a, b;
    bool ok_a, ok_b;
    if (call_number(call, 0, &a, &ok_a) < 0 || call_number(call, 1, &b, &ok_b) < 0)
        return -1;
    return ok_a && ok_b ? return_f64(call, atan2(value_to_f64(a), value_to_f64(b)), out) : 0;
}

static int call_hypot(struct call *call, struct value_list *out)
{
    struct value a, b;
    bool ok_a, ok_b;
    if (call_number(call, 0, &a, &ok_a) < 0 || call_number(call, 1, &b, &ok_b) < 0)
        return -1;
    return ok_a && ok_b ? return_f64(call, hypot(value_to_f64(a), value_to_f64(b)), out) : 0;
}

static int call_pi(struct call *call, struct value_list *out)
{
    return call_return(call, value_f64(M_PI), out);
}

static int call_random(struct call *call, struct value_list *out)
{
    const struct hin_rand *rand = call->scope->rand ? call->scope->rand : rand_real();
    return call_return(call, value_i64((int64_t)rand_below(rand, UINT64_C(1) << 31)), out);
}

/* min and max over a mixture: text outranks numbers; several values are flattened. */
static int extreme(struct call *call, int direction, struct value_list *out)
{
    struct value best = value_null();
    for (size_t i = 0; i < call->node->arg_count; i++) {
        struct value_list list;
        if (call_arg(call, i, &list) < 0)
            return -1;
        for (uint32_t k = 0; k < list.count; k++)
            if (best.type == VALUE_NULL || value_compare(list.values[k], best) * direction > 0)
                best = list.values[k];
    }
    return call_return(call, best, out);
}

static int call_max(struct call *call, struct value_list *out)
{
    return extreme(call, 1, out);
}

static int call_min(struct call *call, struct value_list *out)
{
    return extreme(call, -1, out);
}

static int add_up(struct call *call, struct value *sum, int64_t *count)
{
    *sum = value_i64(0);
    *count = 0;
    for (size_t i = 0; i < call->node->arg_count; i++) {
        struct value_list list;
        if (call_arg(call, i, &list) < 0)
            return -1;
        for (uint32_t k = 0; k < list.count; k++) {
            struct value next =
                value_arithmetic(OP_ADD, *sum, list.values[k], call->scope->scratch);
            if (next.type == VALUE_NULL)
                continue;
            *sum = next;
            ++*count;
        }
    }
    return 0;
}

static int call_sum(struct call *call, struct value_list *out)
{
    struct value sum;
    int64_t count;
    if (add_up(call, &sum, &count) < 0)
        return -1;
    return count ? call_return(call, sum, out) : 0;
}

static int call_avg(struct call *call, struct value_list *out)
{
    struct value sum;
    int64_t count;
    if (add_up(call, &sum, &count) < 0)
        return -1;
    if (!count)
        return 0;
    return call_return(
        call, value_arithmetic(OP_DIVIDE, sum, value_i64(count), call->scope->scratch), out);
}

static int call_exact(struct call *call, struct value_list *out)
{
    return call_arg(call, 0, out);
}

static const struct expr_function functions[] = {
    {"abs", 1, 1, "abs(x): without its sign", call_abs, 0},
    {"ceiling", 1, 1, "ceiling(x): the next whole number above", call_ceiling, 0},
    {"ceil", 1, 1, "ceil(x): the next whole number above", call_ceiling, 0},
    {"floor", 1, 1, "floor(x): the next whole number below", call_floor, 0},
    {"round", 1, 2, "round(x[, places]): half away from zero", call_round, 0},
    {"sqrt", 1, 1, "sqrt(x): the square root", call_sqrt, 0},
    {"exp", 1, 1, "exp(x): e to the power of x", call_exp, 0},
    {"ln", 1, 1, "ln(x): the natural logarithm", call_ln, 0},
    {"log", 1, 2, "log(x[, base]): base 10 unless given", call_log, 0},
    {"pow", 2, 2, "pow(x, y): x to the power of y", call_pow, 0},
    {"pi", 0, 0, "pi(): 3.14159...", call_pi, 0},
    {"exact", 1, 1, "exact(x): numbers are exact anyway", call_exact, 0},
    {"sin", 1, 1, "sin(x): the sine, in radians", call_sin, 0},
    {"cos", 1, 1, "cos(x): the cosine, in radians", call_cos, 0},
    {"tan", 1, 1, "tan(x): the tangent, in radians", call_tan, 0},
    {"asin", 1, 1, "asin(x): the angle with that sine", call_asin, 0},
    {"acos", 1, 1, "acos(x): the angle with that cosine", call_acos, 0},
    {"atan", 1, 1, "atan(x): the angle with that tangent", call_atan, 0},
    {"atan2", 2, 2, "atan2(y, x): the angle of the point (x, y)", call_atan2, 0},
    {"sinh", 1, 1, "sinh(x): the hyperbolic sine", call_sinh, 0},
    {"cosh", 1, 1, "cosh(x): the hyperbolic cosine", call_cosh, 0},
    {"tanh", 1, 1, "tanh(x): the hyperbolic tangent", call_tanh, 0},
    {"asinh", 1, 1, "asinh(x): the inverse of sinh", call_asinh, 0},
    {"acosh", 1, 1, "acosh(x): the inverse of cosh, null below 1", call_acosh, 0},
    {"atanh", 1, 1, "atanh(x): the inverse of tanh, null outside of -1 to 1", call_atanh, 0},
    {"hypot", 2, 2, "hypot(x, y): the root of x*x + y*y", call_hypot, 0},
    {"random", 0, 0, "random(): 0 .. 2^31-1", call_random, 0},
    {"max", 1, FUNCTION_ARGS_ANY, "max(a, ...): text outranks numbers", call_max, 0},
    {"min", 1, FUNCTION_ARGS_ANY, "min(a, ...): the least; numbers come before text", call_min, 0},
    {"sum", 1, FUNCTION_ARGS_ANY, "sum(a, ...): exact", call_sum, 0},
    {"avg", 1, FUNCTION_ARGS_ANY, "avg(a, ...): the mean of the numbers", call_avg, 0},
};
const struct expr_family functions_math = {functions, ARRAY_COUNT(functions)};
