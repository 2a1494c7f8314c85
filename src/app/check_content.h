#pragma once
/* app/check_content: decoders, samples, rules, state tables, the gate's policy and the waking plan, for `hinomi check`. */
#include "app/report.h"

/* dir: the data folder, whose definitions for the search language count, too; or NULL. */
/* The waking plan that the configuration names, if it names one. */
struct config;
void check_waking(struct report *report, const struct config *config);
void check_content(struct report *report, const struct config *config, const char *dir);
