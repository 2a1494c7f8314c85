#pragma once
/*
 * serve/sample_text: what a sample of an event that nobody understands looks like, and a decoder to begin with.
 *
 * Ownership  What is made lives in the arena that is given.
 */
#include "base/limits.h"
#include "search/templates.h"

/* The beginning of a text, not cut within a character where it is UTF-8. */
struct slice sample_text_cut(struct slice text, size_t bytes_max);

enum sample_format { SAMPLE_TEXT, SAMPLE_JSON, SAMPLE_XML, SAMPLE_PAIRS, SAMPLE_DELIMITED, SAMPLE_BINARY };
enum sample_format sample_text_format(struct slice text);
const char *sample_format_name(enum sample_format format);

struct sample_about {
    const struct template *template;
    struct slice samples[UNKNOWN_SAMPLES_MAX]; /* events of it, whole */
    size_t sample_count;
    bool inner;            /* its lines stand within these */
    struct slice corrects; /* the decoder that took them so far, or "none" */
};

/* A decoder for the lines of a template as YAML, which takes them and cuts them; to be given a name, and fields that
 * mean something. SLICE_NONE when nothing stands still in these lines that they could be told by, when they are broken
 * JSON or no text, or when memory is out. */
struct slice sample_decoder(const struct sample_about *about, struct arena *arena);
