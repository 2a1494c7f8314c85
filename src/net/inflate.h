#pragma once
/*
 * net/inflate: a compressed body to plain bytes, with a cap on size and ratio
 * so that a small body cannot become a large one (zip bomb).
 * Formats: gzip (several members), deflate (RFC 1950/1951), zstd (RFC 8878), snappy
 * (one block, as Prometheus and Loki send it; google/snappy, format_description.txt).
 */
#include "base/buffer.h"
#include "base/err.h"

enum inflate_kind { INFLATE_GZIP, INFLATE_DEFLATE, INFLATE_ZSTD, INFLATE_SNAPPY };

/* Appends to out. ERR_LIMIT when bytes_max or ratio_max is passed (a body under 64 KiB is free
 * of the ratio), ERR_INPUT when the bytes are damaged or end early. */
MUST_USE int inflate_body(enum inflate_kind kind, struct slice body, size_t bytes_max,
                          size_t ratio_max, struct buffer *out, struct err *err);
