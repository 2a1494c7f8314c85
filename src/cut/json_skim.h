#pragma once
/*
 * cut/json_skim: where the values of a JSON text (RFC 8259) begin and end, without looking into them: for
 * envelopes around events, whose own bytes are kept as they stand and decoded later.
 *
 *   struct json_skim skim = {.text = text, .err = err};
 *   if (json_skim_open(&skim))
 *       while ((step = json_skim_member(&skim, &key, &value)) > 0) ...
 *
 * Strict about the structure of what is walked (quotes, colons, commas, brackets in number); what words stand for
 * values, escapes and the kinds of closing brackets within a value are for who decodes it.
 *
 * Ownership  Slices borrow from the text.
 * Limits     JSON_DEPTH_MAX.
 * Errors     false or -1; err says what is wrong at which byte (err->start).
 */
#include "base/buffer.h"
#include "base/err.h"

struct json_skim {
    struct slice text;
    size_t at;
    struct err *err;
};

bool json_skim_wrong(struct json_skim *skim, const char *what); /* fills err; false */
char json_skim_peek(const struct json_skim *skim);              /* 0 at the end */
void json_skim_space(struct json_skim *skim);

/* At a quote: the bytes between the quotes, escapes left as they are. */
bool json_skim_string(struct json_skim *skim, struct slice *out);
/* Behind white space: one value of any kind, as it stands. */
bool json_skim_value(struct json_skim *skim, struct slice *out);

/* At an object: steps over its bracket. */
bool json_skim_open(struct json_skim *skim);
/* 1: a member, 0: the object's end was stepped over, -1: it is broken. key has its escapes. */
int json_skim_member(struct json_skim *skim, struct slice *key, struct slice *value);

/* A string's text with its escapes, other values as they stand. */
struct slice json_skim_text(struct slice value);
/* Appends the text without its escapes; false when one is none of RFC 8259's. */
bool json_skim_unescape(struct slice text, struct buffer *to);
