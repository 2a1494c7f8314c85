#include "app/stop_cap.h"

#include "base/limits.h"

struct counting {
    struct slice by;
    int64_t since_ns;
    size_t count;
};

static void count(void *context, const struct gate_stop *stop)
{
    struct counting *counting = context;
    counting->count += slice_is(stop->scope, "account") && slice_equal(stop->by, counting->by) && stop->since_ns > counting->since_ns;
}

bool stop_cap_has_room(struct gate *gate, struct slice by, int64_t now_ns)
{
    struct counting counting = {.by = by, .since_ns = now_ns - NS_PER_HOUR};
    gate_stops(gate, count, &counting);
    return counting.count < RULE_STOPS_PER_HOUR_MAX;
}

bool stop_cap_finding(const struct finding *cause, struct slice by, int64_t now_ns, struct arena *arena, struct finding *out)
{
    struct entity *rule = arena_calloc(arena, sizeof(*rule));
    *out = (struct finding){.rule_id = SLICE("hinomi.stop_cap"),
                            .rule_name = SLICE("hinomi.stop_cap"),
                            .rule_version = SLICE("1"),
                            .title = arena_printf(arena, "%.*s wants to stop too many accounts", SLICE_ARG(by)),
                            .severity = SEVERITY_CRITICAL,
                            .evidence = cause->evidence,
                            .evidence_count = cause->evidence_count,
                            .entities = rule,
                            .entity_count = 1,
                            .group_key = arena_printf(arena, "%.*s %lld", SLICE_ARG(by), (long long)(now_ns / NS_PER_HOUR)),
                            .event_ns = now_ns,
                            .raised_ns = now_ns};
    out->explanation_en = arena_printf(arena, "%.*s has stopped %d accounts within an hour and stops no further one: its next findings are told of, "
                                       "but hold nothing. Is the rule wrong, or are so many accounts taken over? Then stop all.",
                                       SLICE_ARG(by), RULE_STOPS_PER_HOUR_MAX);
    out->explanation_ja = arena_printf(arena, "%.*s は1時間に%d口座を停止したため、これ以上は停止しません。以後の検知は通知されますが、何も保留しません。"
                                       "ルールの誤りでなければ、全体の停止を検討してください。", SLICE_ARG(by), RULE_STOPS_PER_HOUR_MAX);
    if (!rule || !out->title.ptr || !out->group_key.ptr || !out->explanation_en.ptr || !out->explanation_ja.ptr)
        return false;
    *rule = (struct entity){SLICE("rule"), by};
    out->evidence_count = 0; /* its id is of the rule and the hour alone */
    finding_set_id(out);
    out->evidence_count = cause->evidence_count;
    return true;
}
