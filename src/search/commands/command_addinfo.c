/* addinfo: the search's time range, start and id as fields of every row. */
#include "search/rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    return spl_expect_end(p);
}

static struct value seconds(int64_t time_ns, struct arena *arena)
{
    return value_decimal(decimal_trim((struct decimal){time_ns, 9}), arena);
}

static int put(struct frame *frame, const char *name, struct value v)
{
    struct column *to = frame_column(frame, slice_text(name));
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        if (column_add(frame->batch, to, row, v) < 0)
            return -1;
    return to && v.type != VALUE_NULL ? frame_put(frame, to) : -1;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct run *run = op->run;
    struct arena *arena = frame->batch->arena;
    bool open = run->to_ns == INT64_MAX;
    struct value from = run->from_ns == INT64_MIN ? value_i64(0) : seconds(run->from_ns, arena);
    struct value to = open ? value_string(SLICE("+Infinity")) : seconds(run->to_ns, arena);
    struct value now = seconds(run->scope.now_ns, arena);
    struct slice sid = arena_printf(arena, "%lld.%06lld",
                                    (long long)(run->scope.now_ns / NS_PER_SECOND),
                                    (long long)(run->scope.now_ns / 1000 % 1000000));
    if (!sid.ptr || put(frame, "info_min_time", from) < 0 || put(frame, "info_max_time", to) < 0 ||
        put(frame, "info_sid", value_string(sid)) < 0 || put(frame, "info_search_time", now) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_addinfo = {
    .name = "addinfo",
    .syntax = "addinfo",
    .summary = "info_min_time, info_max_time, info_sid and info_search_time",
    .flags = COMMAND_STREAMS,
    .parse = parse,
    .push = push,
};
