#pragma once
/*
 * base/fold_find: looks for a folded text in one that is not folded (base/utf8.h), without folding
 * it: for texts in ASCII, the common case, at the speed of memory.
 *
 * Only two characters outside ASCII fold into it (CaseFolding.txt): U+017F to s, U+212A to k. A text
 * without them has an ASCII needle exactly where its bytes match but for the case of A to Z.
 */
#include "base/slice.h"

struct fold_needle {
    struct slice text; /* folded; borrowed */
    bool ascii;
    bool has_k_or_s;
};

enum fold_answer {
    FOLD_NO,
    FOLD_YES,
    FOLD_UNKNOWN, /* fold the text and look again */
};

void fold_needle_init(struct fold_needle *needle, struct slice folded);
enum fold_answer fold_find(const struct fold_needle *needle, struct slice text);
/* From *at on, which becomes where it was found. FOLD_UNKNOWN speaks of the rest of the text. */
enum fold_answer fold_find_from(const struct fold_needle *needle, struct slice text, size_t *at);
/* Whether the text begins with what is folded. */
enum fold_answer fold_starts(struct slice folded, struct slice text);
