#pragma once
/*
 * search/lexer: SPL text as tokens, for the parse functions of commands.
 *
 * A parser stands inside one command: between its name and the next pipe. Comments have been
 * blanked out before, so positions are those of the query.
 */
#include "search/command.h"

enum spl_token_kind {
    SPL_END,
    SPL_WORD,      /* bare */
    SPL_TEXT,      /* "quoted", unescaped */
    SPL_FIELD,     /* 'quoted' */
    SPL_SIGN,      /* = != , ( ) */
    SPL_SUBSEARCH, /* [ ... ]: text is what stands between the brackets */
};

struct spl_token {
    enum spl_token_kind kind;
    struct slice text;
    size_t start, end;
    bool glued; /* no white space before it */
};

struct spl_parts {
    struct spl_part_list *first;
};

struct spl_parser {
    struct slice text; /* the whole query */
    size_t at, end;    /* the rest of this command */
    struct spl_token token;
    struct spl_query *query;
    struct spl_command *command;
    struct arena *arena;
    struct err *err;
    int depth;          /* of subsearches */
    bool keep_macros;   /* `macros` are skipped and noted */
    size_t macros_here; /* in this command */
    struct spl_parts *parts; /* of the whole query; NULL: nobody asks */
};

/* To the next token. */
MUST_USE int spl_advance(struct spl_parser *p);
bool spl_at_word(const struct spl_parser *p, const char *word); /* any case */
bool spl_at_sign(const struct spl_parser *p, const char *sign);
/* The current token is a name and = follows. */
bool spl_at_option(const struct spl_parser *p);
/* -1 with the range of the current token. */
PRINTF_LIKE(2, 3) int spl_fail(struct spl_parser *p, const char *format, ...);
/* As spl_fail; the nearest word is put beside it. */
int spl_fail_near(struct spl_parser *p, const char *nearest, const char *what);

/* If a name=value of the command's table stands here, takes it into args and sets *taken. Another
 * name=value is an error unless the command has COMMAND_FREE_OPTIONS. */
MUST_USE int spl_take_option(struct spl_parser *p, void *args, bool *taken);
/* All options that stand here. */
MUST_USE int spl_take_options(struct spl_parser *p, void *args);
/* The value behind "name=", with the parser on "=": a text, a bare word up to white space. */
MUST_USE int spl_take_value(struct spl_parser *p, struct slice *out);

/* A field's name (bare, "quoted" or 'quoted'), as the columns are called. */
MUST_USE int spl_take_field(struct spl_parser *p, struct slice *out);
bool spl_is_field(const struct spl_parser *p);
/* The name as columns have it: _time is @timestamp. */
struct slice spl_field_alias(struct slice name);
/* And back: what people are shown. query may be NULL. */
struct slice spl_field_shown(struct slice name, const struct spl_query *query);

struct field_list {
    const struct slice *names;
    size_t count;
    bool wild; /* some name has a star */
};
/* Fields up to the end, a sign other than a comma, or one of the stop words (NULL-ended). At
 * least one unless empty is allowed. */
MUST_USE int spl_take_fields(struct spl_parser *p, const char *const *stops, bool empty,
                             struct field_list *out);

/* Fields and options in any order, up to the end or a stop word. */
MUST_USE int spl_take_fields_options(struct spl_parser *p, void *args, const char *const *stops,
                                     struct field_list *out);

/* An expression of where and eval; the parser goes on behind it. */
MUST_USE int spl_take_expr(struct spl_parser *p, const struct expr **out);
/* The parser stands on a subsearch: parses what is in it. */
MUST_USE int spl_take_subsearch(struct spl_parser *p, const struct spl_query **out);
/* The same for commands on rows that are there (appendpipe). */
MUST_USE int spl_take_pipeline(struct spl_parser *p, const struct spl_query **out);
MUST_USE int spl_take_i64(struct spl_parser *p, int64_t *out);
/* The command must end here. */
MUST_USE int spl_expect_end(struct spl_parser *p);

/* Growing arrays in the parser's arena: room for one more of size bytes. */
MUST_USE void *spl_grow(struct arena *arena, void *items, size_t count, size_t size);

/* search/search_expr: the Boolean language of the search command from the parser's place on, up
 * to the end or one of the stop words. *out is NULL when everything matches. */
struct spl_search {
    const struct expr *expr;
    struct spl_place *places;
};
MUST_USE int spl_take_search(struct spl_parser *p, bool first, const char *const *stops,
                             struct spl_search *out);
/* The whole of a text that is no part of a query. */
MUST_USE int spl_search_text(struct slice text, struct arena *arena, struct spl_search *out,
                             struct err *err);
/* One comparison as search makes it: op is = != < > <= >=. */
const struct expr *spl_comparison(struct arena *arena, struct slice field, struct slice op,
                                  struct slice value, unsigned flags);

/* '*' matches anything; used for names of fields. */
