/* The least and the greatest value. */
#include "search/stats/state_extremes.h"

/* The first eight bytes of the text. */
static uint64_t word_of(struct value v)
{
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, small);
    uint64_t word = 0;
    for (size_t i = 0; i < 8; i++)
        word = word << 8 | (i < text.len ? (unsigned char)text.ptr[i] : 0);
    return word;
}

/* The same of a whole number, without printing it all. */
static uint64_t word_of_i64(int64_t n)
{
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n, word = 0;
    unsigned room = n < 0 ? 7 : 8, digits = 0;
    for (uint64_t most = room == 8 ? 100000000 : 10000000; left >= most;)
        left /= 10;
    for (; digits == 0 || left; digits++, left /= 10)
        word = word >> 8 | ('0' + left % 10) << 56;
    return n < 0 ? word >> 8 | (uint64_t)'-' << 56 : word;
}

static int text_order(struct value a, struct value b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(a, x), value_text_small(b, y));
}

/* Of texts that are equal a whole number is kept, whichever came first. */
static bool text_wins(struct value v, int order)
{
    return order < 0 || (order == 0 && v.type == VALUE_I64);
}

static void text_extreme(struct stat_scope *scope, struct extremes *e, struct value v)
{
    uint64_t word = v.type == VALUE_I64 ? word_of_i64(v.i64) : word_of(v);
    if (e->some && word > e->least_word && word < e->greatest_word)
        return;
    if (!e->some || text_wins(v, text_order(v, e->text_least))) {
        stat_keep_over(scope, &e->text_least, v);
        e->least_word = word;
    }
    if (!e->some || text_wins(v, text_order(e->text_greatest, v))) {
        stat_keep_over(scope, &e->text_greatest, v);
        e->greatest_word = word;
    }
    e->some = true;
}

static bool number_wins(struct value n, struct value held, int order)
{
    return order < 0 || (order == 0 && stat_tie(n, held) < 0);
}

static void number_extreme(struct stat_scope *scope, struct extremes *e, struct value n)
{
    if (!e->numbers || number_wins(n, e->least, value_compare_numbers(n, e->least)))
        e->least = stat_keep(scope, n);
    if (!e->numbers || number_wins(n, e->greatest, value_compare_numbers(e->greatest, n)))
        e->greatest = stat_keep(scope, n);
    e->numbers = true;
}

void extremes_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct extremes *e = state;
    int128 room;
    struct value n;
    (void)time_ns;
    bool number = stat_number(v, &room, &n);
    if (number)
        number_extreme(scope, e, n);
    text_extreme(scope, e, v);
    e->texts |= !number;
}

void extremes_merge(struct stat_scope *scope, void *state, const void *part)
{
    struct extremes *e = state;
    const struct extremes *p = part;
    if (!e->some) {
        *e = *p;
        return;
    }
    if (p->numbers) {
        number_extreme(scope, e, p->least);
        number_extreme(scope, e, p->greatest);
    }
    if (p->some) {
        text_extreme(scope, e, p->text_least);
        text_extreme(scope, e, p->text_greatest);
    }
    e->texts |= p->texts;
}
