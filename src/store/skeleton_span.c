#include "store/skeleton_span.h"

#include "base/fold_find.h"

enum { PIECE_FROM = 3 }; /* shorter ones are everywhere */

int skeleton_span_init(struct skeleton_span *span, const struct needle *needle, struct slice page,
                       uint32_t source_count, struct arena *arena)
{
    *span = (struct skeleton_span){.needle = needle, .texts = page, .page.prefix = SIZE_MAX};
    span->reached = arena_array(arena, needle->text.len + 1, sizeof(bool));
    span->next = arena_array(arena, needle->text.len + 1, sizeof(bool));
    span->sources = arena_array(arena, source_count + 1U, sizeof(*span->sources));
    if (!span->reached || !span->next || !span->sources)
        return -1;
    for (uint32_t i = 0; i < source_count; i++)
        span->sources[i].prefix = SIZE_MAX;
    return 0;
}

/* ---- what a text says ---- */

static bool may_have(const struct needle *needle, struct slice text, size_t from, size_t to)
{
    struct fold_needle folded;
    struct slice piece = slice_sub(needle->text, from, to - from);
    if (piece.len < PIECE_FROM)
        return true;
    if (needle->cased)
        return slice_find(text, piece) >= 0;
    fold_needle_init(&folded, piece);
    return fold_find(&folded, text) != FOLD_NO;
}

/* The longest beginning (or end) of the needle that may be in the text: when one is not, no longer
 * one is. */
static size_t longest(const struct needle *needle, struct slice text, bool prefix)
{
    size_t len = needle->text.len, low = PIECE_FROM - 1, high = len;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        bool may =
            prefix ? may_have(needle, text, 0, middle) : may_have(needle, text, len - middle, len);
        if (may)
            low = middle;
        else
            high = middle - 1;
    }
    return low < len ? low : len;
}

struct span_slot skeleton_span_text(const struct needle *needle, struct slice text)
{
    if (!text.len)
        return (struct span_slot){.bytes = ""};
    return (struct span_slot){.prefix = longest(needle, text, true),
                              .suffix = longest(needle, text, false)};
}

const struct span_slot *skeleton_span_page(struct skeleton_span *span)
{
    if (span->page.prefix == SIZE_MAX)
        span->page = skeleton_span_text(span->needle, span->texts);
    return &span->page;
}

/* ---- across ---- */

void skeleton_span_begin(struct skeleton_span *span)
{
    memset(span->reached, 0, span->needle->text.len + 1);
}

static void step(struct skeleton_span *span)
{
    bool *swap = span->reached;
    span->reached = span->next;
    span->next = swap;
}

bool skeleton_span_stretch(struct skeleton_span *span, struct slice text)
{
    struct slice needle = span->needle->text;
    memset(span->next, 0, needle.len + 1);
    for (size_t p = 1; p < needle.len; p++) {
        if (!span->reached[p])
            continue;
        size_t left = needle.len - p, both = left < text.len ? left : text.len;
        if (memcmp(text.ptr, needle.ptr + p, both) != 0)
            continue;
        if (left <= text.len)
            return true;
        span->next[p + text.len] = true;
    }
    for (size_t n = 1; n < needle.len && n <= text.len; n++)
        if (memcmp(text.ptr + text.len - n, needle.ptr, n) == 0)
            span->next[n] = true;
    step(span);
    return false;
}

/* So many bytes of the needle from there on that the slot can print. */
static size_t printable(const struct span_slot *slot, struct slice needle, size_t from)
{
    size_t n = from;
    for (; slot->bytes && n < needle.len; n++) {
        char c = needle.ptr[n];
        c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (!c || !strchr(slot->bytes, c))
            return n - from;
    }
    return needle.len - from;
}

bool skeleton_span_slot(struct skeleton_span *span, const struct span_slot *slot)
{
    struct slice needle = span->needle->text;
    memset(span->next, 0, needle.len + 1);
    for (size_t p = 1; p < needle.len; p++) {
        if (!span->reached[p])
            continue;
        size_t most = printable(slot, needle, p);
        if (most == needle.len - p && most <= slot->suffix)
            return true;
        for (size_t n = 0; n <= most && p + n < needle.len; n++)
            span->next[p + n] = true;
    }
    size_t most = printable(slot, needle, 0);
    for (size_t n = 1; n < needle.len && n <= slot->prefix; n++)
        span->next[n] = span->next[n] || slot->bytes == NULL || n <= most;
    step(span);
    return false;
}
