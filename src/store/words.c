#include "store/words.h"

#include "base/buffer.h"
#include "base/lane.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/bloom.h"

#include <string.h>

enum { FIRST_SIZE = 1 << 14, ESCAPE_MAX = 5 };

struct words {
    uint64_t *table; /* hashes; 0 is free */
    size_t size, count;
    bool full;
    struct trigrams trigrams;
    struct buffer room; /* for folding */
};

/* What a byte of a word is, with the folded byte below; 0 for bytes that are in no word. */
enum { WORD = 1 << 8, TELLING = 1 << 9 /* no number, address or time has it */, BEYOND = 1 << 10 };
#define DIGIT(c) [c] = WORD | (c)
#define TELLS(c) [c] = WORD | TELLING | (c), [(c) - 32] = WORD | TELLING | (c)
#define EITHER(c) [c] = WORD | (c), [(c) - 32] = WORD | (c)
static const uint16_t CLASS[128] = {
    DIGIT('0'), DIGIT('1'), DIGIT('2'), DIGIT('3'), DIGIT('4'), DIGIT('5'), DIGIT('6'), DIGIT('7'),
    DIGIT('8'), DIGIT('9'), EITHER('a'), EITHER('b'), EITHER('c'), EITHER('d'), EITHER('e'),
    EITHER('f'), TELLS('g'), TELLS('h'), TELLS('i'), TELLS('j'), TELLS('k'), TELLS('l'), TELLS('m'),
    TELLS('n'), TELLS('o'), TELLS('p'), TELLS('q'), TELLS('r'), TELLS('s'), EITHER('t'), TELLS('u'),
    TELLS('v'), TELLS('w'), EITHER('x'), TELLS('y'), EITHER('z'),
};

static inline unsigned class_of(char c)
{
    return (unsigned char)c < 0x80 ? CLASS[(unsigned char)c] : WORD | BEYOND;
}

static bool is_month(struct slice word)
{
    return word.len == 3 && time_month_by_name(word);
}

bool words_may_be_printed(struct slice word)
{
    unsigned seen = 0;
    for (size_t i = 0; i < word.len; i++)
        seen |= class_of(word.ptr[i]);
    return !(seen & (TELLING | BEYOND)) || is_month(word);
}

bool words_next(struct slice *text, struct slice *word)
{
    size_t start = 0, end;
    while (start < text->len && !class_of(text->ptr[start]))
        start++;
    for (end = start; end < text->len && class_of(text->ptr[end]);)
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
    words->trigrams = (struct trigrams){0};
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

static void add_word(struct words *words, struct slice folded)
{
    uint64_t hash = bloom_hash_folded(folded);
    size_t before = words->count;
    put(words->table, words->size, hash ? hash : 1, &words->count);
    if (words->count > before) /* else its trigrams are there */
        trigrams_add(&words->trigrams, folded);
    if (words->count * 2 >= words->size && !grow(words))
        words->full = true;
}

/* The run of the text from i on, folded into to; returns its end. *kept: the filter is asked for it.
 * Bytes from 0x80 on never stand alone, so a run is folded by itself. */
static size_t fold_run(struct slice text, size_t i, char *to, struct slice *word, bool *kept)
{
    size_t start = i;
    unsigned seen = 0, step = LANE;
    for (bool telling; step == LANE && text.len - i >= LANE; i += step) {
        step = lane_fold_word(text.ptr + i, to + (i - start), &telling);
        seen |= telling ? TELLING : 0;
    }
    for (unsigned class; i < text.len && (class = class_of(text.ptr[i])); i++) {
        seen |= class;
        to[i - start] = (char)class;
    }
    *word = slice_of(to, i - start);
    if (seen & BEYOND)
        word->len = utf8_fold_text(slice_sub(text, start, i - start), to);
    *kept = seen & (TELLING | BEYOND) && !is_month(*word);
    return i;
}

void words_add(struct words *words, struct slice text)
{
    struct slice word;
    bool kept;
    if (!words || words->full)
        return;
    buffer_clear(&words->room);
    char *to = buffer_reserve(&words->room, 3 * text.len + 1);
    words->full = !to;
    for (size_t i = 0; !words->full && i < text.len;) {
        if (!class_of(text.ptr[i])) {
            i++;
            continue;
        }
        i = fold_run(text, i, to, &word, &kept);
        if (kept)
            add_word(words, word);
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

struct slice words_trigrams(const struct words *words)
{
    if (!words || words->full || !words->count)
        return SLICE_NONE;
    return slice_of((const char *)words->trigrams.bits, TRIGRAMS_BYTES);
}

/* ---- asking ---- */

static bool is_there(struct slice filter, struct slice word)
{
    uint64_t hash = bloom_hash_folded(word);
    return words_may_be_printed(word) || bloom_may_have(filter, hash ? hash : 1);
}

size_t words_escape_end(struct slice run)
{
    size_t most = strchr("bfnrt", run.ptr[0]) ? 1 : 0;
    for (size_t n = 1; n <= ESCAPE_MAX && n <= run.len; n++) {
        if (!strchr("0123456789abcdefu", run.ptr[n - 1]))
            break;
        most = n;
    }
    return most;
}

/* In JSON "\nword" and "\u00e9word" the escape's end runs into the word. */
static bool word_may_be_there(struct slice filter, struct slice word)
{
    if (is_there(filter, word))
        return true;
    size_t end = words_escape_end(word);
    for (size_t n = 1; n <= end; n++)
        if (n == word.len || is_there(filter, slice_from(word, n)))
            return true;
    return false;
}

bool words_may_have(struct slice filter, struct slice term)
{
    struct slice word;
    while (words_next(&term, &word)) /* kana and ideographs stand in longer words, too */
        if (!utf8_starts_unspaced(word) && !utf8_ends_unspaced(word) &&
            !word_may_be_there(filter, word))
            return false;
    return true;
}
