#include "flow/rule_reports.h"

#include "base/mem.h"

#include <stdio.h>

#define ARENA_BYTES_MAX (256 * MIB)

struct rule_reports *rule_reports_new(struct rulebook *book, const struct rule_ledger *ledger, int64_t now_ns)
{
    struct rule_reports *reports = mem_calloc(1, sizeof(*reports));
    if (!reports)
        return NULL;
    atomic_store(&reports->holders, 1);
    reports->book = rulebook_hold(book);
    reports->arena = arena_new(ARENA_BYTES_MAX);
    if (!reports->arena ||
        !(reports->list = arena_array(reports->arena, book->rules->count + 1, sizeof(*reports->list)))) {
        rule_reports_release(reports);
        return NULL;
    }
    for (size_t i = 0; i < book->rules->count; i++) {
        const struct rule *rule = book->rules->rules[i];
        reports->list[i].tally = rule_ledger_get(ledger, rule);
        reports->list[i].blind = rule_ledger_blind(ledger, rule, now_ns, reports->arena);
    }
    return reports;
}

bool rule_reports_forgotten(const struct detector *detector, struct rule_reports_forgotten *told,
                            char text[RULE_REPORTS_TEXT_SIZE])
{
    struct detector_stats stats = detector_stats(detector);
    uint64_t evicted = stats.operators.evicted + stats.operators.cut, dropped = stats.states_dropped;
    bool changed = dropped > told->dropped, full = evicted > 2 * told->evicted;
    bool table_full = !changed && !full && stats.state_evicted > 2 * told->state_evicted; /* one sentence at a time */
    if (evicted < told->evicted || full) /* less: other rules run now */
        told->evicted = evicted;
    if (stats.state_evicted < told->state_evicted || table_full)
        told->state_evicted = stats.state_evicted;
    told->dropped = dropped;
    if (changed)
        snprintf(text, RULE_REPORTS_TEXT_SIZE, "%llu rules were changed in what they count and begin anew",
                 (unsigned long long)dropped);
    else if (full)
        snprintf(text, RULE_REPORTS_TEXT_SIZE, "rules remember as much as they may: %llu keys that were quiet longest, or "
                 "oldest events of a key, are forgotten; hinomi rules ledger says of which rules", (unsigned long long)evicted);
    else if (table_full)
        snprintf(text, RULE_REPORTS_TEXT_SIZE, "the state table %.*s is full: %llu keys that were touched longest ago are forgotten; "
                 "raise its entries_max in content/state", SLICE_ARG(stats.state_full), (unsigned long long)stats.state_evicted);
    return changed || full || table_full;
}

struct rule_reports *rule_reports_hold(struct rule_reports *reports)
{
    atomic_fetch_add(&reports->holders, 1);
    return reports;
}

void rule_reports_release(struct rule_reports *reports)
{
    if (!reports || atomic_fetch_sub(&reports->holders, 1) > 1)
        return;
    rulebook_release(reports->book);
    arena_free(reports->arena);
    mem_free(reports);
}
