#include "base/attr.h"
#include "base/time.h"

#include "test.h"

#include <string.h>

/* To the millisecond before, also before 1970 and at the ends of what can be said. */
static void milliseconds_for_people(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00Z"},
        {NS_PER_MS, "1970-01-01T00:00:00.001Z"},
        {1639400125250012300, "2021-12-13T12:55:25.250Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-NS_PER_MS, "1969-12-31T23:59:59.999Z"},
        {-NS_PER_MS - 1, "1969-12-31T23:59:59.998Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
        {INT64_MIN, "1677-09-21T00:12:43.146Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[TIME_TEXT_SIZE];
        assert_int_equal(time_format_ms(cases[i].ns, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(milliseconds_for_people)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
