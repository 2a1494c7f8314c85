#include "search/commands/term_lists.h"

#include <math.h>
#include <stdlib.h>

bool term_next(struct slice *text, struct slice delims, struct slice *word)
{
    size_t end = 0;
    while (text->len && slice_find_char(delims, text->ptr[0]) >= 0)
        *text = slice_from(*text, 1);
    while (end < text->len && slice_find_char(delims, text->ptr[end]) < 0)
        end++;
    *word = slice_sub(*text, 0, end);
    *text = slice_from(*text, end);
    return end > 0;
}

static int add_word(struct map *words, struct slice word, struct term_list *out)
{
    void *known = map_find(words, word);
    if (!known) {
        struct slice copy = arena_copy(words->arena, word);
        known = (void *)(uintptr_t)(words->count + 1);
        if (!copy.ptr || map_put(words, copy, known) < 0)
            return -1;
    }
    out->ids[out->count++] = (uint32_t)(uintptr_t)known;
    return 0;
}

int term_list_make(struct map *words, struct slice text, struct slice delims,
                   struct term_list *out)
{
    struct slice word;
    out->count = 0;
    while (out->count < TERMS_MAX && term_next(&text, delims, &word))
        if (add_word(words, word, out) < 0)
            return -1;
    return 0;
}

int term_list_ngrams(struct map *words, struct slice text, struct term_list *out)
{
    out->count = 0;
    for (size_t at = 0; at + 3 <= text.len && out->count < TERMS_MAX; at++)
        if (add_word(words, slice_sub(text, at, 3), out) < 0)
            return -1;
    return text.len && text.len < 3 ? add_word(words, text, out) : 0;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void term_list_sort(struct term_list *list)
{
    uint32_t kept = 0;
    if (list->count)
        qsort(list->ids, list->count, sizeof(*list->ids), by_id);
    for (uint32_t i = 0; i < list->count; i++)
        if (!kept || list->ids[kept - 1] != list->ids[i])
            list->ids[kept++] = list->ids[i];
    list->count = kept;
}

double term_list_in_order(const struct term_list *a, const struct term_list *b)
{
    uint16_t lengths[TERMS_MAX + 1] = {0};
    uint32_t most = a->count > b->count ? a->count : b->count;
    for (uint32_t i = 0; i < a->count; i++) {
        uint16_t diagonal = 0;
        for (uint32_t k = 0; k < b->count; k++) {
            uint16_t above = lengths[k + 1];
            uint16_t best = above > lengths[k] ? above : lengths[k];
            lengths[k + 1] = a->ids[i] == b->ids[k] ? (uint16_t)(diagonal + 1) : best;
            diagonal = above;
        }
    }
    return most ? (double)lengths[b->count] / most : 1;
}

double term_list_as_sets(const struct term_list *a, const struct term_list *b)
{
    uint32_t i = 0, k = 0, common = 0;
    while (i < a->count && k < b->count) {
        uint32_t x = a->ids[i], y = b->ids[k];
        common += x == y;
        i += x <= y;
        k += y <= x;
    }
    if (!a->count || !b->count)
        return a->count == b->count;
    return common / sqrt((double)a->count * b->count);
}
