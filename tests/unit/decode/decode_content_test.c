/*
 * Every content/decoders/X.log becomes X.json (decode/sample.h).
 * With HINOMI_WRITE_SAMPLES=1 the .json files are written instead, as `hinomi rules test --write` does; look at the difference.
 */
#include "decode/sample.h"

#include "base/file.h"
#include "base/io.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct decoders *decoders;
static int samples;

static int check_one(void *context, const char *path, struct err *err)
{
    (void)context;
    int result = getenv("HINOMI_WRITE_SAMPLES") ? sample_write(decoders, path, err)
                                                : sample_check(decoders, path, err);
    if (result < 0)
        fail_msg("%s", err->text);
    samples++;
    return 0;
}

static void samples_become_what_stands_beside_them(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(file_walk("content/decoders", ".log", check_one, NULL, &err), 0);
    assert_true(samples >= 7);
}

static void a_sample_that_differs_is_named(void **state)
{
    (void)state;
    struct err err;
    char dir[] = "/tmp/hinomi-sample-XXXXXX", log[64], json[64];
    assert_non_null(mkdtemp(dir));
    snprintf(log, sizeof(log), "%s/x.log", dir);
    snprintf(json, sizeof(json), "%s/x.json", dir);
    assert_int_equal(io_replace_file(io_real(), log, SLICE("one\ntwo\n"), &err), 0);
    struct buffer got;
    buffer_init(&got, MIB);
    assert_int_equal(sample_decode(decoders, SLICE("one\ntwo\n"), &got, &err), 0);
    assert_int_equal(io_replace_file(io_real(), json, buffer_slice(&got), &err), 0);
    assert_int_equal(sample_check(decoders, log, &err), 0);
    buffer_put_text(&got, "{}\n");
    assert_int_equal(io_replace_file(io_real(), json, buffer_slice(&got), &err), 0);
    assert_int_equal(sample_check(decoders, log, &err), -1);
    assert_non_null(strstr(err.text, "event 3 of the sample"));
    buffer_close(&got);
    unlink(log);
    unlink(json);
    rmdir(dir);
}

static int load(void **state)
{
    (void)state;
    struct err err;
    if (decoders_load("content/decoders", NULL, &decoders, &err) == 0)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static int unload(void **state)
{
    (void)state;
    decoders_free(decoders);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_become_what_stands_beside_them),
        cmocka_unit_test(a_sample_that_differs_is_named),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
