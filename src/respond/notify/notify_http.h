#pragma once
/*
 * respond/notify/notify_http: what notifiers that speak HTTP share: one request, its answer judged, and texts that fit.
 *
 * Ownership  Everything lives in the message's arena.
 * Limits     NOTIFY_TIMEOUT_MS, NOTIFY_ANSWER_BYTES, NOTIFY_SAID_MAX of the other side's words in an error.
 */
#include "cut/json_tree.h"
#include "net/http_client.h"
#include "respond/notify/notifier.h"

struct notify_http {
    struct slice url;
    const char *type; /* of the body */
    struct slice body;
    const struct http_fetch_header *headers; /* beside Content-Type and Idempotency-Key */
    size_t header_count;
};

struct notify_said {
    int status;
    struct slice body, headers;
    const struct json_node *json; /* the body, or NULL when it is none */
};

/* POSTs it. 2xx is SENT, with "HTTP 200" as receipt; 408, 429, 5xx and no answer are AGAIN; the rest is REFUSED. Unless
 * SENT, err has what the other side said, made printable. */
enum notifier_result notify_ask(const struct notifier_message *message, const struct hin_net *net, const struct notify_http *request,
                                struct notify_said *said, struct notifier_answer *answer, struct err *err);

/* "https only", ports, allow_private: of the row's url. */
MUST_USE int notify_check_url(const struct respond_notifier *row, struct err *err);
/* The person's address, else the row's `to`; none: REFUSED's sentence is in err, and false. */
bool notify_find_address(const struct notifier_message *message, struct slice *out, struct err *err);
/* takes_news of kinds that need a `to`. */
bool notify_has_to(const struct respond_notifier *row);
/* What the other side calls the message, as receipt: "name value", printable. Nothing when value is none. */
void notify_receipt(struct notifier_answer *answer, const char *name, struct slice value);

/* At most so many bytes of another's words, control characters as spaces. */
void notify_put_printable(struct slice text, size_t most, struct buffer *to);
struct slice notify_bearer(const struct notifier_message *message, const char *word, struct slice secret); /* "Bearer x" */
struct slice notify_basic(const struct notifier_message *message, struct slice user, struct slice password);
/* At most so many characters; a longer text ends in an ellipsis. */
struct slice notify_cut(struct slice text, size_t chars, struct arena *arena);
/* notice_line and notice_body, cut. */
struct slice notify_line(const struct notifier_message *message);
struct slice notify_text(const struct notifier_message *message, size_t chars);
/* What it begins is finished: the arena's copy; SLICE_NONE when memory was out. Closes the buffer. */
struct slice notify_keep(struct buffer *buffer, struct arena *arena);
/* A UUID from the key, the same in all attempts. */
enum { NOTIFY_UUID_SIZE = 37 };
void notify_uuid(struct slice key, char to[NOTIFY_UUID_SIZE]);
/* Puts "name=value" of a form (application/x-www-form-urlencoded). */
void notify_put_form(struct buffer *to, const char *name, struct slice value);
/* Letters, digits and the characters of `more` only, from least to most bytes. */
bool notify_is_word(struct slice text, const char *more, size_t least, size_t most);
/* +819012345678 (E.164); ERR_CONFIG. */
MUST_USE int notify_check_number(struct slice address, struct err *err);
/* Where the button of a notice leads, and what is written on it; none: SLICE_NONE. */
struct slice notify_button(const struct notice *notice, struct slice *words);
