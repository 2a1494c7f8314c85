#include "flow/rulebook.h"

#include "base/limits.h"
#include "base/mem.h"

#define STATE_BYTES_MAX (64 * MIB)

int rulebook_load(const struct rulebook_sources *sources, struct rulebook **out, struct err *err)
{
    struct rule_options options = {.logsource_path = sources->logsources,
                                   .more_path = sources->more_rules,
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
    if (result < 0) {
        rulebook_release(book);
        return -1;
    }
    *out = book;
    return 0;
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
