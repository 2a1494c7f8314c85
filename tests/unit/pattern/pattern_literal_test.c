/* What a regular expression must have in every match, and that knowing it changes no answer. */
#include "base/rand.h"
#include "pattern/regex.h"
#include "pattern/regex_literal.h"

#include "test.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static void expect(const char *pattern, const char *literal)
{
    struct arena *arena = arena_new(65536);
    struct slice found = regex_literal(slice_text(pattern), arena);
    if (!slice_equal(found, slice_text(literal)))
        fail_msg("%s: \"%.*s\", not \"%s\"", pattern, SLICE_ARG(found), literal);
    arena_free(arena);
}

static void literals_are_what_every_match_has(void **state)
{
    (void)state;
    expect("/(admin|wp-login)[^ ]*[.]php", ".php");
    expect("abc", "abc");
    expect("ab?c", "a");
    expect("ab+cd", "ab");
    expect("ab{0,3}cde", "cde");
    expect("ab{2}", "ab");
    expect("a{x}b", "a{x}b");
    expect("a|b", "");
    expect("(a|b)cd", "cd");
    expect("(?i)abc", "");
    expect("x(?i:y)abc", "");
    expect("(?:x|y)z\\.exe$", "z.exe");
    expect("\\\\temp\\\\", "\\temp\\");
    expect("\\x41bc", "");
    expect("a\\dbcd", "bcd");
    expect("[[:alpha:]]bc", "");
    expect("[]]x", "]x");
    expect("[^a]x", "x");
    expect("[\\d]x", "x");
    expect("\\Qa.b\\E", "");
    expect("(*UTF)abc", "");
    expect("(?!no)yes", "yes");
    expect("(a[)]b)cd", "cd");
    expect("", "");
    expect("a.*b", "a");
    expect("ab\u00e9?cd", "ab"); /* by characters the quantifier is for both bytes */
    expect("\u9280\u884c+x", "\u9280");
    expect("x\u00e9y", "x\u00e9y");
}

/* Patterns and texts out of few pieces, against PCRE2 without any help. */
static void agrees_with_pcre(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "b", "ab", "K", "s", ".", "\\.", "[ab]", "[.]", "[^a]", "(a|b)",
                                         "(?:ab)?", "(?=a)", "\\d", "\\w+", "a*", "b+?", "a{0,2}", "b{1,2}",
                                         "|", "^", "$", "(b[)]|a)", "[]a]", "\\(", "{", "(?i)"};
    struct rand_seeded rand;
    rand_seeded_init(&rand, 11);
    unsigned made = 0;
    for (int round = 0; round < 20000; round++) {
        char pattern[200] = "", text[64];
        for (uint64_t n = 1 + rand_below(&rand.rand, 6); n > 0; n--)
            strcat(pattern, pieces[rand_below(&rand.rand, ARRAY_COUNT(pieces))]);
        unsigned flags = (unsigned)rand_below(&rand.rand, 2) ? REGEX_CASELESS : 0;
        struct regex *regex;
        struct err err;
        if (regex_new(slice_text(pattern), flags, &regex, &err) < 0)
            continue;
        int code;
        PCRE2_SIZE at;
        pcre2_code *plain = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
                                          flags ? PCRE2_CASELESS : 0, &code, &at, NULL);
        pcre2_match_data *data = pcre2_match_data_create(1, NULL);
        for (int k = 0; k < 12; k++) {
            size_t len = rand_below(&rand.rand, 10);
            for (size_t i = 0; i < len; i++)
                text[i] = "abABkKs.)1{("[rand_below(&rand.rand, 12)];
            bool want = pcre2_match(plain, (PCRE2_SPTR)text, len, 0, 0, data, NULL) >= 0;
            if ((regex_match(regex, slice_of(text, len)) == REGEX_YES) != want)
                fail_msg("/%s/ on \"%.*s\"", pattern, (int)len, text);
            made += want;
        }
        pcre2_match_data_free(data);
        pcre2_code_free(plain);
        regex_free(regex);
    }
    assert_true(made > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_what_every_match_has),
        cmocka_unit_test(agrees_with_pcre),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
