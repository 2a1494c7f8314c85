#pragma once
/*
 * store/skeleton_slot: the tokens of one slot that nothing predicts, told as what they are: numbers,
 * hexadecimal, addresses, a few texts that repeat (docs/format/segment.md, "Skeletons").
 *
 * Every kind prints its tokens back byte for byte; a slot takes a kind only when all its tokens do.
 * Threads  One.
 */
#include "base/arena.h"
#include "base/buffer.h"

enum slot_kind {
    SLOT_REST,     /* the tokens themselves */
    SLOT_CONSTANT,
    SLOT_COLUMN,
    SLOT_INT,      /* digits without a leading zero; with a point before the last `width` of them */
    SLOT_DIGITS,   /* exactly `width` digits */
    SLOT_HEXINT,   /* hexadecimal without a leading zero */
    SLOT_HEX,      /* exactly `width` hexadecimal digits */
    SLOT_GUID,     /* 8-4-4-4-12 */
    SLOT_IP4,      /* dotted quad */
    SLOT_DICT,     /* one of the slot's own texts */
    SLOT_KIND_COUNT,
};

enum { SLOT_UPPER = 1, SLOT_0X = 2 }; /* flags of the kinds in hexadecimal */
enum { SLOT_TEXT_MAX = 80, SLOT_HEX_MAX = 64 };

struct slot_coding {
    uint8_t kind; /* REST or later than COLUMN */
    uint8_t width, flags;
    uint32_t dict_count;      /* DICT */
    const uint32_t *dict;     /* DICT, writing: the token that is an entry's text */
};

struct ZSTD_CCtx_s;

/* Chooses a kind for the tokens and appends its bytes to data (nothing for REST). False when memory
 * is out. */
MUST_USE bool slot_encode(const struct slice *tokens, uint32_t count, struct arena *arena,
                          struct slot_coding *out, struct buffer *data);

/* What slot_encode wrote, ready to be printed. */
struct slot_tokens {
    struct slot_coding coding;
    const int64_t *numbers; /* INT, DIGITS, HEXINT, IP4 */
    struct slice bytes;     /* HEX, GUID: so many for each token */
    const uint32_t *codes;  /* DICT */
};
/* Takes the slot's bytes off data; false when they are not what the coding says. */
MUST_USE bool slot_decode(const struct slot_coding *coding, uint32_t count, struct slice *data,
                          struct arena *arena, struct slot_tokens *out);
/* Past the slot's bytes, unread. */
MUST_USE bool slot_skip(const struct slot_coding *coding, uint32_t count, struct slice *data);
/* Token n of a kind that is printed (not REST, DICT); SLICE_NONE when it cannot be. */
struct slice slot_print(const struct slot_tokens *tokens, uint32_t n, char to[SLOT_TEXT_MAX]);
/* The bytes that a slot of this kind prints; NULL: any. */
const char *slot_printed_bytes(uint8_t kind);
/* Whether a coding read from a file makes sense. */
bool slot_coding_good(const struct slot_coding *coding);
