/* Where a regular expression may match, told part by part: never "nowhere" where PCRE2 matches, and the
 * bytes it names give the same captures. */
#include "base/bits.h"
#include "base/rand.h"
#include "pattern/regex.h"
#include "pattern/regex_machine.h"

#include "test.h"

#include <stdio.h>

enum { PARTS = 4 };

/* Whether the text, cut into parts, may match; and from which part to which. */
static bool may_match(const struct regex_machine *machine, const struct slice parts[PARTS],
                      size_t *from, size_t *to)
{
    struct regex_walk walk;
    bool any = false;
    *from = PARTS;
    *to = 0;
    regex_walk_begin(&walk, machine, false);
    for (size_t i = 0; i < PARTS; i++) {
        regex_walk_text(&walk, parts[i]);
        any = any || walk.hit;
        *to = walk.hit ? i : *to;
    }
    regex_walk_begin(&walk, machine, true);
    for (size_t i = PARTS; i-- > 0;) {
        regex_walk_text(&walk, parts[i]);
        *from = walk.hit ? i : *from;
    }
    assert_true(any == (*from < PARTS));
    return any;
}

static bool answers(const char *pattern, const char *text)
{
    struct arena *arena = arena_new(MIB);
    struct regex_machine *machine = regex_machine_new(arena);
    struct slice parts[PARTS] = {slice_text(text)};
    size_t from, to;
    assert_non_null(machine);
    if (!regex_machine_add(machine, slice_text(pattern)))
        fail_msg("%s is not understood", pattern);
    bool may = may_match(machine, parts, &from, &to);
    arena_free(arena);
    return may;
}

/* A place without a set may be anything. */
static void it_tells_how_a_match_begins(void **state)
{
    static const struct {
        const char *pattern, *fits, *does_not;
        unsigned places;
    } cases[] = {
        {"^\\d{4}/\\d\\d", "2026/11", "20/6", 6},
        {"^(?:<\\d+>)?[A-Z]x", "<1>Ax", "1x", 2},
        {"^a?b", "b", "c", 1}, /* a match may be over then */
        {"^(?:abc|xyz)-", "xyz-", "xbx", 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(MIB);
        struct regex_machine *machine = regex_machine_new(arena);
        struct byte_set places[6];
        assert_non_null(machine);
        assert_true(regex_machine_add(machine, slice_text(cases[i].pattern)));
        unsigned count = regex_machine_beginning(machine, places, 6);
        bool refused = false;
        assert_int_equal(count, cases[i].places);
        for (unsigned k = 0; k < count && cases[i].fits[k]; k++)
            assert_true(bits_get(places[k].bits, (unsigned char)cases[i].fits[k]));
        for (unsigned k = 0; k < count && cases[i].does_not[k]; k++)
            refused |= !bits_get(places[k].bits, (unsigned char)cases[i].does_not[k]);
        assert_true(refused);
        arena_free(arena);
    }
}

static void it_tells_what_cannot_match(void **state)
{
    (void)state;
    assert_false(answers("port (?<p>[0-9]+)", "port x"));
    assert_true(answers("port (?<p>[0-9]+)", "from port 22"));
    assert_false(answers("a{3}b", "aab"));
    assert_true(answers("a{3}b", "aaab"));
    assert_false(answers("a{1,2}b{2}c", "abc"));
    assert_true(answers("a{10}", "aaaaa")); /* more than is counted */
    assert_false(answers("a{10}", "aaa"));
    assert_false(answers("[^\"]\"", "\"\""));
    assert_true(answers("(?i)GET", "get"));
    assert_false(answers("GET", "get"));
    assert_true(answers("[^a]", "A"));
    assert_true(answers("(?i)[^a]x", "Ax")); /* perhaps */
    assert_false(answers("x(?=y)z", "xy"));
    assert_true(answers("(x)\\1y", "xQy"));
    assert_false(answers("a|bc", "b"));
    assert_false(answers("[[:digit:]]x", "y"));
    assert_false(answers("\\d\\.\\d", "1x2"));
    assert_true(answers("\\x41\\t", "A\t"));
}

static void what_it_does_not_know_it_refuses(void **state)
{
    static const char *const patterns[] = {"",       "a*",     "a?b*",     "(?x)a b", "(?R)a",  "(*UTF)a", "\\Qa\\E",
                                           "\\p{L}", "a(?#c)", "(?(1)a)b", "a{,3}",   "a{2}{3}", "x\\Ky",   "(?1)"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
        struct arena *arena = arena_new(MIB);
        if (regex_machine_add(regex_machine_new(arena), slice_text(patterns[i])))
            fail_msg("%s", patterns[i]);
        arena_free(arena);
    }
}

static void what_is_around_may_matter(void **state)
{
    static const char *const open[] = {"^a", "a$", "\\ba", "(?<=x)a", "a(?!b)", "(?>a+)b", "a++b", "a\\z", "\\Ra"};
    static const char *const closed[] = {"a", "(a|b)+?c", "[^ ]+ x{2,3}", "(?<u>\\w+)=\\1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(open) + ARRAY_COUNT(closed); i++) {
        bool is_open = i < ARRAY_COUNT(open);
        const char *pattern = is_open ? open[i] : closed[i - ARRAY_COUNT(open)];
        struct arena *arena = arena_new(MIB);
        struct regex_machine *machine = regex_machine_new(arena);
        assert_true(regex_machine_add(machine, slice_text(pattern)));
        if (regex_machine_is_closed(machine) == is_open)
            fail_msg("%s", pattern);
        arena_free(arena);
    }
}

static void parts_that_are_only_known_by_bytes(void **state)
{
    struct arena *arena = arena_new(MIB);
    struct regex_machine *machine = regex_machine_new(arena);
    struct regex_walk walk;
    struct byte_set digits = {{0}};
    (void)state;
    assert_true(regex_machine_add(machine, SLICE("user=[a-z]+ id=[0-9]+;")));
    byte_set_add_text(&digits, SLICE("0123456789"));
    regex_walk_begin(&walk, machine, false);
    regex_walk_text(&walk, SLICE("x user="));
    regex_walk_branch(&walk);
    regex_walk_choice(&walk, SLICE("ann"));
    regex_walk_choice(&walk, SLICE("7"));
    regex_walk_join(&walk);
    regex_walk_text(&walk, SLICE(" id="));
    regex_walk_bytes(&walk, &digits);
    assert_false(walk.hit);
    regex_walk_text(&walk, SLICE(";"));
    assert_true(walk.hit);
    regex_walk_begin(&walk, machine, false);
    regex_walk_text(&walk, SLICE("user="));
    regex_walk_bytes(&walk, &digits);
    regex_walk_text(&walk, SLICE(" id=7;"));
    assert_false(walk.hit);
    arena_free(arena);
}

/* ---- beside PCRE2 ---- */

static struct rand_seeded dice;

static uint32_t below(uint32_t n)
{
    return (uint32_t)rand_below(&dice.rand, n);
}

static size_t make_pattern(char *to)
{
    static const char *const items[] = {
        "a", "b", "c", "x", ".", "[ab]", "[^a]", "\\d", "(a|bc)", "(b)", "(?:ab)", "1", "\\w", "(a(b|c))", "[b-x]",
        "(?i)", "\\b", "^", "$", "(?=b)", "(?!a)", "(?<=a)", "\\1", "(?>a|ab)", "[^\\d]", "|", "x", "1"};
    static const char *const times[] = {"", "", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "++", "{3,}", "{7}"};
    size_t len = 0;
    for (uint32_t n = 1 + below(6); n > 0; n--)
        len += (size_t)snprintf(to + len, 64, "%s%s", items[below(ARRAY_COUNT(items))],
                                times[below(ARRAY_COUNT(times))]);
    return len;
}

static void check(const struct regex *regex, const struct regex_machine *machine, struct slice text,
                  const char *pattern)
{
    size_t cuts[PARTS + 1] = {0, 0, 0, 0, text.len}, from, to;
    struct slice parts[PARTS];
    struct regex_groups whole, part;
    cuts[2] = below((uint32_t)text.len + 1);
    cuts[1] = below((uint32_t)cuts[2] + 1);
    cuts[3] = cuts[2] + below((uint32_t)(text.len - cuts[2]) + 1);
    for (size_t i = 0; i < PARTS; i++)
        parts[i] = slice_of(text.ptr + cuts[i], cuts[i + 1] - cuts[i]);
    bool may = may_match(machine, parts, &from, &to);
    enum regex_result found = regex_capture(regex, text, 0, &whole);
    if (found == REGEX_YES && !may)
        fail_msg("%s matches %.*s", pattern, SLICE_ARG(text));
    if (!may || !regex_machine_is_closed(machine))
        return;
    struct slice some = slice_of(text.ptr + cuts[from], cuts[to + 1] - cuts[from]);
    bool same = regex_capture(regex, some, 0, &part) == found && part.count == whole.count;
    for (uint32_t i = 0; same && i < part.count; i++)
        same = part.group[i].ptr == whole.group[i].ptr && part.group[i].len == whole.group[i].len;
    if (!same)
        fail_msg("%s matches %.*s otherwise in %.*s", pattern, SLICE_ARG(text), SLICE_ARG(some));
}

static void it_agrees_with_matching(void **state)
{
    (void)state;
    rand_seeded_init(&dice, 11);
    for (int i = 0; i < 20000; i++) {
        char pattern[512], text[16];
        struct regex *regex;
        struct slice as_slice = slice_of(pattern, make_pattern(pattern));
        if (regex_new(as_slice, 0, &regex, NULL) < 0)
            continue;
        struct arena *arena = arena_new(MIB);
        struct regex_machine *machine = regex_machine_new(arena);
        bool known = regex_machine_add(machine, as_slice);
        for (int k = 0; known && k < 20; k++) {
            size_t len = below(sizeof(text));
            for (size_t c = 0; c < len; c++)
                text[c] = "aabbcxA1B \n"[below(11)];
            check(regex, machine, slice_of(text, len), pattern);
        }
        arena_free(arena);
        regex_free(regex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_how_a_match_begins),
        cmocka_unit_test(it_tells_what_cannot_match),
        cmocka_unit_test(what_it_does_not_know_it_refuses),
        cmocka_unit_test(what_is_around_may_matter),
        cmocka_unit_test(parts_that_are_only_known_by_bytes),
        cmocka_unit_test(it_agrees_with_matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
