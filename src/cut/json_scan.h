#pragma once
/*
 * cut/json_scan: a JSON text (RFC 8259) as a flat list of tokens that borrow
 * from it. The structure is checked strictly; bytes inside strings may be
 * anything, so that text that is not UTF-8 is kept.
 *
 *   {"a":[1,"x"],"b":null}
 *
 *   0 OBJECT           next 5
 *   1 ARRAY  key a     next 4      next = the token after this one and all inside it
 *   2 NUMBER 1         next 3
 *   3 STRING x         next 4
 *   4 NULL   key b     next 5
 *
 * Ownership  Tokens belong to the scanner and live until its next scan; key and
 *            text borrow from the text scanned, or live in the arena.
 * Threads    One at a time.
 * Limits     Containers deeper than depth_max become one RAW token (the text is
 *            there, uncut); 2^31 bytes.
 * Errors     -1; err says what was expected and at which byte (err->start).
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING, /* text without the quotes, escapes as they are if text_escaped */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_RAW, /* a container that is too deep: its text */
};

struct json_token {
    const char *key;  /* NULL in arrays and for the outermost value */
    const char *text; /* containers: all of it, brackets included */
    uint32_t key_len;
    uint32_t text_len;
    uint32_t next;
    uint8_t kind;
    bool key_escaped;
    bool text_escaped;
};

struct json_tokens {
    const struct json_token *list;
    uint32_t count;
    bool not_utf8;
};

struct json_scanner;

MUST_USE struct json_scanner *json_scanner_new(void); /* NULL when memory is out */
void json_scanner_free(struct json_scanner *scanner); /* NULL is fine */

/* One whole text: white space around it is fine, anything else behind it is an error. Strings that are values
 * lose their escapes where there is an arena to write them to; NULL: they keep them. */
MUST_USE int json_scan(struct json_scanner *scanner, struct slice text, unsigned depth_max, struct arena *arena,
                       struct json_tokens *out, struct err *err);

/* The text of a string whose token says that it is escaped. A surrogate without its other half
 * becomes U+FFFD. SLICE_NONE when memory is out. Escapes are checked by json_scan(). */
MUST_USE struct slice json_unescape(struct slice escaped, struct arena *arena);

static inline struct slice json_token_key(const struct json_token *token)
{
    return (struct slice){token->key, token->key_len};
}

static inline struct slice json_token_text(const struct json_token *token)
{
    return (struct slice){token->text, token->text_len};
}

/* The member of an object (by its token number), or 0; escaped keys are not looked at. */
uint32_t json_member(const struct json_tokens *tokens, uint32_t object, struct slice key);
