/* The modifiers of one item of a Sigma detection: what they add up to, and which cannot stand together. */
#include "detect/sigma_item.h"

static bool flag_modifier(struct item *item, struct slice name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"all", &item->all},         {"cased", &item->cased},   {"windash", &item->windash},
        {"cidr", &item->cidr},       {"exists", &item->exists}, {"neq", &item->not_equal},
        {"re", &item->regex},        {"fieldref", &item->fieldref}, {"expand", &item->expand},
    };
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        if (slice_is(name, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    return false;
}

static bool word_modifier(struct item *item, struct slice name)
{
    static const struct {
        const char *name;
        int kind, value;
    } words[] = {
        {"contains", 0, PLACE_CONTAINS}, {"startswith", 0, PLACE_STARTS},
        {"endswith", 0, PLACE_ENDS},     {"base64", 1, CODING_BASE64},
        {"base64offset", 1, CODING_BASE64_OFFSET}, {"wide", 1, CODING_UTF16LE},
        {"utf16le", 1, CODING_UTF16LE},  {"utf16be", 1, CODING_UTF16BE},
        {"utf16", 1, CODING_UTF16},      {"lt", 2, TEST_LESS},
        {"lte", 2, TEST_LESS_EQUAL},     {"gt", 2, TEST_GREATER},
        {"gte", 2, TEST_GREATER_EQUAL},  {"minute", 3, TIME_MINUTE},
        {"hour", 3, TIME_HOUR},          {"day", 3, TIME_DAY},
        {"week", 3, TIME_WEEK},          {"month", 3, TIME_MONTH},
        {"year", 3, TIME_YEAR},          {"i", 4, REGEX_CASELESS},
        {"m", 4, REGEX_MULTILINE},       {"s", 4, REGEX_DOTALL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (!slice_is(name, words[i].name))
            continue;
        switch (words[i].kind) {
        case 0:
            item->place = (enum place)words[i].value;
            item->placed = true;
            return true;
        case 1:
            item->codings[item->coding_count++] = (enum coding)words[i].value;
            return true;
        case 2:
            item->ordered = true;
            item->order = (enum test_kind)words[i].value;
            return true;
        case 3:
            item->time_part = true;
            item->part = (enum time_part)words[i].value;
            return true;
        default:
            item->regex_flags |= (unsigned)words[i].value;
            item->flagged = true;
            return true;
        }
    }
    return false;
}

static int type_count(const struct item *item)
{
    return item->regex + item->cidr + item->exists + item->fieldref + (item->ordered || item->time_part);
}

/* Modifiers are applied in the order in which they are written; why the newest one cannot be, or NULL. */
static const char *misplaced(const struct item *before, const struct item *now)
{
    if (type_count(now) > type_count(before) && (before->placed || before->coding_count || before->windash))
        return "re, cidr, exists, fieldref and tests of numbers or times stand before all other modifiers";
    if (now->flagged && !now->regex)
        return "i, m and s belong behind re";
    if (now->coding_count > before->coding_count && before->placed)
        return "an encoding stands before contains, startswith and endswith, as in base64offset|contains";
    if (before->coding_count && ((now->windash && !before->windash) || (now->expand && !before->expand)))
        return "windash and expand stand before an encoding";
    if (before->placed && now->place != before->place)
        return "contains, startswith and endswith exclude each other";
    if (before->ordered && (now->order != before->order || (now->time_part && !before->time_part)))
        return "there is one of lt, lte, gt and gte, and it stands behind the part of a time, as in hour|gte";
    if (before->time_part && now->part != before->part)
        return "minute, hour, day, week, month and year exclude each other";
    return NULL;
}

/* Modifiers that make no sense together, or NULL. */
static const char *contradiction(const struct item *item)
{
    bool coded = item->coding_count, number = item->ordered || item->time_part;
    if (type_count(item) > 1)
        return "re, cidr, exists, fieldref and tests of numbers or times exclude each other";
    if (coded && type_count(item))
        return "an encoding is for texts, not for re, cidr, exists, fieldref, numbers and times";
    if (item->windash && type_count(item))
        return "windash is for texts, not for re, cidr, exists, fieldref, numbers and times";
    if (item->placed && (item->cidr || item->exists || number))
        return "contains, startswith and endswith are for texts, not for cidr, exists, numbers and times";
    if (item->exists && (item->all || item->not_equal || item->expand))
        return "exists stands alone, with true or false";
    if (!item->field.ptr && (item->cidr || item->exists || item->fieldref || number))
        return "this modifier needs the name of a field before it";
    return NULL;
}

enum sigma_outcome sigma_modifiers(struct sigma_context *context, struct slice key, const struct yaml_node *node,
                                   struct item *item)
{
    struct slice part;
    *item = (struct item){0};
    slice_next_part(&key, '|', &item->field);
    if (item->field.len == 0)
        item->field = SLICE_NONE;
    while (key.ptr && slice_next_part(&key, '|', &part)) {
        struct item before = *item;
        if (item->coding_count == CODINGS_MAX)
            return sigma_refuse(context, node, "there are more encodings than a value may have");
        if (!flag_modifier(item, part) && !word_modifier(item, part)) {
            yaml_err(context->err, node, "%.*s: there is no modifier '%.*s'", SLICE_ARG(context->key), SLICE_ARG(part));
            return SIGMA_ERROR;
        }
        const char *wrong = misplaced(&before, item);
        if (wrong) {
            yaml_err(context->err, node, "%.*s: the modifier '%.*s' cannot stand here: %s", SLICE_ARG(context->key),
                     SLICE_ARG(part), wrong);
            return SIGMA_ERROR;
        }
    }
    const char *wrong = contradiction(item);
    return wrong ? sigma_refuse(context, node, wrong) : SIGMA_OK;
}
