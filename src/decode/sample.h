#pragma once
/*
 * decode/sample: the samples beside the decoders. X.log becomes X.json: one event a line, in order, as
 * the console shows it. Used by the tests, by `hinomi check` and to write the .json anew.
 *
 * Threads  One at a time per set of decoders.
 */
#include "decode/decode.h"

enum { SAMPLE_BYTES_MAX = 1024 * 1024 };

/* The events of the text, received at 2026-03-01T00:00:00Z, as lines of JSON. */
MUST_USE int sample_decode(const struct decoders *decoders, struct slice text, struct buffer *to,
                           struct err *err);

/* log_path ends in ".log". ERR_INPUT names the first line that is not what stands in the .json. */
MUST_USE int sample_check(const struct decoders *decoders, const char *log_path, struct err *err);
/* Writes the .json anew. */
MUST_USE int sample_write(const struct decoders *decoders, const char *log_path, struct err *err);
/* ".../X.json" for ".../X.log"; ERR_CONFIG when the path is too long. */
MUST_USE int sample_expected_path(const char *log_path, char *to, size_t size, struct err *err);
