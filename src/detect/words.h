#pragma once
/* detect/words: a condition word by word; brackets and bars are words of their own. */
#include "base/slice.h"

struct words {
    struct slice text;
    size_t at; /* where it is read */
};

/* The next word, without taking it; empty at the end. */
static inline struct slice words_peek(struct words *words)
{
    struct slice text = words->text;
    while (words->at < text.len && strchr(" \t\r\n", text.ptr[words->at]))
        words->at++;
    size_t end = words->at;
    while (end < text.len && !strchr(" \t\r\n()|", text.ptr[end]))
        end++;
    if (end == words->at && end < text.len)
        end++;
    return slice_sub(text, words->at, end - words->at);
}

/* Takes the next word when it is this one, in any case. */
static inline bool words_take(struct words *words, const char *word)
{
    struct slice next = words_peek(words);
    if (!slice_is_nocase(next, word))
        return false;
    words->at += next.len;
    return true;
}
