/* Compressed bodies: what comes out, damage, and the caps. */
#include "base/limits.h"
#include "net/inflate.h"

#include "test.h"

#include <snappy-c.h>
#include <zlib.h>

enum { PLAIN_BYTES = 100000 };

static char plain[PLAIN_BYTES], packed[2 * PLAIN_BYTES];

static struct slice pack(enum inflate_kind kind)
{
    size_t len = sizeof(packed);
    uint32_t n = 1;
    for (size_t i = 0; i < sizeof(plain); i++) { /* runs, so that both find something to pack */
        n = i % 64 ? n : n * 1664525 + 1013904223;
        plain[i] = (char)(n >> 24);
    }
    if (kind == INFLATE_SNAPPY) {
        assert_int_equal(snappy_compress(plain, sizeof(plain), packed, &len), SNAPPY_OK);
    } else {
        uLongf zlib_len = sizeof(packed);
        assert_int_equal(compress((Bytef *)packed, &zlib_len, (const Bytef *)plain, sizeof(plain)), Z_OK);
        len = zlib_len;
    }
    return slice_of(packed, len);
}

static int unpack(enum inflate_kind kind, struct slice body, size_t bytes_max, size_t ratio_max, struct buffer *out, struct err *err)
{
    buffer_clear(out);
    err_clear(err);
    return inflate_body(kind, body, bytes_max, ratio_max, out, err);
}

static void unpacks_and_has_caps(void **state)
{
    (void)state;
    static const enum inflate_kind kinds[] = {INFLATE_SNAPPY, INFLATE_DEFLATE};
    struct buffer out;
    struct err err;
    buffer_init(&out, MIB);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct slice body = pack(kinds[i]);
        assert_int_equal(unpack(kinds[i], body, MIB, 200, &out, &err), 0);
        assert_true(slice_equal(buffer_slice(&out), slice_of(plain, sizeof(plain))));
        assert_int_equal(unpack(kinds[i], body, PLAIN_BYTES - 1, 200, &out, &err), -1);
        assert_int_equal(err.code, ERR_LIMIT);
        assert_int_equal(unpack(kinds[i], body, MIB, 1, &out, &err), -1);
        assert_int_equal(err.code, ERR_LIMIT);
        assert_int_equal(unpack(kinds[i], slice_sub(body, 0, body.len / 2), MIB, 200, &out, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
    }
    buffer_close(&out);
}

/* Before there is memory for it. */
static void judges_snappy_by_what_it_says(void **state)
{
    (void)state;
    struct buffer out;
    struct err err;
    buffer_init(&out, MIB);
    assert_int_equal(unpack(INFLATE_SNAPPY, SLICE("\xff\xff\xff\xff\x0f\x00" "a"), MIB, 200, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(out.size, 0);
    assert_int_equal(unpack(INFLATE_SNAPPY, SLICE("\xff\xff\xff\xff\xff"), MIB, 200, &out, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(unpack(INFLATE_SNAPPY, SLICE(""), MIB, 200, &out, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(unpack(INFLATE_SNAPPY, SLICE("\x00"), MIB, 200, &out, &err), 0);
    assert_int_equal(out.len, 0);
    buffer_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_and_has_caps),
        cmocka_unit_test(judges_snappy_by_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
