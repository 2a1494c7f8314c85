#include "store/words.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/bloom.h"

#include <string.h>

enum { FIRST_SIZE = 1 << 14, ESCAPE_MAX = 5 };

struct words {
    uint64_t *table; /* hashes; 0 is free */
    size_t size, count;
    bool full;
    struct buffer room; /* for folding */
};

static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* The next run of the text; false at its end. */
static bool next_word(struct slice *text, struct slice *word)
{
    size_t start = 0, end;
    while (start < text->len && !is_word((unsigned char)text->ptr[start]))
        start++;
    for (end = start; end < text->len && is_word((unsigned char)text->ptr[end]);)
        end++;
    *word = slice_sub(*text, start, end - start);
    *text = slice_from(*text, end);
    return word->len > 0;
}

struct words *words_new(void)
{
    struct words *words = mem_calloc(1, sizeof(*words));
    if (!words)
        return NULL;
    words->size = FIRST_SIZE;
    words->table = mem_calloc(words->size, sizeof(*words->table));
    buffer_init(&words->room, 1 * GIB);
    if (words->table)
        return words;
    mem_free(words);
    return NULL;
}

void words_free(struct words *words)
{
    if (!words)
        return;
    buffer_close(&words->room);
    mem_free(words->table);
    mem_free(words);
}

void words_clear(struct words *words)
{
    memset(words->table, 0, words->size * sizeof(*words->table));
    words->count = 0;
    words->full = false;
}

static void put(uint64_t *table, size_t size, uint64_t hash, size_t *count)
{
    size_t at = (size_t)hash & (size - 1);
    while (table[at] && table[at] != hash)
        at = (at + 1) & (size - 1);
    *count += !table[at];
    table[at] = hash;
}

static bool grow(struct words *words)
{
    size_t size = words->size * 2, count = 0;
    uint64_t *table = words->count < WORDS_MAX ? mem_calloc(size, sizeof(*table)) : NULL;
    if (!table)
        return false;
    for (size_t i = 0; i < words->size; i++)
        if (words->table[i])
            put(table, size, words->table[i], &count);
    mem_free(words->table);
    words->table = table;
    words->size = size;
    return true;
}

void words_add(struct words *words, struct slice text)
{
    struct slice word;
    if (!words || words->full)
        return;
    buffer_clear(&words->room);
    char *to = buffer_reserve(&words->room, 3 * text.len + 1);
    words->full = !to;
    struct slice folded = to ? slice_of(to, utf8_fold_text(text, to)) : SLICE("");
    while (!words->full && next_word(&folded, &word)) {
        uint64_t hash = bloom_hash_folded(word);
        put(words->table, words->size, hash ? hash : 1, &words->count);
        if (words->count * 2 >= words->size && !grow(words))
            words->full = true;
    }
}

struct slice words_filter(const struct words *words, struct arena *arena)
{
    if (!words || words->full || !words->count)
        return SLICE_NONE;
    size_t size = bloom_size(words->count);
    char *filter = arena_calloc(arena, size);
    for (size_t i = 0; filter && i < words->size; i++)
        if (words->table[i])
            bloom_add(filter, size, words->table[i]);
    return filter ? slice_of(filter, size) : SLICE_NONE;
}

/* ---- asking ---- */

static bool only(struct slice word, const char *letters)
{
    for (size_t i = 0; i < word.len; i++)
        if (!strchr(letters, word.ptr[i]))
            return false;
    return true;
}

/* Numbers in any base, addresses and times print such words without their being kept as text. */
static bool may_be_printed(struct slice word)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (size_t i = 0; word.len == 3 && i < sizeof(months) - 1; i += 3)
        if (memcmp(months + i, word.ptr, 3) == 0)
            return true;
    return only(word, "0123456789abcdefxtz");
}

static bool is_there(struct slice filter, struct slice word)
{
    uint64_t hash = bloom_hash_folded(word);
    return may_be_printed(word) || bloom_may_have(filter, hash ? hash : 1);
}

/* In JSON "\nword" and "\u00e9word" the escape's end runs into the word. */
static bool word_may_be_there(struct slice filter, struct slice word)
{
    if (is_there(filter, word) || (strchr("bfnrt", word.ptr[0]) && word.len == 1))
        return true;
    if (strchr("bfnrt", word.ptr[0]) && is_there(filter, slice_from(word, 1)))
        return true;
    for (size_t n = 1; n <= ESCAPE_MAX && n <= word.len && strchr("0123456789abcdefu", word.ptr[n - 1]);
         n++)
        if (n == word.len || is_there(filter, slice_from(word, n)))
            return true;
    return false;
}

bool words_may_have(struct slice filter, struct slice term)
{
    struct slice word;
    while (next_word(&term, &word))
        if (!word_may_be_there(filter, word))
            return false;
    return true;
}
