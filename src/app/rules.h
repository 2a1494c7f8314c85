#pragma once
/* app/rules: the rules that commands run: from a path or the content folder. */
#include "flow/rulebook.h"

/* path NULL: the content folder's own rules. more: a folder of further ones, which need not be there; NULL:
 * none. */
MUST_USE int cli_load_rules(const char *path, const char *more, bool ignore_logsource, struct rulebook **out, struct err *err);

/* A sentence on standard error when some rules are not active. */
void cli_say_inactive(const struct rulebook *book);
