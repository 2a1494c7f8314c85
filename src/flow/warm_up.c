#include "flow/warm_up.h"

#include "detect/rule_rows.h"
#include "expr/parse.h"
#include "flow/history.h"

#define ARENA_BYTES_MAX (256 * MIB)

static int no_finding(void *context, const struct finding *finding, const struct rule *rule,
                      const struct batch *batch, uint32_t row, struct err *err)
{
    (void)context, (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    return 0;
}

static int learn(void *context, struct batch *batch, struct err *err)
{
    return detector_learn(context, batch, err);
}

/* The same rules in the same places, those that learn active and no others; *back_ns: how long they want. */
static struct rule_set *learners(const struct detector *detector, const struct rule_set *rules, struct arena *arena,
                                 size_t *count, int64_t *back_ns)
{
    struct rule_set *set = arena_calloc(arena, sizeof(*set));
    struct rule **list = arena_array(arena, rules->count + 1, sizeof(*list));
    *count = 0;
    *back_ns = 0;
    for (size_t i = 0; set && list && i < rules->count; i++) {
        int64_t wants_ns = detector_wants_history(detector, rules->rules[i]);
        list[i] = arena_calloc(arena, sizeof(**list));
        if (!list[i])
            return NULL;
        *list[i] = *rules->rules[i];
        if (wants_ns == 0)
            list[i]->status = RULE_INACTIVE;
        *count += wants_ns != 0;
        *back_ns = wants_ns > *back_ns ? wants_ns : *back_ns;
    }
    if (!set || !list)
        return NULL;
    *set = *rules;
    set->rules = list;
    return set;
}

/* What the rules will be asked about from now on is not history. */
static const struct expr *rows_of(const struct detector *detector, const struct rule_rows *wanted, struct arena *arena,
                                  struct err *err)
{
    const struct expr *before;
    uint64_t seen = rule_ledger_seq(detector_ledger(detector));
    const struct expr *rows = history_seen_by_rules(wanted->filter, arena);
    struct slice text = arena_printf(arena, "hinomi.seq <= %llu", (unsigned long long)seen);
    if (rows && text.ptr && seen) {
        if (expr_parse(text, arena, &before, err) < 0)
            return NULL;
        rows = expr_and(arena, rows, before);
    }
    if (!rows || !text.ptr)
        err_nomem(err);
    return rows && text.ptr ? rows : NULL;
}

static int walk(struct detector *detector, const struct rule_set *rules, struct store *store, int64_t now_ns,
                int64_t back_ns, const atomic_bool *cancel, struct arena *arena, struct warm_up_stats *stats, struct err *err)
{
    struct detector_options options = {.rules = rules, .found = no_finding};
    struct history_request request = {.from_ns = now_ns - back_ns, .to_ns = INT64_MAX, .take = learn,
                                      .cancel = cancel};
    struct history_stats read;
    struct detector *pupil = NULL;
    struct rule_rows wanted;
    if (rule_rows_wanted(rules, NULL, arena, &wanted, err) < 0)
        return -1;
    request.columns = wanted.columns;
    request.column_count = wanted.column_count;
    request.filter = rows_of(detector, &wanted, arena, err);
    if (!request.filter || detector_new(&options, &pupil, err) < 0)
        return -1;
    request.context = pupil;
    request.snapshot = store_snapshot(store);
    int result = request.snapshot ? history_walk(&request, &read, err) : err_nomem(err);
    if (result == 0)
        result = detector_take_over(detector, pupil, err);
    stats->events = result == 0 ? read.rows : 0;
    stats->from_ns = request.from_ns;
    store_snapshot_release(request.snapshot);
    detector_free(pupil);
    return result;
}

int warm_up(struct detector *detector, const struct rulebook *book, struct store *store, int64_t now_ns,
            const atomic_bool *cancel, struct warm_up_stats *stats, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    int64_t back_ns;
    *stats = (struct warm_up_stats){0};
    if (!arena)
        return err_nomem(err);
    struct rule_set *rules = learners(detector, book->rules, arena, &stats->rules, &back_ns);
    int result = rules ? 0 : err_nomem(err);
    if (result == 0 && stats->rules)
        result = walk(detector, rules, store, now_ns, back_ns, cancel, arena, stats, err);
    arena_free(arena);
    return result;
}
