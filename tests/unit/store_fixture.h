#pragma once
/* What the store's tests share: folders, a disk that fails on demand, random batches. */
#include "folder.h"

#include "base/io.h"
#include "base/rand.h"
#include "event/batch.h"
#include "event/delivery.h"
#include "store/scan.h"
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The real disk, but the fail_at-th call (from 0) that may fail does, with errno_value; with
 * persistent also all calls after it. */
struct faulty_io {
    struct hin_io io;
    long calls, fail_at;
    int errno_value;
    bool persistent;
    bool only_fdatasync, only_write;
    bool whole;       /* close, unlink, mkdir, size and fallocate may fail as well */
    bool short_calls; /* reads and writes do half of it instead of failing; nothing else is touched */
    long failures;
    struct io_space space, cold_space; /* of all paths; of those that end in "/cold" */
};

static inline bool faulty_now(struct faulty_io *faulty)
{
    long call = faulty->calls++;
    if (faulty->fail_at < 0 || call < faulty->fail_at ||
        (call > faulty->fail_at && !faulty->persistent))
        return false;
    faulty->failures++;
    errno = faulty->errno_value;
    return true;
}

/* A call that the flags above leave out, unless whole. */
static inline bool faulty_other(struct faulty_io *faulty)
{
    return faulty->whole && !faulty->only_fdatasync && !faulty->only_write &&
           !faulty->short_calls && faulty_now(faulty);
}

static inline bool faulty_main(struct faulty_io *faulty)
{
    return !faulty->only_fdatasync && !faulty->only_write && !faulty->short_calls &&
           faulty_now(faulty);
}

/* How much of a read or write is done this time. */
static inline size_t faulty_len(struct faulty_io *faulty, size_t len)
{
    return faulty->short_calls && len > 1 && faulty_now(faulty) ? len / 2 : len;
}

static inline int faulty_open(void *context, const char *path, int flags, mode_t mode)
{
    struct faulty_io *faulty = context;
    if (faulty_main(faulty))
        return -1;
    return io_real()->open(NULL, path, flags, mode);
}
static inline int faulty_close(void *context, int fd)
{
    int result = io_real()->close(NULL, fd);
    return faulty_other(context) ? -1 : result;
}
static inline ssize_t faulty_pread(void *context, int fd, void *to, size_t len, off_t at)
{
    struct faulty_io *faulty = context;
    if (faulty_main(faulty))
        return -1;
    return io_real()->pread(NULL, fd, to, faulty_len(faulty, len), at);
}
/* A write that fails leaves half of its bytes behind, as a full disk does. */
static inline ssize_t faulty_pwrite(void *context, int fd, const void *from, size_t len, off_t at)
{
    struct faulty_io *faulty = context;
    if (!faulty->only_fdatasync && !faulty->short_calls && faulty_now(faulty)) {
        ssize_t half = io_real()->pwrite(NULL, fd, from, len / 2, at);
        (void)half;
        errno = faulty->errno_value;
        return -1;
    }
    return io_real()->pwrite(NULL, fd, from, faulty_len(faulty, len), at);
}
static inline int faulty_fdatasync(void *context, int fd)
{
    struct faulty_io *faulty = context;
    if (!faulty->only_write && !faulty->short_calls && faulty_now(faulty))
        return -1;
    (void)fd; /* what the real disk would do is not what is tested */
    return 0;
}
static inline int faulty_ftruncate(void *context, int fd, off_t size)
{
    struct faulty_io *faulty = context;
    if (faulty_main(faulty))
        return -1;
    return io_real()->ftruncate(NULL, fd, size);
}
static inline int faulty_fallocate(void *context, int fd, off_t size)
{
    (void)fd;
    (void)size;
    return faulty_other(context) ? -1 : 0;
}
static inline int faulty_rename(void *context, const char *from, const char *to)
{
    struct faulty_io *faulty = context;
    if (faulty_main(faulty))
        return -1;
    return io_real()->rename(NULL, from, to);
}
static inline int faulty_unlink(void *context, const char *path)
{
    if (faulty_other(context))
        return -1;
    return io_real()->unlink(NULL, path);
}
static inline int faulty_mkdir(void *context, const char *path, mode_t mode)
{
    if (faulty_other(context))
        return -1;
    return io_real()->mkdir(NULL, path, mode);
}
static inline int faulty_fsync_dir(void *context, const char *path)
{
    struct faulty_io *faulty = context;
    (void)path;
    return faulty_main(faulty) ? -1 : 0;
}
static inline off_t faulty_size(void *context, int fd)
{
    if (faulty_other(context))
        return -1;
    return io_real()->size(NULL, fd);
}

/* A disk as full as the test says: .space when it has a total, else the real one. */
static inline int faulty_space(void *context, const char *path, struct io_space *out)
{
    struct faulty_io *faulty = context;
    if (faulty_other(faulty))
        return -1;
    if (!faulty->space.total)
        return io_real()->space(NULL, path, out);
    bool cold = faulty->cold_space.total && slice_ends(slice_text(path), SLICE("/cold"));
    *out = cold ? faulty->cold_space : faulty->space;
    return 0;
}

static inline void faulty_init(struct faulty_io *faulty, long fail_at, int errno_value)
{
    *faulty = (struct faulty_io){
        .io = {faulty_open, faulty_close, faulty_pread, faulty_pwrite, faulty_fdatasync,
               faulty_ftruncate, faulty_fallocate, faulty_rename, faulty_unlink, faulty_mkdir,
               faulty_fsync_dir, faulty_size, faulty_space, faulty},
        .fail_at = fail_at,
        .errno_value = errno_value,
    };
}

/* How many rows fulfil a request; all that is asked must be readable. */
static inline uint64_t count_rows(struct store *store, const struct scan_request *request)
{
    struct snapshot *snapshot = store_snapshot(store);
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    uint64_t count = 0;
    assert_int_equal(scan_open(snapshot, request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        count += rows.selected_count;
    assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    scan_close(scan);
    store_snapshot_release(snapshot);
    return count;
}

/* A store of batches of rows that come from outside, some sealed and some in memory. */
struct made_store {
    uint64_t seed;
    int batches;
    uint32_t batch_rows;
    /* Sets time_ns, after that the fields; seq counts from 1. -1: memory is out. */
    int (*put)(struct batch *batch, uint32_t i, struct event_row *row, const struct hin_rand *rand);
    bool (*seals)(int batch); /* everything so far, after this batch */
};

static inline struct store *store_make(const char *dir, const struct made_store *made)
{
    static const struct origin origin = {.source = {"hec", 3}, .stream = {"main", 4}};
    struct store_config config = {.dir = dir, .no_background = true};
    struct store *store;
    struct err err;
    struct rand_seeded rand;
    uint64_t seq = 0;
    rand_seeded_init(&rand, made->seed);
    assert_int_equal(store_open(&config, &store, &err), 0);
    for (int b = 0; b < made->batches; b++) {
        struct batch *batch = batch_new(BATCH_ARENA_MAX);
        for (uint32_t i = 0; i < made->batch_rows; i++) {
            struct event_row *row = batch_add_row(batch);
            row->seq = ++seq;
            row->origin = &origin;
            assert_int_equal(made->put(batch, i, row, &rand.rand), 0);
        }
        assert_int_equal(batch_finish(batch), 0);
        batch->journal_end = seq * 10;
        assert_int_equal(store_append(store, batch, &err), 0);
        batch_free(batch);
        if (made->seals(b))
            assert_int_equal(store_flush(store, &err), 0);
    }
    return store;
}
