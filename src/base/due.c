#include "base/due.h"

#include "base/duration.h"
#include "base/limits.h"

static int parse_every(struct slice text, struct due *out, struct err *err)
{
    if (duration_parse(text, &out->every_ns) && out->every_ns % NS_PER_SECOND == 0 &&
        out->every_ns >= SCHEDULE_EVERY_MIN_S * NS_PER_SECOND &&
        out->every_ns <= SCHEDULE_EVERY_MAX_DAYS * NS_PER_DAY)
        return 0;
    return err_set(err, ERR_CONFIG, "every is whole seconds, from %ds to %dd, such as 5m or 1h; '%.*s' is not",
                   SCHEDULE_EVERY_MIN_S, SCHEDULE_EVERY_MAX_DAYS, SLICE_ARG(text));
}

static int parse_cron(struct slice text, struct due *out, struct err *err)
{
    size_t end = text.len;
    while (end > 0 && text.ptr[end - 1] != ' ')
        end--;
    struct slice zone = slice_from(text, end);
    out->zone = zone_find(zone);
    if (!out->zone)
        return err_set(err, ERR_CONFIG, "'%.*s' is no time zone; write one such as Asia/Tokyo",
                       SLICE_ARG(zone));
    return cron_parse(slice_trim(slice_sub(text, 0, end)), &out->cron, err);
}

int due_parse(struct slice text, struct due *out, struct err *err)
{
    *out = (struct due){0};
    if (slice_starts(text, SLICE("every ")))
        return parse_every(slice_from(text, 6), out, err);
    if (slice_starts(text, SLICE("cron ")))
        return parse_cron(slice_from(text, 5), out, err);
    return err_set(err, ERR_CONFIG, "a schedule is \"every 5m\" or \"cron */10 * * * * UTC\"");
}

static bool next_multiple(int64_t every_ns, int64_t after_ns, int64_t *out)
{
    int64_t rest = after_ns % every_ns;
    return !__builtin_add_overflow(after_ns, (rest < 0 ? -rest : every_ns - rest), out);
}

bool due_next(const struct due *due, int64_t after_ns, int64_t *out)
{
    return due->every_ns ? next_multiple(due->every_ns, after_ns, out)
                         : cron_next(&due->cron, due->zone, after_ns, out);
}

int64_t due_count(const struct due *due, int64_t after_ns, int64_t to_ns, int64_t *first,
                  int64_t *last)
{
    int64_t at, count = 0;
    if (due->every_ns) {
        if (!next_multiple(due->every_ns, after_ns, &at) || at > to_ns)
            return 0;
        *first = at;
        count = (to_ns - at) / due->every_ns + 1;
        *last = at + (count - 1) * due->every_ns;
        return count;
    }
    for (; cron_next(&due->cron, due->zone, after_ns, &at) && at <= to_ns; after_ns = *last = at)
        if (count++ == 0)
            *first = at;
    return count;
}
