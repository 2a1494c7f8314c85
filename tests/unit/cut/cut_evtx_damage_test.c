/*
 * Event logs, damaged in many ways. For each file of HINOMI_EVTX_DIR and each damage:
 *
 *   - the reading ends, without a crash;
 *   - each record of a chunk that was not touched is read, exactly as it was;
 *   - a record that is not one of the intact file's comes only from a chunk whose bytes were changed, and
 *     never when bytes are merely missing or moved, or chunks zeroed (a chunk that lost its header may give
 *     what an earlier use left behind its records: where they end is not known any more);
 *   - damage to bytes that a checksum covers is reported.
 *
 * HINOMI_EVTX_DAMAGES: of each kind and file (4). tests/e2e/test_evtx.py runs it; skipped without a folder.
 */
#include "cut/evtx.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rand.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_HEADER = 4096, CHUNK = 65536, CHUNKS_MAX = 4096, RECORDS_MAX = 200000, FILE_MAX = 64 * 1024 * 1024 };

/* What a damage may cost. */
enum allowed {
    NOTHING_NEW,  /* what is read are the intact file's records */
    CHANGED_ONES, /* records of changed chunks may differ */
};

struct known {
    uint64_t hash;
    uint32_t chunk;
    bool seen;
};

static struct {
    struct slice whole; /* the intact file */
    size_t chunks, count, damages, files;
    struct known *records; /* by hash */
    char *bytes;           /* the damaged copy */
    size_t len;
    bool touched[CHUNKS_MAX]; /* by the damage */
    bool header_touched;      /* of one of them */
    const char *path, *what;
    struct rand_seeded rand;
} test;

static int by_hash(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void read_intact(void)
{
    struct evtx *evtx;
    struct evtx_record record;
    struct err err;
    test.count = 0;
    assert_int_equal(evtx_open_bytes(test.whole, &evtx, &err), 0);
    while (evtx_next(evtx, &record, &err) == 1 && test.count < RECORDS_MAX)
        test.records[test.count++] =
            (struct known){hash_bytes(record.xml), evtx_report(evtx)->chunks - 1, false};
    evtx_close(evtx);
    qsort(test.records, test.count, sizeof(*test.records), by_hash);
}

/* Marks one that was not seen yet. */
static bool mark_seen(uint64_t hash)
{
    size_t low = 0, high = test.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (test.records[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < test.count && test.records[low].hash == hash; low++)
        if (!test.records[low].seen) {
            test.records[low].seen = true;
            return true;
        }
    return false;
}

static void complain(const char *sentence, size_t n)
{
    char name[200];
    snprintf(name, sizeof(name), "%s/damaged.evtx", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    FILE *file = fopen(name, "wb");
    if (file) {
        fwrite(test.bytes, 1, test.len, file);
        fclose(file);
    }
    fail_msg("%s, %s: %zu %s (the damaged file: %s)", test.path, test.what, n, sentence, name);
}

static void check(enum allowed allowed, bool reported)
{
    struct evtx *evtx;
    struct evtx_record record;
    struct err err;
    size_t fresh = 0, lost = 0, touched_records = 0;
    int result;
    for (size_t i = 0; i < test.count; i++)
        test.records[i].seen = false;
    assert_int_equal(evtx_open_bytes(slice_of(test.bytes, test.len), &evtx, &err), 0);
    while ((result = evtx_next(evtx, &record, &err)) == 1)
        fresh += !mark_seen(hash_bytes(record.xml));
    assert_int_equal(result, 0);
    for (size_t i = 0; i < test.count; i++) {
        touched_records += test.touched[test.records[i].chunk];
        lost += !test.records[i].seen && !test.touched[test.records[i].chunk];
    }
    if (lost)
        complain("records of untouched chunks were not read", lost);
    bool bounded = allowed == NOTHING_NEW || !test.header_touched;
    if (bounded && fresh > (allowed == NOTHING_NEW ? 0 : touched_records))
        complain("records were read that never were", fresh);
    if (reported && evtx_report(evtx)->problem[0] == '\0')
        complain("damages were not reported", 1);
    evtx_close(evtx);
    test.damages++;
}

/* ---- damages ---- */

static size_t below(size_t n)
{
    return (size_t)rand_below(&test.rand.rand, n);
}

static void fresh_copy(const char *what)
{
    memcpy(test.bytes, test.whole.ptr, test.whole.len);
    test.len = test.whole.len;
    memset(test.touched, 0, sizeof(test.touched));
    test.header_touched = false;
    test.what = what;
}

static void touch(size_t from, size_t to)
{
    for (size_t at = from; at < to; at++)
        if (at >= FILE_HEADER) {
            test.touched[(at - FILE_HEADER) / CHUNK] = true;
            test.header_touched |= (at - FILE_HEADER) % CHUNK < 512;
        }
}

static uint32_t number_at(size_t at)
{
    const unsigned char *p = (const unsigned char *)test.whole.ptr + at;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Whether a checksum covers the byte. */
static bool covered(size_t at)
{
    if (at < FILE_HEADER)
        return at < 120 || (at >= 124 && at < 128);
    size_t chunk = FILE_HEADER + (at - FILE_HEADER) / CHUNK * CHUNK, inside = at - chunk;
    return (inside < 120 || inside >= 124) && inside < number_at(chunk + 48);
}

static void flip_bytes(void)
{
    size_t count = 1 + below(below(2) ? 4 : 64);
    bool reported = false;
    fresh_copy("bytes flipped");
    for (size_t i = 0; i < count; i++) {
        size_t at = below(test.len);
        test.bytes[at] ^= (char)(1 + below(255));
        reported |= covered(at) && test.bytes[at] != test.whole.ptr[at];
        touch(at, at + 1);
    }
    check(CHANGED_ONES, reported);
}

static void cut_end(size_t at)
{
    fresh_copy("cut at the end");
    test.len = at;
    touch(at, test.whole.len);
    check(NOTHING_NEW, false);
}

static void cut_beginning(void)
{
    size_t chunk = below(test.chunks), at = FILE_HEADER + chunk * CHUNK + below(CHUNK);
    fresh_copy("cut at the beginning");
    test.len -= at;
    memmove(test.bytes, test.bytes + at, test.len);
    touch(FILE_HEADER, at + 1);
    check(NOTHING_NEW, true);
}

static void carve_chunk(void)
{
    size_t chunk = below(test.chunks);
    fresh_copy("one chunk alone");
    test.len = CHUNK;
    memmove(test.bytes, test.bytes + FILE_HEADER + chunk * CHUNK, CHUNK);
    touch(FILE_HEADER, test.whole.len);
    test.touched[chunk] = false;
    check(NOTHING_NEW, true);
}

static void zero(const char *what, size_t from, size_t len, enum allowed allowed)
{
    fresh_copy(what);
    memset(test.bytes + from, 0, len);
    touch(from, from + len);
    check(allowed, false);
}

static void swap_chunks(void)
{
    size_t a = FILE_HEADER + below(test.chunks) * CHUNK, b = FILE_HEADER + below(test.chunks) * CHUNK;
    fresh_copy("chunks swapped");
    memcpy(test.bytes + a, test.whole.ptr + b, CHUNK);
    memcpy(test.bytes + b, test.whole.ptr + a, CHUNK);
    check(NOTHING_NEW, false);
}

/* Part of a chunk is lost or something came between; all behind it is shifted. */
static void shift(void)
{
    size_t chunk = below(test.chunks), at = FILE_HEADER + chunk * CHUNK + 512 + below(CHUNK - 512), n = 1 + below(3000);
    fresh_copy("bytes lost");
    n = n < test.len - at ? n : test.len - at;
    memmove(test.bytes + at, test.bytes + at + n, test.len - at - n);
    test.len -= n;
    touch(at, at + n);
    test.touched[chunk] = true;
    check(CHANGED_ONES, false);
    fresh_copy("bytes put before everything");
    memmove(test.bytes + n, test.bytes, test.len);
    memset(test.bytes, 'x', n);
    test.len += n;
    check(NOTHING_NEW, true);
}

static void overwrite_sector(void)
{
    size_t from = FILE_HEADER + below(test.chunks) * CHUNK + 512 * below(128), to = FILE_HEADER + below(test.chunks) * CHUNK + 512 * below(128);
    fresh_copy("a sector overwritten by another");
    memcpy(test.bytes + to, test.whole.ptr + from, 512);
    touch(to, to + 512);
    check(CHANGED_ONES, false);
}

static void damage_file(size_t times)
{
    for (size_t i = 0; i < times; i++) {
        size_t chunk = FILE_HEADER + below(test.chunks) * CHUNK;
        for (size_t k = 0; k < 8; k++)
            flip_bytes();
        cut_beginning();
        carve_chunk();
        swap_chunks();
        shift();
        overwrite_sector();
        zero("a chunk zeroed", chunk, CHUNK, NOTHING_NEW);
        zero("a chunk's header zeroed", chunk, 512, CHANGED_ONES);
        zero("a sector zeroed", chunk + 512 * below(128), 512, CHANGED_ONES);
    }
    zero("the file header zeroed", 0, FILE_HEADER, NOTHING_NEW);
    size_t pages = test.whole.len / 4096, step = 1 + pages / (times * 32);
    for (size_t page = 0; page <= pages; page += step)
        cut_end(page * 4096 < test.whole.len ? page * 4096 : test.whole.len);
}

static int run_file(void *context, const char *path, struct err *err)
{
    struct arena *arena = arena_new(GIB);
    const char *times = getenv("HINOMI_EVTX_DAMAGES");
    (void)context;
    test.path = path;
    assert_non_null(arena);
    assert_int_equal(file_read(path, FILE_MAX, arena, &test.whole, err), 0);
    test.chunks = 0;
    while (slice_starts(slice_from(test.whole, FILE_HEADER + test.chunks * CHUNK), SLICE("ElfChnk")))
        test.chunks++;
    bool whole_chunks = test.chunks > 0 && test.chunks < CHUNKS_MAX &&
                        test.whole.len >= FILE_HEADER + test.chunks * CHUNK;
    test.bytes = arena_alloc(arena, test.whole.len + CHUNK);
    test.records = arena_alloc(arena, RECORDS_MAX * sizeof(*test.records));
    if (whole_chunks && test.bytes && test.records) {
        read_intact();
        damage_file(times ? (size_t)atoi(times) : 4);
        test.files++;
    }
    arena_free(arena);
    return 0;
}

static void damaged_logs_are_read_as_far_as_they_go(void **state)
{
    (void)state;
    struct err err;
    const char *folder = getenv("HINOMI_EVTX_DIR");
    if (!folder)
        skip();
    rand_seeded_init(&test.rand, 1);
    assert_int_equal(file_walk(folder, ".evtx", run_file, NULL, &err), 0);
    print_message("%zu files, %zu damages\n", test.files, test.damages);
    assert_true(test.damages > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_logs_are_read_as_far_as_they_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
