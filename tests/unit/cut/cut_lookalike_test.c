/* Names that look alike have one skeleton. */
#include "cut/lookalike.h"

#include "test.h"

static void looks(const char *name, const char *like)
{
    char to[1024];
    struct slice text = slice_text(name);
    assert_true(4 * text.len <= sizeof(to));
    struct slice got = slice_of(to, lookalike_write(text, to));
    if (!slice_is(got, like))
        fail_msg("%s looks like %.*s, not %s", name, (int)got.len, got.ptr, like);
}

static void test_ascii(void **state)
{
    (void)state;
    looks("", "");
    looks("Shop.Example.COM.", "shop.example.com.");
    looks("0l1-_x", "0l1-_x"); /* that is for the distance */
    looks("..", "..");
}

static void test_letters(void **state)
{
    (void)state;
    looks("b\xc3\xbc" "cher.example", "bucher.example");
    looks("\xd0\x9a\xd0\xb0n\xd0\xb0me.example", "kaname.example"); /* Cyrillic */
    looks("ka\xcc\xa3name", "kaname");                             /* a mark of its own */
    looks("ka\xe2\x80\x8bna\xc2\xadme", "kaname");                 /* not seen */
    looks("\xce\xba\xce\xb1n\xce\xb1m\xce\xad", "kaname");         /* Greek */
    looks("\xef\xbd\x8b\xef\xbd\x81name\xef\xbc\x8e" "example", "kaname.example"); /* full-width */
    looks("kaname\xe3\x80\x82" "example", "kaname.example");
    looks("\xf0\x9d\x95\x9c" "aname\xf0\x9d\x9f\x99", "kaname1"); /* mathematical */
    looks("\xe7\x81\xab\xe3\x81\xae\xe8\xa6\x8b", "\xe7\x81\xab\xe3\x81\xae\xe8\xa6\x8b");
    looks("a\xff" "b", "a\xff" "b");
}

/* The samples of RFC 3492, section 7.1 (and what they look like), and labels that are wrong. */
static void test_punycode(void **state)
{
    (void)state;
    looks("xn--knme-5q5ab.example", "kaname.example");
    looks("www.XN--bcher-kva.example", "www.bucher.example");
    looks("xn--proprostnemluvesky-uyb24dma41a", "procprostenemluvicesky");
    looks("xn--ihqwcrb4cv8a8dqg056pqjye",
          "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87");
    looks("xn--d9juau41awczczp",
          "\xe3\x81\x9d\xe3\x81\xae\xe3\x82\xb9\xe3\x83\x94\xe3\x83\xbc\xe3\x83\x89\xe3\x81\xa7");
    looks("xn--80ak6aa92e.com", "apple.com");
    looks("xn--99999999.example", "xn--99999999.example"); /* more than there is */
    looks("xn--\xc3\xbc.example", "xn--u.example");
    looks("xn--a-.example", "a.example");
    looks("xn--.example", "xn--.example");
    looks("xn--a-b!.example", "xn--a-b!.example");
    looks("xn--0ca24w0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
          "xn--0ca24w0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_punycode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
