#pragma once
/*
 * search/templates: log lines as templates, with how often each comes.
 *
 *   login of ann from 10.0.0.1   }  login of <*> from <*>   2 lines, for example login of ann ...
 *   login of bob from 10.0.0.2   }
 *
 * A parse tree of fixed depth after P. He and others, Drain: An Online Log Parsing Approach with Fixed
 * Depth Tree (2017): lines with the same number of words and the same first word share a leaf; in it a
 * line joins the template of whose fixed words it has the largest share, and where they differ the template gets <*>.
 * Words with a digit are variable from the start. A line costs the same however many have come.
 *
 * Ownership  All of it lives in the arena; lines are copied.
 * Limits     TERMS_MAX words of a line, TEMPLATE_EXAMPLE_BYTES of the example, the number of templates that is
 *            asked for: lines beyond are one more, of a single <*>.
 */
#include "base/map.h"

enum { TEMPLATE_EXAMPLE_BYTES = 4096 };

struct template {
    struct slice *words; /* see template_is_open(): where lines differ */
    uint32_t count;
    uint64_t lines;
    struct slice example; /* the first of them */
    void *more;           /* the caller's; NULL at first */
    struct template *next; /* in the leaf */
};

struct templates {
    struct arena *arena;
    double likeness; /* share of a template's fixed words that a line must have, 0 to 1 */
    uint32_t max;
    struct map leaves;
    struct template **list; /* without other */
    uint32_t count;
    uint64_t lines; /* all that were added */
    struct template *other; /* lines that found no place; NULL: there are none */
};

void templates_init(struct templates *templates, struct arena *arena, double likeness, uint32_t max);
/* The template that the line has become part of; NULL when memory is out. */
MUST_USE struct template *templates_add(struct templates *templates, struct slice line);
/* list by number of lines, the most first. */
void templates_sort(struct templates *templates);

bool template_is_open(const struct template *template, uint32_t word);
/* The words, and <*> where they differ; SLICE_NONE when memory is out. */
struct slice template_text(const struct template *template, struct arena *arena);
