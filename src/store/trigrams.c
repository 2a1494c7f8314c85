#include "store/trigrams.h"

#include "store/words.h"

#include <string.h>

enum { LETTERS = 36 };

/* 0 to 35, or LETTERS for what is no letter or digit of ASCII. */
static unsigned letter_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : LETTERS;
}

static uint32_t number_of(const char *at)
{
    unsigned a = letter_of(at[0]), b = letter_of(at[1]), c = letter_of(at[2]);
    if (a < LETTERS && b < LETTERS && c < LETTERS)
        return (a * LETTERS + b) * LETTERS + c;
    uint32_t bytes = (uint32_t)(uint8_t)at[0] | (uint32_t)(uint8_t)at[1] << 8 |
                     (uint32_t)(uint8_t)at[2] << 16;
    return bytes * 2654435761U >> 16; /* Knuth's multiplicative hash: the upper bits */
}

void trigrams_add(struct trigrams *trigrams, struct slice word)
{
    for (size_t i = 0; i + 3 <= word.len; i++) {
        uint32_t n = number_of(word.ptr + i);
        trigrams->bits[n / 8] |= (uint8_t)(1U << n % 8);
    }
}

static bool run_may_be_there(struct slice bits, struct slice run, bool after_escape)
{
    size_t from = after_escape && run.len ? words_escape_end(run) : 0;
    for (size_t i = from; i + 3 <= run.len; i++) {
        uint32_t n = number_of(run.ptr + i);
        bool there = (uint8_t)bits.ptr[n / 8] >> n % 8 & 1;
        if (!there && !words_may_be_printed(slice_sub(run, i, 3)))
            return false;
    }
    return true;
}

bool trigrams_may_have(struct slice bits, struct slice text)
{
    struct slice rest = text, run;
    if (bits.len != TRIGRAMS_BYTES)
        return true;
    while (words_next(&rest, &run)) {
        bool first = run.ptr == text.ptr || run.ptr[-1] == '\\';
        if (!run_may_be_there(bits, run, first))
            return false;
    }
    return true;
}
