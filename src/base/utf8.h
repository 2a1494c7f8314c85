#pragma once
/*
 * base/utf8: text as code points (RFC 3629), for bytes that may be anything.
 * A byte that starts no valid sequence stands for itself.
 *
 * Case: "simple" folding as in Unicode's CaseFolding.txt (statuses C and S): one code
 * point always folds to one.
 */
#include "base/slice.h"

#include <stdint.h>

/* Length of the valid sequence at the start of s (1..4), or 0 when there is none. */
size_t utf8_decode(struct slice s, uint32_t *code_point);
size_t utf8_encode(uint32_t code_point, char to[4]);
bool utf8_is_ascii(struct slice s);
bool utf8_valid(struct slice s);
size_t utf8_count(struct slice s); /* code points, an invalid byte counts as one */

/* Letters of scripts that put no space between words: kana (half-width too) and ideographs. */
bool utf8_is_unspaced(uint32_t code_point);
bool utf8_starts_unspaced(struct slice s);
bool utf8_ends_unspaced(struct slice s);
uint32_t utf8_fold(uint32_t code_point);
uint32_t utf8_upper(uint32_t code_point); /* simple mapping, the inverse where there is one */

/* Folds s into to, which has room for 3 * s.len bytes (folding may lengthen UTF-8); returns the
 * length. ASCII is as fast as it can be. */
size_t utf8_fold_text(struct slice s, char *to);
bool utf8_equal_folded(struct slice a, struct slice b);
