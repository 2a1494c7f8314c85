#pragma once
/* detect/sigma_item: what one item of a detection says, for detect/sigma_value and detect/sigma_text only. */
#include "detect/sigma_value.h"

enum place { PLACE_WHOLE, PLACE_CONTAINS, PLACE_STARTS, PLACE_ENDS };
enum coding { CODING_NONE, CODING_BASE64, CODING_BASE64_OFFSET };
enum width { WIDTH_UTF8, WIDTH_UTF16LE, WIDTH_UTF16BE, WIDTH_UTF16 };

/* What the modifiers of one item add up to. */
struct item {
    struct slice field; /* none: keywords */
    enum place place;
    enum coding coding;
    enum width width;
    bool all, cased, windash, cidr, exists, not_equal, regex, fieldref, expand;
    bool ordered, time_part, flagged, placed;
    enum test_kind order;
    enum time_part part;
    unsigned regex_flags;
};

enum sigma_outcome sigma_refuse(struct sigma_context *context, const struct yaml_node *node, const char *text);
enum sigma_outcome sigma_no_memory(struct sigma_context *context);
static inline unsigned sigma_test_flags(const struct item *item)
{
    return item->cased ? TEST_CASED : 0;
}

/* A text with wildcards, encoded and placed as the item says, as a test of the column; with every permutation of its
 * dashes. */
enum sigma_outcome sigma_text(struct sigma_context *context, const struct item *item, struct slice column,
                              struct slice text, const struct expr **out);
enum sigma_outcome sigma_dashed_text(struct sigma_context *context, const struct item *item, struct slice column,
                                     struct slice text, const struct expr **out);
