#include "flow/rulebook.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "detect/placeholders.h"
#include "detect/tuning.h"

#define STATE_BYTES_MAX (64 * MIB)

static int tune(const char *path, struct rulebook *book, struct err *err)
{
    struct tuning tuning;
    if (tuning_read(path, book->rules->arena, &tuning, err) < 0)
        return -1;
    tuning_apply(&tuning, book->rules);
    return 0;
}

static bool is_below(const struct rule *rule, const char *folder)
{
    return folder && slice_starts(rule->path, slice_text(folder));
}

/* Of rules with the same id one runs: one's own before one that came with the program, else the first. */
static int settle_doubles(const struct rulebook_sources *sources, struct rule_set *rules, struct err *err)
{
    struct map by_id;
    map_init(&by_id, rules->arena);
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *rule = rules->rules[i];
        if (rule->status != RULE_ACTIVE || !rule->id.ptr)
            continue;
        void **slot = map_slot(&by_id, rule->id);
        if (!slot)
            return err_nomem(err);
        struct rule *first = *slot, *loser = rule;
        if (first && is_below(rule, sources->more_rules) && !is_below(first, sources->more_rules))
            loser = first;
        if (loser == first || !first)
            *slot = rule;
        if (first)
            rule_fail(rules, loser, RULE_INACTIVE, "the rule of the same id in %.*s runs in its place",
                      SLICE_ARG((loser == rule ? first : rule)->path));
    }
    return 0;
}

int rulebook_load(const struct rulebook_sources *sources, struct rulebook **out, struct err *err)
{
    struct rule_options options = {.logsource_path = sources->logsources,
                                   .more_path = sources->more_rules,
                                   .calendar_path = sources->calendars,
                                   .placeholder_path = sources->placeholders,
                                   .lookup_path = sources->lookups,
                                   .ignore_logsource = sources->ignore_logsource};
    struct rulebook *book = mem_calloc(1, sizeof(*book));
    *out = NULL;
    if (!book)
        return err_nomem(err);
    atomic_store(&book->holders, 1);
    book->arena = arena_new(STATE_BYTES_MAX);
    int result = book->arena ? state_definitions_load(sources->state, book->arena, &book->state, err)
                             : err_nomem(err);
    if (result == 0)
        result = rule_set_load(sources->rules, &options, &book->rules, err);
    if (result == 0)
        result = settle_doubles(sources, book->rules, err);
    if (result == 0 && sources->tuning)
        result = tune(sources->tuning, book, err);
    if (result == 0)
        result = rule_set_settle(book->rules, err);
    if (result < 0) {
        rulebook_release(book);
        return -1;
    }
    *out = book;
    return 0;
}

uint64_t rulebook_lookups_stamp(const struct rulebook *book)
{
    return placeholders_stamp(book->rules->placeholders);
}

struct rulebook *rulebook_hold(struct rulebook *book)
{
    atomic_fetch_add(&book->holders, 1);
    return book;
}

void rulebook_release(struct rulebook *book)
{
    if (!book || atomic_fetch_sub(&book->holders, 1) > 1)
        return;
    rule_set_free(book->rules);
    arena_free(book->arena);
    mem_free(book);
}
