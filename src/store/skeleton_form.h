#pragma once
/*
 * store/skeleton_form: how a column's value may stand in a text. The forms are part of the file
 * format (docs/format/segment.md): they may get company, and never change.
 *
 * Sources  RFC 3339, RFC 8259 (JSON), RFC 3164 (time of day), Common Log Format
 * Threads  Any; no state.
 */
#include "base/buffer.h"
#include "event/value.h"

enum {
    FORM_TEXT = 0,      /* value_text_small(), but no doubles */
    FORM_RFC3339 = 1,   /* + digits of the fraction (0, 3, 6, 9), with Z */
    FORM_EPOCH = 16,    /* + digits below the second (0, 3, 6, 9) */
    FORM_CLF = 32,      /* 26/Jan/2018:00:11:02 */
    FORM_DATE = 33,     /* 2018-01-26 */
    FORM_CLOCK = 36,    /* + digits: 00:11:02.114 */
    FORM_OFFSET = 48,   /* + digits: 2018-01-26T09:11:02.114+09:00 */
    FORM_SHIFTED = 32,  /* these, up to FORM_JSON, are told in a local time */
    FORM_JSON = 64,     /* the content of a JSON string: \" \\ \b \f \n \r \t, others \u00xx */
    FORM_JSON_ASCII = 65, /* and what is not ASCII as \uxxxx */
};

struct form {
    uint8_t kind;
    int16_t shift; /* minutes east of UTC; FORM_SHIFTED and later times only */
};

/* The form in which the value may be exactly this text (a guess to be checked by printing). */
struct form form_guess(struct value v, struct slice text);
/* The text; borrowed from the value, or in room, which is overwritten. SLICE_NONE when the form does
 * not go with the value. */
struct slice form_print(struct value v, struct form form, struct buffer *room);
/* Whether the text begins with what form_print() gives: its length, or -1. JSON and integers are compared
 * where they are, without printing. -1 may also mean that more digits follow the integer's. */
ptrdiff_t form_match(struct value v, struct form form, struct slice text, struct buffer *room);

bool form_has_shift(uint8_t kind);
