#include "cut/xml_path.h"

/* An element that is open. */
struct level {
    struct slice path;  /* of leaves; of a path that is followed: not used */
    struct slice text;  /* its own, so far */
    size_t inside;      /* where its content begins */
    uint32_t found;     /* followed: how many children had the next step's name */
    bool has_elements;
};

struct step {
    struct slice name, attribute;
    int64_t index; /* from 1; 0: all */
};

struct walk {
    struct xml_scan scan;
    struct arena *arena;
    xml_put put;
    void *context;
    struct level levels[XML_DEPTH_MAX + 1]; /* 0 is the document */
    struct slice path;
    struct step steps[XML_DEPTH_MAX]; /* none: leaves */
    unsigned step_count, matched;
};

bool xml_path_fits(struct slice text)
{
    return slice_starts(slice_trim(text), SLICE("<"));
}

static bool is_whole(struct slice text)
{
    struct xml_scan scan = {.text = text};
    struct xml_token token;
    do
        xml_next(&scan, &token);
    while (token.kind != XML_DONE && token.kind != XML_BAD);
    return token.kind == XML_DONE;
}

/* b, b{2}, b{}, b{@c}: false when it is none of them. */
static bool take_step(struct slice part, struct step *step)
{
    ptrdiff_t open = slice_find_char(part, '{');
    *step = (struct step){.name = open < 0 ? part : slice_sub(part, 0, (size_t)open)};
    if (open < 0)
        return true;
    struct slice inside = slice_from(part, (size_t)open + 1);
    if (!inside.len || inside.ptr[inside.len - 1] != '}')
        return false;
    inside = slice_sub(inside, 0, inside.len - 1);
    if (slice_starts(inside, SLICE("@"))) {
        step->attribute = slice_from(inside, 1);
        return true;
    }
    return !inside.len || (slice_to_i64(inside, &step->index) && step->index > 0);
}

/* What it says, without references. */
static struct slice plain_text(struct walk *walk, const struct xml_token *token)
{
    return token->escaped ? xml_unescape(token->text, walk->arena) : token->text;
}

static int give(struct walk *walk, struct slice path, struct slice text)
{
    return text.len ? walk->put(walk->context, path, text) : 0;
}

/* The innermost element is what the path names. */
static bool is_here(const struct walk *walk)
{
    return walk->step_count && walk->matched == walk->step_count &&
           walk->scan.depth == walk->step_count;
}

static int open_element(struct walk *walk, struct slice name)
{
    unsigned depth = walk->scan.depth;
    struct level *parent = &walk->levels[depth - 1];
    struct level *level = &walk->levels[depth];
    *level = (struct level){0};
    parent->has_elements = true;
    if (!walk->step_count) {
        level->path = arena_printf(walk->arena, "%.*s%s%.*s", SLICE_ARG(parent->path),
                                   parent->path.len ? "." : "", SLICE_ARG(name));
        return level->path.ptr ? 0 : -1;
    }
    const struct step *step = &walk->steps[depth - 1];
    if (walk->matched != depth - 1 || depth > walk->step_count || !slice_equal(step->name, name))
        return 0;
    parent->found++;
    if (!step->index || step->index == parent->found)
        walk->matched = depth;
    return 0;
}

static int take_attribute(struct walk *walk, const struct xml_token *token)
{
    struct slice path = walk->path, text = plain_text(walk, token);
    if (!text.ptr)
        return -1;
    if (walk->step_count) {
        const struct step *last = &walk->steps[walk->step_count - 1];
        bool wanted = is_here(walk) && last->attribute.ptr && slice_equal(last->attribute, token->name);
        return wanted ? give(walk, path, text) : 0;
    }
    path = arena_printf(walk->arena, "%.*s{@%.*s}", SLICE_ARG(walk->levels[walk->scan.depth].path),
                        SLICE_ARG(token->name));
    return path.ptr ? give(walk, path, text) : -1;
}

static int take_text(struct walk *walk, const struct xml_token *token)
{
    struct level *level = &walk->levels[walk->scan.depth];
    if (!slice_trim(token->text).len)
        return 0;
    struct slice text = plain_text(walk, token);
    level->text = text.ptr && level->text.len ? arena_printf(walk->arena, "%.*s%.*s",
                                                             SLICE_ARG(level->text), SLICE_ARG(text))
                                              : text;
    return level->text.ptr ? 0 : -1;
}

/* The element at depth has ended; at is where its end tag begins. */
static int close_element(struct walk *walk, unsigned depth, size_t at)
{
    const struct level *level = &walk->levels[depth];
    if (!walk->step_count)
        return give(walk, level->path, level->text);
    if (walk->matched < depth)
        return 0;
    walk->matched = depth - 1;
    if (depth != walk->step_count || walk->steps[depth - 1].attribute.ptr)
        return 0;
    if (!level->has_elements)
        return give(walk, walk->path, level->text);
    struct slice inside = slice_sub(walk->scan.text, level->inside, at - level->inside);
    return give(walk, walk->path, slice_trim(inside));
}

static int run(struct walk *walk)
{
    struct xml_scan *scan = &walk->scan;
    struct xml_token token;
    for (;;) {
        size_t before = scan->at;
        unsigned depth = scan->depth;
        xml_next(scan, &token);
        int result = 0;
        if (token.kind == XML_DONE || token.kind == XML_BAD)
            return 0;
        if (token.kind == XML_OPEN)
            result = open_element(walk, token.name);
        else if (token.kind == XML_ATTRIBUTE)
            result = take_attribute(walk, &token);
        else if (token.kind == XML_TEXT)
            result = take_text(walk, &token);
        else
            result = close_element(walk, depth, before);
        if (result < 0)
            return -1;
        if ((token.kind == XML_OPEN || token.kind == XML_ATTRIBUTE) && scan->in_tag) {
            ptrdiff_t end = slice_find_char(slice_from(scan->text, scan->at), '>');
            walk->levels[scan->depth].inside = scan->at + (end < 0 ? 0 : (size_t)end + 1);
        }
    }
}

int xml_path_each(struct slice text, struct slice path, struct arena *arena, xml_put put,
                  void *context)
{
    struct walk walk = {
        .scan = {.text = text}, .arena = arena, .put = put, .context = context, .path = path};
    struct slice rest = path, part;
    while (slice_next_part(&rest, '.', &part))
        if (walk.step_count == XML_DEPTH_MAX || !take_step(part, &walk.steps[walk.step_count++]))
            return 0;
    return walk.step_count && is_whole(text) ? run(&walk) : 0;
}

int xml_path_leaves(struct slice text, struct arena *arena, xml_put put, void *context)
{
    struct walk walk = {.scan = {.text = text}, .arena = arena, .put = put, .context = context};
    return is_whole(text) ? run(&walk) : 0;
}
