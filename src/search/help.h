#pragma once
/*
 * search/help: the reference of commands, statistics functions and eval functions, as text for
 * people and as JSON for completion and for the pages in docs/reference/ (tools/make_reference.py).
 *
 * Everything comes from the descriptors (struct command, struct stat, struct expr_function) and
 * from the examples in docs/reference/examples/, which are run as tests.
 */
#include "base/json.h"

/* The examples, as tools/embed_examples.py reads them. Lines end with \n. */
struct spl_example {
    const char *kind;   /* "command", "stats" or "eval" */
    const char *names;  /* whom it shows: "sin, cos" */
    const char *title;  /* what it shows */
    const char *given;  /* rows as JSON lines; tables follow, each behind a line "table NAME" */
    const char *search; /* SPL */
    const char *expect; /* rows as JSON lines, or "error: " and a part of the message */
};
extern const struct spl_example spl_examples[];
extern const size_t spl_example_count;

/* All commands, a line each, and the names of the functions. */
void help_list(struct buffer *to);
/* Everything of that name: a command, a statistics function, an eval function. "stats:sum",
 * "eval:sum" and "command:search" name one kind. False when there is none; *nearest is the most
 * similar name. */
bool help_name(struct slice name, struct buffer *to, const char **nearest);
/* {"commands": [...], "stats": [...], "functions": [...]}, docs/api.md. */
void help_json(struct json *json);
