#pragma once
/*
 * collect/text_cut: a text that comes piece by piece, as deliveries: lines, lines that make one record, objects of a
 * longer JSON text, entries of systemd's journal; in UTF-8, UTF-16 or an encoding that was named (file_reader.h
 * says what comes of each).
 *
 * Ownership  A body lies in the text or in `records`. Threads  One at a time.
 * Limits     line_max a line; what is longer comes in parts (hint part=1).
 */
#include "base/err.h"
#include "cut/journal_export.h"
#include "cut/json_records.h"
#include "cut/line_records.h"

/* What an event is in the text: a line, an object in a longer JSON text, an entry of systemd's journal. */
enum text_form { FORM_LINES, FORM_JSON, FORM_JOURNAL };

/* What is known of what follows behind the text that is there. */
enum text_more {
    TEXT_GOES_ON, /* more is read now, or comes soon: what may not be whole waits for it */
    TEXT_RESTS,   /* nothing more for now: whole lines are given, whatever may belong to them */
    TEXT_ENDS,    /* nothing more at all: what is left is an event, too */
};

struct text_cut {
    const char *encoding; /* NULL: lines are cut at bytes and given as they are */
    size_t line_max;      /* longer ones are given in parts */
    size_t delivery_bytes; /* of a delivery, about */
    size_t unit;          /* bytes of a line end: 2 for UTF-16 */
    bool big_endian;
    bool in_part; /* the next bytes continue a line that was too long */
    bool looked;  /* at the first bytes: for a byte order mark, for the form */
    enum text_form form;
    struct line_records lines; /* joined lines, and the line that names columns */
    struct json_records json;
    struct journal_export journal;
};

/* encoding: of text that has no byte order mark, or NULL; borrowed. */
void text_cut_init(struct text_cut *cut, const char *encoding);
void text_cut_close(struct text_cut *cut);

/* text goes on where the last call left it; *used bytes of it are done with, in any case. 1: out's framing,
 * event_count and body are set. 0: there is none, or text has to be longer. */
int text_cut_next(struct text_cut *cut, struct slice text, enum text_more more, struct buffer *records,
                  struct delivery *out, size_t *used);

/* Bytes of text with which a call is sure to get on. */
static inline size_t text_cut_wants(const struct text_cut *cut)
{
    return cut->delivery_bytes + cut->line_max;
}

/* Where it stands, to go on later with a text that begins there. Loading wants one that was just made; -1 when the
 * bytes are none of these. */
void text_cut_save(const struct text_cut *cut, struct buffer *to);
MUST_USE int text_cut_load(struct text_cut *cut, struct slice *from);
