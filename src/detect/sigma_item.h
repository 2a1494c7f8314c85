#pragma once
/* detect/sigma_item: what one item of a detection says, for detect/sigma_value and detect/sigma_text only. */
#include "detect/sigma_value.h"

enum place { PLACE_WHOLE, PLACE_CONTAINS, PLACE_STARTS, PLACE_ENDS };
enum coding { CODING_BASE64, CODING_BASE64_OFFSET, CODING_UTF16LE, CODING_UTF16BE, CODING_UTF16 };
enum { CODINGS_MAX = 3 };

/* What the modifiers of one item add up to. */
struct item {
    struct slice field; /* none: keywords */
    enum place place;
    enum coding codings[CODINGS_MAX]; /* one applied to what the other made */
    size_t coding_count;
    bool all, cased, windash, cidr, exists, not_equal, regex, fieldref, expand;
    bool ordered, time_part, flagged, placed;
    enum test_kind order;
    enum time_part part;
    unsigned regex_flags;
};

/* Reads "field|modifier|..."; node is for errors. */
enum sigma_outcome sigma_modifiers(struct sigma_context *context, struct slice key, const struct yaml_node *node,
                                   struct item *item);

enum sigma_outcome sigma_refuse(struct sigma_context *context, const struct yaml_node *node, const char *text);
enum sigma_outcome sigma_no_memory(struct sigma_context *context);
/* A null can only be there or not. */
static inline bool sigma_wants_text(const struct item *item)
{
    return item->placed || item->coding_count || item->windash || item->regex || item->cidr || item->fieldref ||
           item->ordered || item->time_part;
}
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
