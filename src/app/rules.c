#include "app/rules.h"

#include "app/cli.h"

#include <limits.h>
#include <stdio.h>

enum { PATH_ROOM = PATH_MAX + 64 };

int cli_load_rules(const char *path, const char *more, bool ignore_logsource, struct rulebook **out,
                   struct err *err)
{
    char logsources[PATH_ROOM], rules[PATH_ROOM], state[PATH_ROOM];
    snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
    snprintf(state, sizeof(state), "%s", cli_content("state"));
    snprintf(rules, sizeof(rules), "%s", path ? path : cli_content("rules"));
    struct rulebook_sources sources = {.rules = rules, .more_rules = more, .logsources = logsources, .state = state,
                                       .ignore_logsource = ignore_logsource};
    return rulebook_load(&sources, out, err);
}

void cli_say_inactive(const struct rulebook *book)
{
    size_t inactive = 0, refused = 0;
    for (size_t i = 0; i < book->rules->count; i++) {
        inactive += book->rules->rules[i]->status == RULE_INACTIVE;
        refused += book->rules->rules[i]->status == RULE_REFUSED;
    }
    if (inactive + refused)
        fprintf(stderr, "hinomi: of %zu rules %zu are inactive and %zu refused; "
                "'hinomi rules check' says why\n", book->rules->count, inactive, refused);
}
