/* Time: what the search calls now, what the clock says, and times as text. */
#include "base/time_modifier.h"
#include "base/time_pattern.h"
#include "expr/function.h"

static int return_time(struct call *call, int64_t time_ns, struct value_list *out)
{
    struct value seconds;
    if (!value_to_number(value_time(time_ns), call->scope->scratch, &seconds))
        return err_nomem(call->err);
    return call_return(call, seconds, out);
}

static int call_now(struct call *call, struct value_list *out)
{
    return return_time(call, call->scope->now_ns / NS_PER_SECOND * NS_PER_SECOND, out);
}

static int call_time(struct call *call, struct value_list *out)
{
    const struct hin_clock *clock = call->scope->clock ? call->scope->clock : clock_real();
    return return_time(call, clock_wall_ns(clock), out);
}

/* Seconds since 1970, exact to the nanosecond; false for what is no time or does not fit. */
static bool seconds_to_ns(struct value v, struct arena *arena, int64_t *out)
{
    struct value n;
    struct decimal d, ns;
    if (v.type == VALUE_TIME) {
        *out = v.i64;
        return true;
    }
    if (!value_to_number(v, arena, &n))
        return false;
    if (n.type == VALUE_I64)
        return !__builtin_mul_overflow(n.i64, NS_PER_SECOND, out);
    if (n.type == VALUE_F64) {
        double scaled = n.f64 * 1e9;
        if (!(scaled > -9.2e18 && scaled < 9.2e18))
            return false;
        *out = (int64_t)scaled;
        return true;
    }
    d = value_get_decimal(n);
    return decimal_multiply(decimal_round(d, d.scale < 9 ? d.scale : 9),
                            decimal_from_i64(NS_PER_SECOND), &ns) &&
           decimal_to_i64(decimal_trim(ns), out);
}

static int call_strftime(struct call *call, struct value_list *out)
{
    struct value v;
    struct slice format;
    int64_t ns;
    if (call_value(call, 0, &v) < 0 || call_text(call, 1, &format) < 0)
        return -1;
    if (!format.ptr || !seconds_to_ns(v, call->scope->scratch, &ns))
        return 0;
    struct buffer text;
    buffer_init(&text, 64 * KIB);
    time_pattern_format(format, ns, call->scope->zone, &text);
    int result = buffer_failed(&text) ? err_nomem(call->err)
                                      : call_return_text(call, buffer_slice(&text), out);
    buffer_close(&text);
    return result;
}

static int call_strptime(struct call *call, struct value_list *out)
{
    struct slice text, format;
    size_t used;
    int64_t ns;
    if (call_text(call, 0, &text) < 0 || call_text(call, 1, &format) < 0)
        return -1;
    if (!text.ptr || !format.ptr)
        return 0;
    struct time_pattern_in in = {.zone = call->scope->zone, .near_ns = call->scope->now_ns};
    text = slice_trim(text);
    if (!time_pattern_parse(format, text, &in, &ns, &used))
        return 0;
    return return_time(call, ns, out);
}

static int call_relative_time(struct call *call, struct value_list *out)
{
    struct value v;
    struct slice modifier;
    int64_t ns, moved;
    if (call_value(call, 0, &v) < 0 || call_text(call, 1, &modifier) < 0)
        return -1;
    if (!modifier.ptr || !seconds_to_ns(v, call->scope->scratch, &ns) ||
        !time_modifier_parse(modifier, ns, call->scope->zone, &moved))
        return 0;
    return return_time(call, moved, out);
}

static const struct expr_function functions[] = {
    {"now", 0, 0, "now(): when the search started, in seconds", call_now, 0},
    {"time", 0, 0, "time(): the clock, in seconds", call_time, 0},
    {"strftime", 2, 2, "strftime(time, format): the time as text: \"%Y-%m-%d %H:%M:%S\"",
     call_strftime, 0},
    {"strptime", 2, 2, "strptime(text, format): the time that the text says, in seconds",
     call_strptime, 0},
    {"relative_time", 2, 2, "relative_time(time, \"-1d@d\"): the time moved and snapped",
     call_relative_time, 0},
};
const struct expr_family functions_time = {functions, ARRAY_COUNT(functions)};
