#include "store_fixture.h"

#include "base/mem.h"
#include "store/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static struct journal *open_journal(const char *dir, const struct hin_io *io, size_t file_bytes)
{
    struct journal_config config = {.dir = dir, .io = io, .file_bytes = file_bytes};
    struct journal *journal;
    struct err err;
    if (journal_open(&config, &journal, &err) < 0)
        fail_msg("%s", err.text);
    return journal;
}

static struct delivery make_delivery(const char *key, const char *body)
{
    return (struct delivery){
        .origin = {.source = SLICE("hec"), .stream = SLICE("main"), .path = SLICE("/x")},
        .received_ns = 5,
        .key = slice_text(key),
        .cursor = slice_text(body),
        .framing = FRAMING_LINES,
        .event_count = delivery_count_lines(slice_text(body)),
        .body = slice_text(body),
    };
}

static struct journal_ack append(struct journal *journal, const char *key, const char *body)
{
    struct journal_ack ack;
    struct err err;
    struct delivery delivery = make_delivery(key, body);
    if (journal_append_wait(journal, &delivery, &ack, &err) < 0)
        fail_msg("%s", err.text);
    return ack;
}

/* Reads everything; the bodies joined with '|', into text. */
static uint64_t read_all(struct journal *journal, uint64_t from, char text[4096])
{
    struct journal_reader *reader;
    struct arena *arena = arena_new(16 * 1024 * 1024);
    struct delivery delivery;
    struct err err;
    uint64_t last_seq = 0, count = 0;
    size_t len = 0;
    assert_int_equal(journal_reader_open(journal, from, &reader, &err), 0);
    for (int more; (more = journal_read(reader, arena, &delivery, 0, &err)) != 0; count++) {
        if (more < 0)
            fail_msg("%s", err.text);
        assert_true(delivery.first_seq > last_seq);
        last_seq = delivery.first_seq;
        if (text && len + delivery.body.len + 2 < 4096) {
            memcpy(text + len, delivery.body.ptr, delivery.body.len);
            len += delivery.body.len;
            text[len++] = '|';
        }
    }
    if (text)
        text[len] = '\0';
    journal_reader_close(reader);
    arena_free(arena);
    return count;
}

static void numbers_and_gives_back_in_order(void **state)
{
    (void)state;
    char dir[64], text[4096];
    folder_make(dir);
    struct journal *journal = open_journal(dir, NULL, 0);
    struct journal_ack a = append(journal, NULL, "one\ntwo\n"), b = append(journal, NULL, "three");
    assert_int_equal(a.result, JOURNAL_STORED);
    assert_int_equal(a.first_seq, 1);
    assert_int_equal(b.first_seq, 3);
    assert_int_equal(b.position, a.end);
    assert_int_equal(read_all(journal, 0, text), 2);
    assert_string_equal(text, "one\ntwo\n|three|");
    assert_int_equal(read_all(journal, a.end, text), 1);
    journal_close(journal);
    journal = open_journal(dir, NULL, 0);
    assert_int_equal(append(journal, NULL, "four").first_seq, 4);
    assert_int_equal(read_all(journal, 0, text), 3);
    assert_string_equal(text, "one\ntwo\n|three|four|");
    journal_close(journal);
    folder_remove(dir);
}

static void a_key_names_a_batch_across_restarts_and_trims(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct journal *journal = open_journal(dir, NULL, 256);
    struct journal_ack first = append(journal, "k1", "same bytes");
    for (int round = 0; round < 3; round++) {
        struct journal_ack again = append(journal, "k1", "same bytes");
        assert_int_equal(again.result, JOURNAL_DUPLICATE);
        assert_int_equal(again.first_seq, first.first_seq);
        assert_int_equal(append(journal, "k1", "other bytes").result, JOURNAL_CONFLICT);
        for (int i = 0; i < 5; i++)
            append(journal, NULL, "filler of some length so that files are rolled, and more of it");
        struct journal_stats stats;
        struct err err;
        journal_stats(journal, &stats);
        if (round)
            assert_int_equal(journal_trim(journal, stats.position, &err), 0);
        journal_close(journal);
        journal = open_journal(dir, NULL, 256);
        struct arena *arena = arena_new(65536);
        struct slice cursor = journal_cursor(journal, SLICE("hec"), SLICE("/x"), arena);
        assert_true(slice_starts(cursor, SLICE("filler")));
        assert_true(slice_is_none(journal_cursor(journal, SLICE("hec"), SLICE("/y"), arena)));
        arena_free(arena);
    }
    struct journal_stats stats;
    journal_stats(journal, &stats);
    assert_true(stats.oldest_position > 0);
    assert_int_equal(stats.next_seq, 17);
    journal_close(journal);
    folder_remove(dir);
}

static char file_path[256];

static int last_path(void *context, const char *path, struct err *err)
{
    (void)context;
    (void)err;
    snprintf(file_path, sizeof(file_path), "%s", path);
    return 0;
}

static long find_file(const char *dir)
{
    struct err err;
    struct stat info;
    assert_int_equal(file_walk(dir, ".journal", last_path, NULL, &err), 0);
    assert_int_equal(stat(file_path, &info), 0);
    return (long)info.st_size;
}

/* Cut anywhere in the last frame: the ones before are whole, numbers go on, nothing is invented. */
static void a_torn_tail_is_cut_off(void **state)
{
    (void)state;
    for (long cut = 1;; cut++) {
        char dir[64], text[4096];
        folder_make(dir);
        struct journal *journal = open_journal(dir, NULL, 0);
        struct journal_ack first = append(journal, NULL, "first");
        append(journal, "key", "last");
        journal_close(journal);
        long size = find_file(dir), whole = 32 + (long)first.end;
        if (size - cut <= whole) {
            folder_remove(dir);
            assert_true(cut > 40);
            break;
        }
        assert_int_equal(truncate(file_path, size - cut), 0);
        journal = open_journal(dir, NULL, 0);
        struct journal_stats stats;
        journal_stats(journal, &stats);
        assert_int_equal(stats.torn_bytes, size - cut - whole);
        assert_int_equal(stats.damaged_ranges, 0);
        assert_int_equal(read_all(journal, 0, text), 1);
        struct journal_ack again = append(journal, "key", "other");
        assert_int_equal(again.result, JOURNAL_STORED);
        assert_int_equal(again.first_seq, 2);
        assert_int_equal(read_all(journal, 0, text), 2);
        assert_string_equal(text, "first|other|");
        journal_close(journal);
        folder_remove(dir);
    }
}

/* Any flipped bit: never a wrong record; what is missing in the middle is reported. */
static void a_flipped_bit_is_found(void **state)
{
    (void)state;
    char dir[64], text[4096];
    folder_make(dir);
    struct journal *journal = open_journal(dir, NULL, 0);
    append(journal, NULL, "first");
    append(journal, NULL, "second");
    append(journal, NULL, "third");
    journal_close(journal);
    long size = find_file(dir);
    char *bytes = malloc((size_t)size);
    FILE *file = fopen(file_path, "rb");
    assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    for (long at = 0; at < size; at++) {
        bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
        file = fopen(file_path, "wb");
        assert_int_equal(fwrite(bytes, 1, (size_t)size, file), (size_t)size);
        fclose(file);
        bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
        journal = open_journal(dir, NULL, 0);
        struct journal_stats stats;
        journal_stats(journal, &stats);
        read_all(journal, 0, text);
        bool none_lost = strcmp(text, "first|second|third|") == 0;
        assert_true(none_lost || strcmp(text, "second|third|") == 0 ||
                    strcmp(text, "first|third|") == 0 || strcmp(text, "first|second|") == 0 ||
                    text[0] == '\0');
        if (none_lost)
            assert_true(at >= 28 && at < 32); /* zeros in the file's header */
        else
            assert_true(stats.damaged_ranges + stats.torn_bytes > 0);
        journal_close(journal);
    }
    free(bytes);
    folder_remove(dir);
}

static void no_space_refuses_and_goes_on_when_there_is_some(void **state)
{
    (void)state;
    char dir[64], text[4096];
    folder_make(dir);
    struct faulty_io faulty;
    faulty_init(&faulty, -1, ENOSPC);
    struct journal *journal = open_journal(dir, &faulty.io, 0);
    append(journal, NULL, "before");
    faulty.only_write = true;
    faulty.persistent = true;
    faulty.fail_at = 0;
    faulty.calls = 0;
    struct delivery delivery = make_delivery("key", "no room for this one here");
    struct journal_ack ack;
    struct err err;
    assert_int_equal(journal_append_wait(journal, &delivery, &ack, &err), -1);
    assert_int_equal(ack.result, JOURNAL_FAILED);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "No space"));
    faulty.fail_at = -1;
    assert_int_equal(append(journal, "key", "after").first_seq, 2);
    assert_int_equal(read_all(journal, 0, text), 2);
    journal_close(journal);
    journal = open_journal(dir, NULL, 0);
    assert_int_equal(read_all(journal, 0, text), 2);
    assert_string_equal(text, "before|after|");
    journal_close(journal);
    folder_remove(dir);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    char dir[64], text[4096];
    folder_make(dir);
    struct faulty_io faulty;
    faulty_init(&faulty, -1, EIO);
    struct journal *journal = open_journal(dir, &faulty.io, 0);
    append(journal, NULL, "before");
    faulty.only_fdatasync = true;
    faulty.fail_at = 0;
    faulty.calls = 0;
    struct delivery delivery = make_delivery(NULL, "lost");
    struct journal_ack ack;
    struct err err;
    assert_int_equal(journal_append_wait(journal, &delivery, &ack, &err), -1);
    faulty.fail_at = -1; /* the disk says yes again: not believed */
    assert_int_equal(journal_append(journal, &delivery, NULL, NULL, &err), -1);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    assert_true(stats.failed);
    assert_int_equal(read_all(journal, 0, text), 1);
    journal_close(journal);
    journal = open_journal(dir, NULL, 0);
    append(journal, NULL, "after");
    read_all(journal, 0, text);
    assert_string_equal(text, "before|after|");
    journal_close(journal);
    folder_remove(dir);
}

/* The k-th call fails: what was acknowledged is there afterwards, once. */
static void survives_every_failed_call(void **state)
{
    (void)state;
    for (long k = 0; k < 400; k++) {
        char dir[64], text[4096];
        bool acked[12] = {false};
        folder_make(dir);
        struct faulty_io faulty;
        faulty_init(&faulty, k, k % 3 ? EIO : ENOSPC);
        struct journal_config config = {.dir = dir, .io = &faulty.io, .file_bytes = 300};
        struct journal *journal;
        struct err err;
        if (journal_open(&config, &journal, &err) == 0) {
            for (int i = 0; i < 12; i++) {
                char body[32];
                snprintf(body, sizeof(body), "<%d>", i);
                struct delivery delivery = make_delivery(NULL, body);
                struct journal_ack ack;
                acked[i] = journal_append_wait(journal, &delivery, &ack, &err) == 0;
                struct journal_stats stats;
                journal_stats(journal, &stats);
                if (i == 8)
                    (void)!journal_trim(journal, stats.oldest_position + 150, &err);
            }
            journal_close(journal);
        }
        journal = open_journal(dir, NULL, 300);
        struct journal_stats stats;
        journal_stats(journal, &stats);
        assert_int_equal(stats.damaged_ranges, 0);
        read_all(journal, 0, text);
        for (int i = 0; i < 12; i++) {
            char body[32];
            snprintf(body, sizeof(body), "<%d>", i);
            char *found = strstr(text, body);
            if (acked[i] && i > 2) /* the first ones may have been trimmed */
                assert_non_null(found);
            assert_null(found ? strstr(found + 1, body) : NULL);
        }
        journal_close(journal);
        folder_remove(dir);
        if (!faulty.failures) {
            assert_true(k > 20);
            break;
        }
    }
}

struct writer {
    struct journal *journal;
    int number;
};

/* A reader that the disk does not answer says so and gives the record later; it does not skip it. */
static void a_failed_read_is_no_damage(void **state)
{
    (void)state;
    char dir[64];
    struct faulty_io faulty;
    folder_make(dir);
    faulty_init(&faulty, -1, EIO);
    struct journal *journal = open_journal(dir, &faulty.io, 128);
    for (int i = 0; i < 4; i++)
        append(journal, NULL, "a record, and a file for each");
    long k = 0;
    do {
        struct journal_reader *reader;
        struct arena *arena = arena_new(MIB);
        struct delivery delivery;
        struct err err;
        unsigned records = 0;
        faulty_init(&faulty, k, EIO);
        faulty.whole = true;
        assert_int_equal(journal_reader_open(journal, 0, &reader, &err), 0);
        for (int got; (got = journal_read(reader, arena, &delivery, 0, &err)) != 0;)
            records += got == 1;
        assert_int_equal(records, 4);
        journal_reader_close(reader);
        arena_free(arena);
        k++;
    } while (faulty.failures);
    assert_true(k > 8);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    assert_int_equal(stats.damaged_ranges, 0);
    journal_close(journal);
    folder_remove(dir);
}

static void *write_many(void *context)
{
    struct writer *writer = context;
    for (int i = 0; i < 200; i++) {
        char key[32];
        snprintf(key, sizeof(key), "%d", (i * 7 + writer->number) % 150);
        struct delivery delivery = make_delivery(key, key);
        struct journal_ack ack;
        struct err err;
        assert_int_equal(journal_append_wait(writer->journal, &delivery, &ack, &err), 0);
        assert_true(ack.result == JOURNAL_STORED || ack.result == JOURNAL_DUPLICATE);
        assert_true(ack.first_seq > 0);
    }
    return NULL;
}

static void many_writers_share_a_group(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct journal *journal = open_journal(dir, NULL, 4096);
    pthread_t threads[4];
    struct writer writers[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (struct writer){journal, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(read_all(journal, 0, NULL), 150); /* every key once */
    struct journal_stats stats;
    journal_stats(journal, &stats);
    assert_int_equal(stats.records, 150);
    assert_int_equal(stats.duplicates, 650);
    assert_int_equal(stats.outstanding_bytes, 0);
    journal_close(journal);
    folder_remove(dir);
}

static void too_much_outstanding_is_refused(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct journal_config config = {.dir = dir, .commit_ms = 200, .outstanding_bytes_max = 300};
    struct journal *journal;
    struct err err;
    assert_int_equal(journal_open(&config, &journal, &err), 0);
    struct delivery delivery = make_delivery(NULL, "a body of some bytes");
    int taken = 0;
    while (taken < 100 && journal_append(journal, &delivery, NULL, NULL, &err) == 0)
        taken++;
    assert_in_range(taken, 1, 4);
    assert_int_equal(err.code, ERR_LIMIT);
    journal_close(journal);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_gives_back_in_order),
        cmocka_unit_test(a_key_names_a_batch_across_restarts_and_trims),
        cmocka_unit_test(a_torn_tail_is_cut_off),
        cmocka_unit_test(a_flipped_bit_is_found),
        cmocka_unit_test(no_space_refuses_and_goes_on_when_there_is_some),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(survives_every_failed_call),
        cmocka_unit_test(a_failed_read_is_no_damage),
        cmocka_unit_test(many_writers_share_a_group),
        cmocka_unit_test(too_much_outstanding_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
