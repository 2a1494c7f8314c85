/*
 * Bytes as a journal file: recovery neither crashes nor invents; opening a second time finds what
 * the first left, without anything more to repair.
 */
#include "base/file.h"
#include "store/journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int remove_one(void *context, const char *path, struct err *err)
{
    (void)context;
    (void)err;
    unlink(path);
    return 0;
}

static uint64_t open_and_count(const char *dir, struct journal_stats *stats)
{
    struct journal *journal;
    struct journal_reader *reader;
    struct err err;
    if (journal_open(&(struct journal_config){.dir = dir}, &journal, &err) < 0)
        return UINT64_MAX;
    journal_stats(journal, stats);
    struct arena *arena = arena_new(64 * 1024 * 1024);
    uint64_t records = 0;
    if (journal_reader_open(journal, 0, &reader, &err) == 0) {
        struct delivery delivery;
        for (int more; (more = journal_read(reader, arena, &delivery, 0, &err)) != 0;) {
            if (more < 0 && err.code != ERR_CORRUPT)
                break;
            if (more < 0)
                break; /* a record that the writer never made, checksum and all */
            records++;
            arena_reset(arena);
        }
        journal_reader_close(reader);
    }
    arena_free(arena);
    journal_close(journal);
    return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char dir[64];
    char path[128];
    struct err err;
    if (!dir[0]) {
        snprintf(dir, sizeof(dir), "/tmp/hinomi-fuzz-XXXXXX");
        if (!mkdtemp(dir))
            abort();
    }
    /* the base in the header names the file */
    unsigned long long base = 0;
    for (size_t i = 0; size >= 24 && i < 8; i++)
        base |= (unsigned long long)data[16 + i] << (8 * i);
    snprintf(path, sizeof(path), "%s/%016llx.journal", dir, base);
    FILE *file = fopen(path, "wb");
    if (!file)
        abort();
    fwrite(data, 1, size, file);
    fclose(file);
    struct journal_check check;
    (void)!journal_check_file(io_real(), path, &check, &err);
    struct journal_stats first, second;
    uint64_t records = open_and_count(dir, &first);
    if (records != UINT64_MAX) {
        uint64_t again = open_and_count(dir, &second);
        assert(again == records);
        assert(second.torn_bytes == 0);
        assert(second.next_seq == first.next_seq);
    }
    (void)!file_walk(dir, NULL, remove_one, NULL, &err);
    rmdir(dir);
    dir[0] = '\0';
    return 0;
}
