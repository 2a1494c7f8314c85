#pragma once
/*
 * pattern/regex: one regular expression (PCRE2 with JIT), always with match
 * limits so that no pattern and no input can stop the pipeline.
 *
 * Bytes are matched as bytes unless the pattern asks for (*UTF) or the caller for
 * REGEX_TEXT; invalid UTF-8 is ordinary input.
 * Ownership  regex_new to regex_free.
 * Threads    A regex is read-only; each thread matches with its own scratch,
 *            which is made inside (thread-local), so any number may match.
 * Limits     REGEX_BYTES_MAX, REGEX_MATCH_LIMIT, REGEX_DEPTH_LIMIT.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

struct regex;

enum {
    REGEX_CASELESS = 1 << 0,
    REGEX_MULTILINE = 1 << 1,
    REGEX_DOTALL = 1 << 2,
    REGEX_TEXT = 1 << 3, /* characters where a text is UTF-8, bytes where it is not; \w, \d, \s stay ASCII */
};

MUST_USE int regex_new(struct slice pattern, unsigned flags, struct regex **out, struct err *err);
void regex_free(struct regex *regex); /* NULL is fine */
/* As regex_new; the arena frees it. */
MUST_USE int regex_new_in(struct arena *arena, struct slice pattern, unsigned flags,
                          struct regex **out, struct err *err);

/* As it was made. */
unsigned regex_flags(const struct regex *regex);
/* Bytes that every match has in it (pattern/regex_literal.h), as they are written: without case when the
 * pattern is REGEX_CASELESS. Empty when none are known. */
struct slice regex_required(const struct regex *regex);

/* A match can only begin at the text's start. */
bool regex_is_anchored(const struct regex *regex);

enum regex_result { REGEX_NO = 0, REGEX_YES = 1, REGEX_LIMIT = -1 };

/* Searches anywhere. REGEX_LIMIT: a match limit was hit; callers count it as an error of the rule. */
enum regex_result regex_match(const struct regex *regex, struct slice text);

enum { REGEX_GROUPS_MAX = 64 };
struct regex_groups {
    uint32_t count; /* groups set, the whole match is number 0 */
    struct slice group[REGEX_GROUPS_MAX]; /* SLICE_NONE when it took no part */
};
/* As regex_match from byte start on, with captures. */
enum regex_result regex_capture(const struct regex *regex, struct slice text, size_t start,
                                struct regex_groups *groups);

/* Names of groups: index < regex_name_count(). Group numbers below REGEX_GROUPS_MAX only. */
uint32_t regex_name_count(const struct regex *regex);
struct slice regex_name(const struct regex *regex, uint32_t index, uint32_t *group);
