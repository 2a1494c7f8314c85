/* Patterns of paths, names of rotated logs, and what a walk finds. */
#include "base/limits.h"
#include "collect/files/file_match.h"
#include "collect/files/file_names.h"
#include "collect/remote/journal_entry.h"

#include "unit/folder.h"

#include <sys/stat.h>

static void patterns_mean_paths(void **state)
{
    static const struct {
        const char *path, *pattern;
        bool fits;
    } cases[] = {
        {"/var/log/a.log", "/var/log/*.log", true},
        {"/var/log/x/a.log", "/var/log/*.log", false},
        {"/var/log/x/a.log", "/var/log/**/*.log", true},
        {"/var/log/x/y/z/a.log", "/var/log/**/*.log", true},
        {"/var/log/a.log", "/var/log/**/*.log", true},
        {"/var/log/x/y", "/var/log/**", true},
        {"/a/b/c/b/d", "/a/**/b/d", true},
        {"/a/b/c/b/e", "/a/**/b/d", false},
        {"/v/app1.log", "/v/app[0-9].log", true},
        {"/v/appx.log", "/v/app[!0-9].log", true},
        {"/v/app1.log", "/v/app[!0-9].log", false},
        {"/v/a[", "/v/a[", true},
        {"/v/ab", "/v/a?", true},
        {"/v/a", "/v/a?", false},
        {"/v/aXbXc", "/v/a*b*c", true},
        {"/v/aXbX", "/v/a*b*c", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if (path_fits(slice_text(cases[i].path), slice_text(cases[i].pattern)) != cases[i].fits)
            fail_msg("%s against %s", cases[i].path, cases[i].pattern);
    assert_true(folder_fits(SLICE("/var"), SLICE("/var/*/x.log")));
    assert_false(folder_fits(SLICE("/srv"), SLICE("/var/*/x.log")));
    assert_true(folder_fits(SLICE("/var/a/b/c"), SLICE("/var/**/x.log")));
    assert_false(folder_fits(SLICE("/var/a/x.log"), SLICE("/var/*/x.log")));
}

static void rotated_names_are_known(void **state)
{
    static const char *const rotated[] = {"app.log.1", "app.log.12.gz", "app.log-20260301", "app.log-20260301.gz",
                                          "app.log.2026-03-01", "app.log.old", "app-20260301.log", "app-2026-03-01.log.gz",
                                          "app.log.1.zst", "app.log-20260301T101500"};
    static const char *const others[] = {"app.log", "app-1.log", "app.logs", "app.log.d", "other.log.1", "app.error.log",
                                         "app.log.audit", "app", ".1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rotated); i++)
        if (!is_rotated_name(SLICE("app.log"), slice_text(rotated[i])))
            fail_msg("%s", rotated[i]);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (is_rotated_name(SLICE("app.log"), slice_text(others[i])))
            fail_msg("%s", others[i]);
}

static int on_file(void *context, const char *path, const struct stat *info)
{
    char *all = context;
    assert_true(S_ISREG(info->st_mode));
    strncat(all, strrchr(path, '/') + 1, 100);
    strncat(all, " ", 2);
    return 0;
}

static void a_walk_finds_files(void **state)
{
    char folder[64], path[128], pattern[2][128], all[1000] = "";
    static const char *const names[] = {"a.log", "b.txt", "x/c.log", "x/.hidden.log", "x/y/d.log"};
    (void)state;
    folder_make(folder);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/x", folder);
        mkdir(path, 0755);
        snprintf(path, sizeof(path), "%s/x/y", folder);
        mkdir(path, 0755);
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        fclose(fopen(path, "w"));
    }
    snprintf(pattern[0], sizeof(pattern[0]), "%s/**/[c-d]*.log", folder);
    snprintf(pattern[1], sizeof(pattern[1]), "%s", folder);
    struct slice patterns[] = {slice_text(pattern[0]), slice_text(pattern[1])}, exclude = SLICE("*.txt");
    struct file_match match = {.patterns = patterns, .pattern_count = 1, .file = on_file, .context = all};
    assert_int_equal(file_match_walk(&match), 0);
    assert_int_equal(match.files, 2);
    assert_non_null(strstr(all, "c.log"));
    assert_non_null(strstr(all, "d.log"));
    match.patterns = patterns + 1;
    match.exclude = &exclude;
    match.exclude_count = 1;
    all[0] = '\0';
    assert_int_equal(file_match_walk(&match), 0);
    assert_string_equal(all, "a.log ");
    for (size_t i = ARRAY_COUNT(names); i > 0; i--) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i - 1]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/x/y", folder);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/x", folder);
    rmdir(path);
    rmdir(folder);
}

static void entries_of_the_journal(void **state)
{
    struct slice counting;
    uint64_t number;
    struct buffer text;
    (void)state;
    assert_true(journal_cursor_number(SLICE("s=0f14;i=1a;b=01;m=5;t=6;x=7"), &counting, &number));
    assert_int_equal(number, 26);
    assert_true(slice_is(counting, "0f14"));
    assert_false(journal_cursor_number(SLICE("s=1;i=xyz"), &counting, &number));
    assert_false(journal_cursor_number(SLICE("i=1"), &counting, &number));
    assert_false(journal_cursor_number(SLICE(""), &counting, &number));
    buffer_init(&text, KIB);
    journal_entry_put(&text, SLICE("MESSAGE=one\ttwo"));
    journal_entry_put(&text, SLICE("B=a\nb"));
    journal_entry_put(&text, SLICE("no field"));
    assert_true(slice_equal(buffer_slice(&text), SLICE("MESSAGE=one\ttwo\nB\n\3\0\0\0\0\0\0\0a\nb\n")));
    buffer_close(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_paths),
        cmocka_unit_test(rotated_names_are_known),
        cmocka_unit_test(a_walk_finds_files),
        cmocka_unit_test(entries_of_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
