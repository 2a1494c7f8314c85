#pragma once
/*
 * respond/notify/notice: what people are told, before a channel puts it into its own form. It is stored and
 * retried as JSON (docs/incidents.md shows it), so that all attempts have the same bytes.
 *
 * Ownership  Texts are borrowed; those of notice_read() live in the arena or in the text that was read.
 */
#include "base/json.h"
#include "event/finding.h"

enum { NOTICE_ENTITIES_MAX = 100, NOTICE_BYTES_MAX = 1024 * 1024 };

struct notice {
    struct slice event;    /* page, drill, test: to one person who is to answer; opened, severity, closed: news;
                              down, recovered: of hinomi watch */
    struct slice incident; /* "INC-7", or none */
    struct slice title_en, title_ja;
    struct slice text_en, text_ja; /* some plain sentences, may be none */
    enum severity severity;
    const struct entity *entities; /* at most NOTICE_ENTITIES_MAX of entity_total */
    size_t entity_count, entity_total;
    struct slice person;      /* whom it is to wake, or none */
    struct slice language;    /* "en", "ja"; none: both */
    struct slice link;        /* the incident in the console, or none */
    struct slice answer_link; /* shows one button, which acknowledges; or none */
    struct slice reply_token; /* a mail that has it and comes back acknowledges; or none */
    int64_t sent_ns;          /* when the notice came to be */
};

void notice_put(const struct notice *notice, struct json *json);
MUST_USE int notice_read(struct slice text, struct arena *arena, struct notice *out, struct err *err);

/* The notice in the language it asks for, or both, Japanese first: one line, and the same with the text, whom it concerns
 * and the links. SLICE_NONE when memory is out. */
/* What comes from events is made harmless: see notice_plain(). */
struct slice notice_line(const struct notice *notice, struct arena *arena);
struct slice notice_body(const struct notice *notice, struct arena *arena);

/* A text of somebody else's as plain text in one line: control characters and line ends are spaces, marks that reorder or
 * hide text are left out, what is not UTF-8 is U+FFFD, an address such as https://x is no link (https[:]//x), and no text is the mark of a reply ([HIN[:]). */
struct slice notice_plain(struct slice text, struct arena *arena);
/* What kind of news it is, "closed"; "" when the title says it all. */
const char *notice_word(const struct notice *notice, bool ja);
