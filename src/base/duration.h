#pragma once
/* base/duration: "500ms", "30s", "10m", "24h", "7d", "2w" in configuration, rules and policies. */
#include "base/slice.h"

#include <stdint.h>

/* False when the text is no positive duration of at most 100 years. */
bool duration_parse(struct slice text, int64_t *ns);
