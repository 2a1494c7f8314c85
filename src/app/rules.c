#include "app/rules.h"

#include "app/cli.h"
#include "base/file.h"

#include <limits.h>
#include <stdio.h>

enum { PATH_ROOM = PATH_MAX + 64 };

const char *cli_own_rules(const char *dir, char to[CLI_RULES_PATH_MAX])
{
    snprintf(to, CLI_RULES_PATH_MAX, "%.4000s/content/rules", dir);
    return to;
}

const char *cli_rule_tuning(const char *dir, char to[CLI_RULES_PATH_MAX])
{
    snprintf(to, CLI_RULES_PATH_MAX, "%.4000s/content/rule-tuning.yaml", dir);
    return to;
}

static int load(struct rulebook_sources *sources, struct rulebook **out, struct err *err)
{
    char logsources[PATH_ROOM], rules[PATH_ROOM], state[PATH_ROOM], placeholders[PATH_ROOM],
        calendars[PATH_ROOM];
    snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
    snprintf(state, sizeof(state), "%s", cli_content("state"));
    snprintf(calendars, sizeof(calendars), "%s", cli_content("calendars"));
    snprintf(placeholders, sizeof(placeholders), "%s", cli_content("placeholders"));
    snprintf(rules, sizeof(rules), "%s", sources->rules ? sources->rules : cli_content("rules"));
    sources->rules = rules;
    sources->logsources = logsources;
    sources->state = state;
    sources->placeholders = placeholders;
    sources->calendars = calendars;
    return rulebook_load(sources, out, err);
}

int cli_load_rules(const char *path, bool ignore_logsource, struct rulebook **out, struct err *err)
{
    return load(&(struct rulebook_sources){.rules = path, .ignore_logsource = ignore_logsource}, out, err);
}

int cli_load_server_rules(const char *dir, struct rulebook **out, struct err *err)
{
    char own[CLI_RULES_PATH_MAX], tuning[CLI_RULES_PATH_MAX], lookups[CLI_RULES_PATH_MAX];
    snprintf(lookups, sizeof(lookups), "%.4000s/lookups", dir);
    return load(&(struct rulebook_sources){.more_rules = cli_own_rules(dir, own),
                                           .tuning = cli_rule_tuning(dir, tuning),
                                           .lookups = lookups}, out, err);
}

uint64_t cli_stamp_server_rules(const char *dir)
{
    static const char *const folders[] = {"rules", "logsources", "state", "placeholders", "calendars"};
    char path[CLI_RULES_PATH_MAX];
    uint64_t sum = file_stamp(cli_own_rules(dir, path)) + file_stamp(cli_rule_tuning(dir, path));
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        sum += file_stamp(cli_content(folders[i]));
    return sum;
}

void cli_open_rule(struct json *json, const struct rule *rule)
{
    json_key(json, "rule");
    json_open(json, '{');
    json_put_text(json, rule->id.ptr ? "id" : "name", rule->name);
    if (rule->title.ptr)
        json_put_text(json, "title", rule->title);
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
