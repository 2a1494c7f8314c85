#pragma once
/* app/rules: the rules that commands run: from a path or the content folder. */
#include "base/json.h"
#include "flow/rulebook.h"

/* path NULL: the content folder's own rules. */
MUST_USE int cli_load_rules(const char *path, bool ignore_logsource, struct rulebook **out, struct err *err);
/* Those that a server of the data folder runs: the content folder's, DATA/content/rules, and what
 * DATA/content/rule-tuning.yaml says of them. */
MUST_USE int cli_load_server_rules(const char *dir, struct rulebook **out, struct err *err);
/* Changes when any of these files does. */
uint64_t cli_stamp_server_rules(const char *dir);

/* DATA/content/rules and the like, into to. */
enum { CLI_RULES_PATH_MAX = 4400 };
const char *cli_own_rules(const char *dir, char to[CLI_RULES_PATH_MAX]);
const char *cli_rule_tuning(const char *dir, char to[CLI_RULES_PATH_MAX]);

/* "rule": {"id" or "name", "title"; the caller closes it. */
void cli_open_rule(struct json *json, const struct rule *rule);

/* A sentence on standard error when some rules are not active. */
void cli_say_inactive(const struct rulebook *book);
