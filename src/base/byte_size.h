#pragma once
/* base/byte_size: "200GiB", "500 MB", "4096" in configuration; KB, MB, GB, TB are powers of 1000, KiB ... of 1024. */
#include "base/slice.h"

#include <stdint.h>

/* False when the text is no number of bytes below 2^63. */
bool byte_size_parse(struct slice text, uint64_t *bytes);
