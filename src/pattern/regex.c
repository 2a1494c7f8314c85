#include "pattern/regex.h"

#include "base/fold_find.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "pattern/regex_literal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

enum { LITERAL_FROM = 3 }; /* shorter ones are nearly everywhere: looking for them is for nothing */
enum { JIT_STACK_START = 32 * 1024, JIT_STACK_MAX = 512 * 1024 };

struct regex {
    pcre2_code *code;
    pcre2_code *text_code; /* by characters; NULL: bytes do for any text */
    bool text_only;        /* bytes are for texts that are no UTF-8 */
    unsigned flags;
    uint32_t name_count, name_size;
    const unsigned char *names; /* rows of: group number (2 bytes, big end first), name, zero */
    struct arena *arena;        /* of the literal */
    struct slice literal;       /* in every match; empty: not known */
    struct fold_needle folded;  /* the same, when case does not count */
    bool caseless;
    bool jit, anchored;
};

/* What matching needs beside the pattern; one per thread, freed when the thread ends. */
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pthread_key_t scratch_key;            /* for its end */
static _Thread_local struct scratch *scratch_own; /* the same, found quicker */
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void scratch_free(void *ptr)
{
    struct scratch *scratch = ptr;
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    mem_free(scratch);
}

static void scratch_at_exit(void)
{
    scratch_free(pthread_getspecific(scratch_key)); /* the main thread runs no key destructors */
    pthread_setspecific(scratch_key, NULL);
    scratch_own = NULL;
}

static void make_key(void)
{
    pthread_key_create(&scratch_key, scratch_free);
    atexit(scratch_at_exit);
}

static struct scratch *scratch_make(void)
{
    pthread_once(&scratch_once, make_key);
    struct scratch *scratch = mem_calloc(1, sizeof(*scratch));
    if (!scratch)
        return NULL;
    scratch->data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (!scratch->data || !scratch->context || !scratch->stack) {
        scratch_free(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, REGEX_DEPTH_LIMIT);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    pthread_setspecific(scratch_key, scratch);
    scratch_own = scratch;
    return scratch;
}

static inline struct scratch *scratch_get(void)
{
    return LIKELY(scratch_own != NULL) ? scratch_own : scratch_make();
}

static uint32_t compile_options(unsigned flags)
{
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & REGEX_MULTILINE)
        options |= PCRE2_MULTILINE;
    if (flags & REGEX_DOTALL)
        options |= PCRE2_DOTALL;
    return options;
}

static bool compile(struct regex *regex, struct slice pattern, unsigned flags, struct err *err)
{
    int code;
    PCRE2_SIZE at;
    uint32_t options = compile_options(flags);
    bool characters = flags & REGEX_TEXT && regex_minds_characters(pattern, flags & REGEX_CASELESS) && utf8_valid(pattern);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &at, NULL);
    if (regex->code && characters)
        regex->text_code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options | PCRE2_UTF, &code, &at, NULL);
    if (!regex->code || (characters && !regex->text_code)) {
        unsigned char reason[160];
        pcre2_get_error_message(code, reason, sizeof(reason));
        err_set_at(err, ERR_CONFIG, (int)at, (int)at + 1, "the regular expression is wrong at character %zu: %s", at + 1,
                   (const char *)reason);
        return false;
    }
    uint32_t all = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &all);
    regex->anchored = (all & PCRE2_ANCHORED) != 0;
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0; /* without JIT the interpreter does it */
    if (regex->text_code)
        regex->jit &= pcre2_jit_compile(regex->text_code, PCRE2_JIT_COMPLETE) == 0;
    regex->text_only = regex->text_code && !utf8_is_ascii(pattern);
    return true;
}

/* The program for this text, and how it is to be asked. */
static const pcre2_code *code_for(const struct regex *regex, struct slice text, uint32_t *options)
{
    *options = 0;
    if (!regex->text_code || (!regex->text_only && utf8_is_ascii(text)) || !utf8_valid(text))
        return regex->code;
    *options = PCRE2_NO_UTF_CHECK;
    return regex->text_code;
}

/* Without one every text is matched: nothing else changes. */
static void find_literal(struct regex *regex, struct slice pattern, unsigned flags)
{
    regex->arena = arena_new(8 * REGEX_BYTES_MAX);
    if (!regex->arena)
        return;
    regex->literal = regex_literal(pattern, regex->arena);
    if (regex->literal.len < LITERAL_FROM)
        regex->literal = SLICE("");
    regex->caseless = flags & REGEX_CASELESS;
    char *folded = arena_alloc(regex->arena, 3 * regex->literal.len + 1);
    if (!folded)
        regex->literal = SLICE("");
    else if (regex->caseless)
        fold_needle_init(&regex->folded,
                         slice_of(folded, utf8_fold_text(regex->literal, folded)));
}

/* A text that certainly does not match. */
static bool lacks_literal(const struct regex *regex, struct slice text)
{
    if (!regex->literal.len || regex->anchored) /* what cannot start fails sooner than a search */
        return false;
    return regex->caseless ? fold_find(&regex->folded, text) == FOLD_NO
                           : slice_find(text, regex->literal) < 0;
}

bool regex_is_anchored(const struct regex *regex)
{
    return regex->anchored;
}

unsigned regex_flags(const struct regex *regex)
{
    return regex->flags;
}

struct slice regex_required(const struct regex *regex)
{
    return regex->literal;
}

int regex_new(struct slice pattern, unsigned flags, struct regex **out, struct err *err)
{
    *out = NULL;
    if (pattern.len > REGEX_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a regular expression has %zu bytes, more than the %d allowed",
                       pattern.len, REGEX_BYTES_MAX);
    struct regex *regex = mem_calloc(1, sizeof(*regex));
    if (!regex)
        return err_nomem(err);
    pattern = slice_of(pattern.ptr ? pattern.ptr : "", pattern.len);
    if (!compile(regex, pattern, flags, err)) {
        regex_free(regex);
        return -1;
    }
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &regex->name_count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &regex->name_size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, (void *)&regex->names);
    regex->flags = flags;
    find_literal(regex, pattern, flags);
    *out = regex;
    return 0;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    pcre2_code_free(regex->text_code);
    arena_free(regex->arena);
    mem_free(regex);
}

static void release(void *ptr)
{
    regex_free(ptr);
}

int regex_new_in(struct arena *arena, struct slice pattern, unsigned flags, struct regex **out,
                 struct err *err)
{
    if (regex_new(pattern, flags, out, err) < 0)
        return -1;
    if (arena_defer(arena, release, *out) == 0)
        return 0;
    *out = NULL;
    return err_nomem(err);
}

/* Groups set (at least 1), 0 for no match, -1 for a limit. */
static int run(const struct regex *regex, struct slice text, size_t start, struct scratch *scratch)
{
    uint32_t options;
    const pcre2_code *code = code_for(regex, text, &options);
    PCRE2_SPTR from = (PCRE2_SPTR)(text.ptr ? text.ptr : "");
    int count = regex->jit ? pcre2_jit_match(code, from, text.len, start, 0, scratch->data, scratch->context)
                           : pcre2_match(code, from, text.len, start, options, scratch->data, scratch->context);
    if (count == 0)
        return REGEX_GROUPS_MAX; /* more groups than room: the first ones are set */
    if (count > 0)
        return count;
    return count == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

enum regex_result regex_match(const struct regex *regex, struct slice text)
{
    if (lacks_literal(regex, text))
        return REGEX_NO;
    struct scratch *scratch = scratch_get();
    int count = scratch ? run(regex, text, 0, scratch) : -1;
    return count < 0 ? REGEX_LIMIT : count > 0 ? REGEX_YES : REGEX_NO;
}

enum regex_result regex_capture(const struct regex *regex, struct slice text, size_t start,
                                struct regex_groups *groups)
{
    groups->count = 0;
    if (lacks_literal(regex, text))
        return REGEX_NO;
    struct scratch *scratch = scratch_get();
    int count = scratch && start <= text.len ? run(regex, text, start, scratch) : -1;
    if (count <= 0)
        return count < 0 ? REGEX_LIMIT : REGEX_NO;
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(scratch->data);
    groups->count = (uint32_t)count;
    for (int i = 0; i < count; i++) {
        PCRE2_SIZE from = offsets[2 * i], to = offsets[2 * i + 1];
        bool set = from != PCRE2_UNSET && to >= from;
        groups->group[i] = set ? slice_of(text.ptr + from, to - from) : SLICE_NONE;
    }
    return REGEX_YES;
}

uint32_t regex_name_count(const struct regex *regex)
{
    return regex->name_count;
}

struct slice regex_name(const struct regex *regex, uint32_t index, uint32_t *group)
{
    const unsigned char *row = regex->names + (size_t)index * regex->name_size;
    *group = (uint32_t)row[0] << 8 | row[1];
    return slice_text((const char *)row + 2);
}
