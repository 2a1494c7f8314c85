/* Time: what the search calls now, and what the clock says. */
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

static const struct expr_function functions[] = {
    {"now", 0, 0, "now(): when the search started, in seconds", call_now, 0},
    {"time", 0, 0, "time(): the clock, in seconds", call_time, 0},
};
const struct expr_family functions_time = {functions, ARRAY_COUNT(functions)};
