#pragma once
/*
 * expr/expr: one expression tree with one evaluator over a batch.
 *
 * Sigma selections, decoder conditions, SPL search/where/eval, gate policies
 * and API filters all become this tree; the dialect's meaning is in typed
 * nodes, never in a mode of the evaluator. The store walks the same tree to
 * skip blocks, so nodes are public and immutable after building.
 *
 * Two-valued nodes (TEST, KEYWORD): a test on a missing field is false, so
 *   "not" of it is true (Sigma; SPL search).
 * Three-valued nodes (COMPARE, LIKE, CALL ...): NULL spreads; a filter keeps
 *   only TRUE (SPL where).
 *
 * Ownership  Nodes, and the regexes in them, live in the arena they were built in.
 * Threads    A tree is read-only: any number of threads with own scopes.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rand.h"
#include "event/batch.h"
#include "pattern/regex.h"
#include "pattern/wildcard.h"

enum expr_kind {
    EXPR_CONST,
    EXPR_FIELD,
    EXPR_TEST,    /* predicate on the values of one field: any value decides */
    EXPR_KEYWORD, /* the same predicate on every value the event itself brought */
    EXPR_AND,
    EXPR_OR,
    EXPR_NOT,
    EXPR_XOR,
    EXPR_COMPARE, /* = == != < <= > >=, three-valued, case-sensitive, multivalue: any member */
    EXPR_NEGATE,
    EXPR_ARITHMETIC, /* + - * / % */
    EXPR_CONCAT,     /* . */
    EXPR_IN,         /* args[0] in args[1..] */
    EXPR_LIKE,       /* % and _ */
    EXPR_CALL,
};

enum test_kind {
    TEST_EXISTS,   /* has a value that is not NULL */
    TEST_NULL,     /* has none */
    TEST_EQUAL,    /* whole value: text (caseless unless TEST_CASED), or by number */
    TEST_PREFIX,
    TEST_SUFFIX,
    TEST_CONTAINS,
    TEST_WILDCARD,
    TEST_REGEX,    /* searched anywhere */
    TEST_CIDR,
    TEST_LESS, TEST_LESS_EQUAL, TEST_GREATER, TEST_GREATER_EQUAL, /* see TEST_TEXT_ORDER */
    TEST_TERM,     /* SPL term: whole tokens between breakers, caseless unless TEST_CASED; where it begins or
                    * ends with kana or an ideograph, no breaker is needed */
    TEST_FIELD_EQUAL, TEST_FIELD_PREFIX, TEST_FIELD_SUFFIX, TEST_FIELD_CONTAINS, /* other field */
    TEST_ANY_OF,    /* equal to one of many texts or numbers: expr/any_of.h */
    TEST_TIME_PART, /* minute, hour, day, week, month, year of a time equals number */
};

enum {
    TEST_CASED = 1 << 0,       /* bytes as they are; otherwise simple Unicode folding */
    TEST_NUMERIC = 1 << 1,     /* number is set: values that are numbers compare by value */
    TEST_TEXT_ORDER = 1 << 2,  /* < and > fall back to text order when a side is no number */
    TEST_MAJOR_ONLY = 1 << 3,  /* TEST_TERM: SPL's TERM(), bounded by major breakers */
    TEST_PLAIN_NUMBER = 1 << 5, /* TEST_EQUAL: a text is a number as it is usually written, not "04624 " */
    TEST_TOKEN_EDGE = 1 << 4,  /* TEST_CONTAINS from an SPL phrase: begins and ends at a token edge */
};

enum time_part { TIME_MINUTE, TIME_HOUR, TIME_DAY, TIME_WEEK, TIME_MONTH, TIME_YEAR };

struct expr_test {
    enum test_kind kind;
    unsigned flags;
    struct slice text;         /* folded already unless TEST_CASED */
    struct value number;       /* with TEST_NUMERIC, ordering and TEST_TIME_PART */
    struct wildcard wildcard;  /* TEST_WILDCARD, and TEST_TERM with a star */
    struct regex *regex;
    struct cidr cidr;
    const struct any_of *any_of;
    struct slice other;        /* TEST_FIELD_*: the other field's name */
    enum time_part part;
};

enum expr_operator {
    OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL,
    OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_MODULO,
};

struct expr_function; /* expr/function.h */
struct any_of;        /* expr/any_of.h */
struct zone;          /* base/zone.h */

struct expr {
    enum expr_kind kind;
    enum expr_operator op;
    int start, end;               /* byte range in the source text, for errors */
    struct slice field;           /* FIELD, TEST: the column's name */
    struct value constant;        /* CONST */
    struct expr_test test;        /* TEST, KEYWORD */
    const struct expr_function *function;
    const struct expr **args;
    size_t arg_count;
    uint32_t height;              /* of parsed trees: 0 for leaves */
    const void *prepared;         /* CALL: what the function compiled from constant arguments */
};

/* Nought, one or several values. NULL is count 0. */
struct value_list {
    const struct value *values;
    uint32_t count;
};

/* Folded texts of a batch's columns, so that many caseless tests fold each value once. Zeroed by the
 * caller for each batch; lives in the scope's scratch. */
struct expr_folds {
    struct slice **columns; /* by column index: folded text of each value, or NULL so far */
    uint32_t column_count;
};

/* Rows of a table with these keys: all values of the fields that are wanted, row by row. */
struct expr_lookup {
    struct slice table;
    struct slice *names, *values; /* of the keys; a value SLICE_NONE matches nothing */
    size_t key_count;
    struct slice *wanted;
    struct value_list *found; /* one each of wanted */
    size_t wanted_count;
    bool matched;
};

/* What an evaluation may need beside the batch. One per thread. */
struct expr_scope {
    struct arena *scratch;  /* results live here; the caller resets it per batch */
    int64_t now_ns;         /* now(): start of the search, or event time in rules */
    const struct hin_clock *clock;
    const struct hin_rand *rand;
    const struct zone *zone; /* base/zone.h; NULL is UTC */
    struct expr_folds *folds; /* NULL: fold as needed. Worth it when many expressions see one batch */
    uint64_t regex_limits;   /* match limits hit, counted */
    /* state("table", key, "field"): what rules and policies remember; NULL where there is none */
    bool (*state)(void *context, struct slice table, struct slice key, struct slice field,
                  int64_t now_ns, struct arena *scratch, struct value_list *out);
    void *state_context;
    /* lookup(): fills ask->found; NULL: there are no tables here */
    int (*lookup)(void *context, struct expr_lookup *ask, struct arena *scratch, struct err *err);
    void *lookup_context;
    /* fields bound by the caller before the columns are asked (mvmap, foreach, decoders' own);
     * NULL when there are none */
    bool (*bound)(void *context, struct slice name, struct value_list *out);
    void *bound_context;
    /* Whether the work is to be given up; asked now and then during long work. NULL: never */
    bool (*stop)(void *context);
    void *stop_context;
    uint32_t regexes; /* asked so far */
    bool stopped; /* it said so: what is computed from here on is of no use */
};

/* Asks stop; true once it has said so. */
static inline bool expr_stopped(struct expr_scope *scope)
{
    if (!scope->stopped && scope->stop)
        scope->stopped = scope->stop(scope->stop_context);
    return scope->stopped;
}

/* After each regular expression, the slow ones of which may take a millisecond: counts those that hit
 * their limit, and asks stop now and then. */
static inline void expr_regex_done(struct expr_scope *scope, enum regex_result result)
{
    scope->regex_limits += result == REGEX_LIMIT;
    if (++scope->regexes % 16 == 0 || result == REGEX_LIMIT)
        expr_stopped(scope);
}

/* out gets the rows among selected (NULL = all) for which the expression is TRUE. Both have
 * bits_words(row_count) words. -1 when memory is out, or ERR_CANCELLED as scope->stop said. */
MUST_USE int expr_filter(const struct expr *expr, struct expr_scope *scope,
                         const struct batch *batch, const uint64_t *selected, uint64_t *out,
                         struct err *err);

/* The value for one row, in scope->scratch. */
MUST_USE int expr_eval(const struct expr *expr, struct expr_scope *scope,
                       const struct batch *batch, uint32_t row, struct value_list *out,
                       struct err *err);

/* Whether EXPR_KEYWORD looks into a column of this name. */
bool expr_keyword_reads(struct slice column);

/* One test against one value; for the store (dictionary entries) and for memoising. */
bool expr_test_value(const struct expr_test *test, struct value v, struct expr_scope *scope);

/* As expr_test_value for a text that is folded already; only for tests that expr_test_folds(). */
bool expr_test_folded(const struct expr_test *test, struct slice folded);
bool expr_test_folds(const struct expr_test *test);
/* For TEST_PLAIN_NUMBER, of a text that is a number: without blanks, a plus sign or zeros in front. */
bool expr_is_plain_number(struct slice text);

/* Ends a term whatever it is made of: white space, brackets, commas, quotes ... */
bool expr_is_major_breaker(unsigned char c);

/* Building blocks. NULL when memory is out. Children are borrowed from the same arena. */
struct expr *expr_new(struct arena *arena, enum expr_kind kind);
/* a or b may be NULL: then it is the other one itself. */
const struct expr *expr_and(struct arena *arena, const struct expr *a, const struct expr *b);
const struct expr *expr_or(struct arena *arena, const struct expr *a, const struct expr *b);
struct expr *expr_not(struct arena *arena, const struct expr *a);
struct expr *expr_list(struct arena *arena, enum expr_kind kind, const struct expr **args, size_t count);
struct expr *expr_field(struct arena *arena, struct slice name);
struct expr *expr_constant(struct arena *arena, struct value v);
/* text is folded here unless TEST_CASED; with TEST_NUMERIC the number is read from text when it is one. */
struct expr *expr_test_new(struct arena *arena, struct slice field, enum test_kind kind,
                           unsigned flags, struct slice text);

/* Whether a function is called somewhere in it. */
bool expr_calls(const struct expr *expr, const char *function);

/* searchmatch("..."): bind is asked for the search of each and gives its tree. -1: it failed. */
typedef const struct expr *(*expr_search_bind)(void *context, const struct expr *text);
MUST_USE int expr_bind_searches(const struct expr *expr, expr_search_bind bind, void *context);

/* Every field name the expression reads; KEYWORD sets *all: it
 * reads every column. */
typedef void (*expr_field_visit)(void *context, struct slice name);
void expr_fields(const struct expr *expr, expr_field_visit visit, void *context, bool *all);

/* The tree as text with full brackets, for explain and tests. */
void expr_print(const struct expr *expr, struct buffer *to);
