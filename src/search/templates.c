#include "search/templates.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "search/commands/term_lists.h"
#include "search/lexer.h"

#include <stdlib.h>

enum {
    TEMPLATE_LEAF_MAX = 100, /* templates in a leaf that are compared with */
    TEMPLATE_DEPTH = 1,      /* first words that must be equal */
};

static const struct slice variable = {"<*>", 3};

void templates_init(struct templates *templates, struct arena *arena, double likeness, uint32_t max)
{
    *templates = (struct templates){.arena = arena, .likeness = likeness, .max = max};
    map_init(&templates->leaves, arena);
}

bool template_is_open(const struct template *template, uint32_t word)
{
    return template->words[word].ptr == variable.ptr;
}

static bool has_digit(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9')
            return true;
    return false;
}

/* Words of a line; those with a digit are variable. */
static uint32_t split_line(struct slice text, struct slice *words)
{
    uint32_t count = 0;
    while (count < TERMS_MAX && term_next(&text, SLICE(" \t\r\n"), &words[count])) {
        if (has_digit(words[count]))
            words[count] = variable;
        count++;
    }
    return count;
}

/* The number of words and the first ones. */
static struct slice leaf_key(const struct slice *words, uint32_t count, char to[256])
{
    size_t len = sizeof(count);
    memcpy(to, &count, sizeof(count));
    for (uint32_t i = 0; i < count && i < TEMPLATE_DEPTH; i++) {
        struct slice word = slice_sub(words[i], 0, 100);
        to[len++] = '\n';
        memcpy(to + len, word.ptr, word.len);
        len += word.len;
    }
    return slice_of(to, len);
}

static struct template *find_template(struct template *first, const struct slice *words, uint32_t count,
                                      double least)
{
    struct template *best = NULL;
    double most = 0;
    for (struct template *t = first; t; t = t->next) {
        uint32_t same = 0, fixed = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool open = template_is_open(t, i);
            same += !open && slice_equal(t->words[i], words[i]);
            fixed += !open;
        }
        double share = fixed ? (double)same / fixed : 1;
        if (share >= least && share > most) {
            most = share;
            best = t;
        }
    }
    return best;
}

static void widen(struct template *t, const struct slice *words)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (!slice_equal(t->words[i], words[i]))
            t->words[i] = variable;
}

static struct template *make(struct templates *all, const struct slice *words, uint32_t count, struct slice line)
{
    struct template *t = arena_calloc(all->arena, sizeof(*t));
    if (!t || !(t->words = arena_array(all->arena, count + 1U, sizeof(*t->words))))
        return NULL;
    t->count = count;
    for (uint32_t i = 0; i < count; i++) {
        bool open = words[i].ptr == variable.ptr;
        t->words[i] = open ? variable : arena_copy(all->arena, words[i]);
        if (!t->words[i].ptr)
            return NULL;
    }
    t->example = arena_copy(all->arena, slice_sub(line, 0, TEMPLATE_EXAMPLE_BYTES));
    return t->example.ptr ? t : NULL;
}

/* In its leaf and in the list. */
static bool file(struct templates *all, struct template *t, struct template *first, struct slice key)
{
    struct slice copy = first ? key : arena_copy(all->arena, key);
    struct template **list = spl_grow(all->arena, all->list, all->count, sizeof(*list));
    if (!copy.ptr || !list)
        return false;
    all->list = list;
    all->list[all->count++] = t;
    t->next = first;
    return map_put(&all->leaves, copy, t) == 0;
}

static struct template *find_place(struct templates *all, struct slice line)
{
    struct slice words[TERMS_MAX];
    char room[256];
    uint32_t count = split_line(line, words), held = 0;
    struct slice key = leaf_key(words, count, room);
    struct template *first = map_find(&all->leaves, key);
    struct template *found = find_template(first, words, count, all->likeness);
    if (found) {
        widen(found, words);
        return found;
    }
    for (const struct template *t = first; t; t = t->next)
        held++;
    if (all->count >= all->max || held >= TEMPLATE_LEAF_MAX) {
        if (!all->other)
            all->other = make(all, &variable, 1, line);
        return all->other;
    }
    found = make(all, words, count, line);
    if (!found || !file(all, found, first, key))
        return NULL;
    return found;
}

struct template *templates_add(struct templates *templates, struct slice line)
{
    struct template *found = find_place(templates, line);
    if (!found)
        return NULL;
    templates->lines++;
    found->lines++;
    return found;
}

static int by_lines(const void *a, const void *b)
{
    const struct template *const *x = a, *const *y = b;
    if ((*x)->lines != (*y)->lines)
        return (*x)->lines < (*y)->lines ? 1 : -1;
    return slice_compare((*x)->example, (*y)->example);
}

void templates_sort(struct templates *templates)
{
    if (templates->count)
        qsort(templates->list, templates->count, sizeof(*templates->list), by_lines);
}

struct slice template_text(const struct template *template, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, MIB);
    for (uint32_t i = 0; i < template->count; i++) {
        buffer_put_text(&text, i ? " " : "");
        buffer_put(&text, template->words[i]);
    }
    if (template->count == TERMS_MAX)
        buffer_put_text(&text, " ...");
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}
