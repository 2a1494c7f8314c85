#pragma once
/* app/check_content: decoders, samples, rules, state tables and the gate's policy, for `hinomi check`. */
#include "app/report.h"

/* policy: the file named by the configuration, or NULL for the one that comes with the program.
 * dir: the data folder, whose definitions for the search language count, too; or NULL. */
void check_content(struct report *report, const char *policy, const char *dir);
