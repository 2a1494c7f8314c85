/* Sizes as people write them. */
#include "test.h"

#include "base/attr.h"
#include "base/byte_size.h"

static void reads_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},          {"4096", 4096},      {"7B", 7},
        {"1KB", 1000},     {"1KiB", 1024},      {"500 MB", 500000000},
        {"200GiB", UINT64_C(200) << 30},        {"3TB", UINT64_C(3000000000000)},
        {"8388607TiB", UINT64_C(8388607) << 40}};
    static const char *const bad[] = {"", "GiB", "-1", "1.5GiB", "5%", "1 G", "1GiBs", "9223372036854775808",
                                      "8388608TiB", "99999999999999999999"};
    uint64_t bytes;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_true(byte_size_parse(slice_text(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(byte_size_parse(slice_text(bad[i]), &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
