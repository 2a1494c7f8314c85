#include "app/rule_files.h"

#include "app/cli.h"
#include "base/limits.h"

#include <limits.h>
#include <stdio.h>

enum { PATH_ROOM = PATH_MAX + 64 };
#define STATE_BYTES_MAX (64 * MIB)

int rule_files_load(const char *path, bool ignore_logsource, struct rule_files *out, struct err *err)
{
    char logsources[PATH_ROOM], rules[PATH_ROOM];
    *out = (struct rule_files){.arena = arena_new(STATE_BYTES_MAX)};
    if (!out->arena)
        return err_nomem(err);
    snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
    snprintf(rules, sizeof(rules), "%s", path ? path : cli_content("rules"));
    struct rule_options options = {.logsource_path = logsources, .ignore_logsource = ignore_logsource};
    if (state_definitions_load(cli_content("state"), out->arena, &out->state, err) < 0 ||
        rule_set_load(rules, &options, &out->rules, err) < 0) {
        rule_files_free(out);
        return -1;
    }
    return 0;
}

void rule_files_free(struct rule_files *files)
{
    rule_set_free(files->rules);
    arena_free(files->arena);
    *files = (struct rule_files){0};
}

void rule_files_say_inactive(const struct rule_files *files)
{
    size_t inactive = 0, refused = 0;
    for (size_t i = 0; i < files->rules->count; i++) {
        inactive += files->rules->rules[i]->status == RULE_INACTIVE;
        refused += files->rules->rules[i]->status == RULE_REFUSED;
    }
    if (inactive + refused)
        fprintf(stderr, "hinomi: of %zu rules %zu are inactive and %zu refused; "
                "'hinomi rules check' says why\n", files->rules->count, inactive, refused);
}
