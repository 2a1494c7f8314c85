/* Labels and values under headings, over several lines and on one. */
#include "base/arena.h"
#include "base/buffer.h"
#include "cut/sections.h"

#include "test.h"

struct known {
    struct arena *arena;
    struct map labels, headings, last;
    struct slice subject, other, ends[1];
    struct section_words words;
};

static void put(struct map *map, const char *key, const char *value)
{
    assert_int_equal(map_put(map, slice_text(key), (void *)(uintptr_t)value), 0);
}

static void known_open(struct known *known)
{
    known->arena = arena_new(1 << 20);
    map_init(&known->labels, known->arena);
    map_init(&known->headings, known->arena);
    map_init(&known->last, known->arena);
    known->subject = SLICE("subject");
    known->other = SLICE("New Logon");
    known->ends[0] = SLICE("This event is");
    assert_int_equal(map_put(&known->headings, SLICE("Subject"), &known->subject), 0);
    assert_int_equal(map_put(&known->headings, SLICE("New Logon"), &known->other), 0);
    put(&known->labels, "subject.Account Name", "SubjectUserName");
    put(&known->labels, "New Logon.Account Name", "TargetUserName");
    put(&known->labels, "Logon Type", "LogonType");
    assert_int_equal(map_put(&known->last, SLICE("Command Line"), known), 0);
    known->words = (struct section_words){&known->labels, &known->headings, &known->last, known->ends, 1};
}

/* NAME=VALUE of what is known, HEADING/LABEL=VALUE of the rest, with '|' between. */
static void expect(const char *text, const char *wanted)
{
    struct known known;
    struct buffer got;
    struct section_value value;
    known_open(&known);
    buffer_init(&got, 1024 * 1024);
    struct sections sections = sections_begin(&known.words, slice_text(text));
    while (sections_next(&sections, &value)) {
        const char *name = sections_known(&known.words, value.heading, value.label);
        if (name)
            buffer_printf(&got, "%s=%.*s|", name, SLICE_ARG(value.value));
        else
            buffer_printf(&got, "%.*s/%.*s=%.*s|", SLICE_ARG(value.heading), SLICE_ARG(value.label), SLICE_ARG(value.value));
    }
    buffer_put_char(&got, '\0');
    assert_string_equal(buffer_slice(&got).ptr, wanted);
    buffer_close(&got);
    arena_free(known.arena);
}

static void the_same_label_under_two_headings(void **state)
{
    (void)state;
    expect("It happened.\r\n\r\nSubject:\r\n\tAccount Name:\t\tWS$\r\n\r\nLogon Type:\t\t3\r\n\r\nNew Logon:\r\n\tAccount Name:\t\taoi\r\n\tNew:\tx\r\n\r\n"
           "This event is generated: always.\r\n",
           "SubjectUserName=WS$|LogonType=3|TargetUserName=aoi|New Logon/New=x|");
    expect("It happened.    Subject:   Account Name:  WS$    Logon Type:   3    New Logon:   Account Name:  aoi   New:  x    This event is long.",
           "SubjectUserName=WS$|LogonType=3|TargetUserName=aoi|New Logon/New=x|");
    expect("It happened. Subject: Account Name: WS$ Logon Type: 3 New Logon: Account Name: a b", /* one blank each */
           "SubjectUserName=WS$|LogonType=3|TargetUserName=a b|");
    expect("Subject:\nAccount Name:\tWS$\nLogon Type:\t3\nNew Logon:\nAccount Name:\taoi\n", /* nothing is moved in */
           "SubjectUserName=WS$|LogonType=3|TargetUserName=aoi|");
}

/* A heading that nobody knows does not give its labels to the one before it. */
static void unknown_headings(void **state)
{
    (void)state;
    expect("Subject:\n\tAccount Name:\tWS$\nOther Thing:\n\tAccount Name:\taoi\n", "SubjectUserName=WS$|Other Thing/Account Name=aoi|");
    expect("Subject:   Account Name:  WS$    Other Thing:   Account Name:  aoi", "SubjectUserName=WS$|Other Thing/Account Name=aoi|");
}

static void values_of_several_lines(void **state)
{
    (void)state;
    expect("Privileges:\tSeA\n\t\tSeB\n\n\t\tno label\n", "/Privileges=SeA\n\t\tSeB|");
    expect("Flags:\n\tA: 1\n\tList:\t\n\t\tone\n\t\ttwo: 2\n\tB: 2\n", "Flags/A=1|Flags/List=one\n\t\ttwo: 2|Flags/B=2|");
    expect("Path: C:\\x\nDrive:\nEmpty:\n", "/Path=C:\\x|");
}

/* Nobody makes labels of what a person can write. */
static void the_last_value_is_all_that_follows(void **state)
{
    (void)state;
    expect("Subject:\n\tAccount Name:\ta\nProcess:\n\tCommand Line:\tx /c\n\nSubject:\n\tAccount Name:\tb\n\nThis event is long.\n",
           "SubjectUserName=a|Process/Command Line=x /c\n\nSubject:\n\tAccount Name:\tb|");
    expect("Subject:  Account Name:  a   Process:   Command Line:  x  /c  Subject:  Account Name:  b    This event is long.",
           "SubjectUserName=a|Process/Command Line=x  /c  Subject:  Account Name:  b|");
}

static void what_has_no_labels(void **state)
{
    (void)state;
    expect("", "");
    expect("The service entered the running state.", "");
    expect("a:b c::d :", "");
    expect("one\ntwo\n:\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_label_under_two_headings),
        cmocka_unit_test(unknown_headings),
        cmocka_unit_test(values_of_several_lines),
        cmocka_unit_test(the_last_value_is_all_that_follows),
        cmocka_unit_test(what_has_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
