#pragma once
/*
 * search/command: what a search command is, and a parsed query as a list of them.
 *
 * One descriptor a command, in commands/command_X.c, listed in commands.def: parsing, checking,
 * help, completion and running come from it. What several commands share has a file of its own
 * beside them. Start by copying command_reverse.c.
 *
 * Ownership  Everything parsed lives in the arena given to spl_parse() and is never changed
 *            afterwards, so a query can be run any number of times and by several threads.
 */
#include "base/arena.h"
#include "base/err.h"
#include "expr/expr.h"
#include "pattern/regex_machine.h"

struct spl_parser; /* search/lexer.h */
struct spl_command;
struct spl_inline; /* search/inline_text.h */
struct stage; /* search/stage.h */
struct spl_expansion; /* search/expand.h */
struct run;
struct frame;  /* search/frame.h */
struct wanted; /* search/wanted.h */

enum option_kind {
    OPTION_TEXT,   /* struct slice, as written or quoted */
    OPTION_FIELD,  /* struct slice, a field's name */
    OPTION_BOOL,   /* bool: t f true false 1 0 yes no */
    OPTION_I64,    /* int64_t, not negative */
    OPTION_NUMBER, /* struct value: I64 or DECIMAL */
    OPTION_TIME,   /* struct slice: a time, relative to now */
    OPTION_SPAN,   /* struct span, search/span.h */
};

struct command_option {
    const char *name;
    enum option_kind kind;
    size_t offset; /* in the command's own arguments */
    const char *summary;
    /* For help and completion, and optional: an initialiser that begins with .name = may end
     * before them. */
    const char *standard;     /* what it is when it is not written; NULL: nothing, or summary says */
    const char *const *words; /* NULL-ended: the only values there are, any case */
};

enum {
    COMMAND_GENERATES = 1 << 0,    /* stands first, makes rows */
    COMMAND_STREAMS = 1 << 1,      /* row by row: needs no order, gives none */
    COMMAND_TRANSFORMS = 1 << 2,   /* rows after it are no events any more */
    COMMAND_HOLDS = 1 << 3,        /* answers only when all rows are in; a preview asks it early */
    COMMAND_FREE_OPTIONS = 1 << 4, /* name=value may be anything (eval, rangemap) */
    COMMAND_BRACKETS = 1 << 5,     /* reads [ ... ] itself; elsewhere it becomes text (search/inline_text.h) */
    COMMAND_READS_CODES = 1 << 6,  /* columns may come as codes without values (event/batch.h) */
    COMMAND_SPREADS = 1 << 7,      /* keeps nothing from row to row, and any thread may have some of them */
};

/* What commands in a row do with the texts of a field that they only match. */
struct text_use {
    struct slice field; /* ptr NULL: none was named yet */
    struct regex_machine *machine; /* finds what they match */
    bool whole; /* where a match stands in the text matters */
};

struct command {
    const char *name;
    const char *alias; /* or NULL */
    const char *summary;
    unsigned flags;
    const struct command_option *options;
    size_t option_count;
    /* The parser stands behind the command's name; sets command->args. */
    int (*parse)(struct spl_parser *p, struct spl_command *command);
    /* NULL, and push too: known, but not available yet. */
    int (*make)(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err);
    /* Says that it matches texts of a field and does nothing else with them. False: it may do more.
     * NULL: likewise. */
    bool (*reads)(const struct spl_command *command, struct text_use *use);
    /* Backward: from the fields wanted behind the command to those wanted before it. NULL: the
     * same ones. */
    void (*want)(const struct spl_command *command, struct wanted *wanted);
    /* Instead of make, where there is nothing to prepare and no state: a stage's own. */
    int (*push)(struct stage *op, struct frame *frame, struct err *err);
    int (*finish)(struct stage *op, struct err *err);
    /* For help, which asks for examples in docs/reference/examples too (search/help.h). */
    const char *syntax; /* "head [N | (condition)] [options]" */
    const char *notes;  /* what is not as habit expects: a sentence a line; NULL: nothing */
    /* Of a first command: the commands that do its work, put in its place when the search is planned
     * (tstats, from ...). Behind others make counts. */
    int (*expand)(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err);
};

struct spl_query;

struct spl_command {
    const struct command *descriptor; /* NULL: a macro that was not expanded */
    int start, end;                   /* bytes of the query */
    const void *args;                 /* the command's own struct */
    struct spl_inline *inlines;       /* not NULL: args are known when these have run */
    struct spl_command *next;
};

/* A subsearch inside a search expression: its place in the tree is filled when it has run. */
struct spl_place {
    const struct expr *place;
    const struct spl_query *query;
    struct spl_place *next;
};

/* What stands in brackets: a search of its own, or commands on rows that are there (appendpipe). */
enum spl_part { PART_SEARCH, PART_SUBSEARCH, PART_PIPELINE };
struct spl_part_list {
    const struct spl_query *query;
    enum spl_part part;
    struct spl_part_list *next;
};

struct spl_query {
    struct slice text; /* macros replaced */
    struct spl_command *commands;
    size_t command_count;
    bool has_macros;    /* some macro was not expanded: it can be checked, not run */
    struct slice macro; /* the first of them */
    /* time modifiers of the first search, or SLICE_NONE */
    struct slice earliest, latest, index_earliest, index_latest;
    /* of the whole query only: */
    const struct macro_text *expanded;  /* search/macro.h: where its bytes came from */
    const struct spl_part_list *parts; /* all subsearches, however deep */
};

/* By name or alias, any case. NULL when there is none; then *nearest is the most similar. */
const struct command *command_find(struct slice name, const char **nearest);
/* In alphabetical order: index from 0, NULL at the end. */
const struct command *command_at(size_t index);

#define COMMAND(name) extern const struct command command_##name;
#include "search/commands.def"
#undef COMMAND
