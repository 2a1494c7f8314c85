/*
 * Windows event logs that grow, or are copied anew: their chunks are a ring, so they are given to the reader
 * (cut/evtx.h) in the order of their records' numbers, without those that hold nothing new.
 */
#include "base/mem.h"
#include "collect/files/watched_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_HEADER = 4096, LOG_CHUNK = 65536, CHUNK_HEAD = 40, CHUNKS_MAX = 1 << 20 };

struct chunk_place {
    uint64_t first_id, last_id, at;
};

struct event_log_feed {
    int fd;
    struct chunk_place *chunks; /* in the order they are given */
    size_t count, next;
    uint64_t at;                /* of the next byte to be given, in the file's header or chunk `next` */
    bool in_order;              /* chunks lie where they should; else the file is given as it is */
    bool seen_last;             /* the record that was taken last was met again */
    bool whole;                 /* the numbers begin anew: everything is new */
    uint64_t last_id;           /* met in this walk */
};

static uint64_t le64(const char *at)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

static int by_id(const void *a, const void *b)
{
    const struct chunk_place *x = a, *y = b;
    return x->first_id < y->first_id ? -1 : x->first_id > y->first_id;
}

/* Every place holds a chunk or nothing. */
static bool find_chunks(struct event_log_feed *feed, uint64_t size)
{
    size_t places = size > LOG_HEADER ? (size_t)((size - LOG_HEADER) / LOG_CHUNK) : 0;
    char head[CHUNK_HEAD];
    if (places == 0 || places > CHUNKS_MAX || (size - LOG_HEADER) % LOG_CHUNK)
        return false;
    feed->chunks = mem_calloc(places, sizeof(*feed->chunks));
    for (size_t i = 0; feed->chunks && i < places; i++) {
        uint64_t at = LOG_HEADER + (uint64_t)i * LOG_CHUNK;
        if (pread(feed->fd, head, sizeof(head), (off_t)at) != (ssize_t)sizeof(head))
            return false;
        if (head[0] == 0 && memcmp(head, head + 1, sizeof(head) - 1) == 0)
            continue;
        if (memcmp(head, "ElfChnk", 8) != 0)
            return false;
        feed->chunks[feed->count++] = (struct chunk_place){le64(head + 24), le64(head + 32), at};
    }
    return feed->chunks != NULL;
}

/* Chunks in front of the one with the record that was taken last hold nothing new. */
static void leave_out_old(struct event_log_feed *feed, uint64_t taken)
{
    uint64_t newest = feed->count ? feed->chunks[feed->count - 1].last_id : 0;
    feed->whole = newest < taken;
    while (!feed->whole && feed->next + 1 < feed->count && feed->chunks[feed->next + 1].first_id <= taken)
        feed->next++;
}

static int read_feed(void *context, char *to, size_t len, size_t *got, struct err *err)
{
    struct event_log_feed *feed = context;
    uint64_t at = feed->at, left = LOG_HEADER - at;
    *got = 0;
    if (feed->in_order && at >= LOG_HEADER) {
        uint64_t inside = (at - LOG_HEADER) % LOG_CHUNK;
        size_t number = feed->next + (size_t)((at - LOG_HEADER) / LOG_CHUNK);
        if (number >= feed->count)
            return 0;
        left = LOG_CHUNK - inside;
        at = feed->chunks[number].at + inside;
    }
    if (feed->in_order && len > left)
        len = (size_t)left;
    ssize_t read = pread(feed->fd, to, len, (off_t)at);
    if (read < 0)
        return err_set_errno(err, errno, "cannot read the event log");
    *got = (size_t)read;
    feed->at += (uint64_t)read;
    return 0;
}

static int begin_walk(struct watched_file *file, bool all, struct err *err)
{
    struct stat info;
    watched_evtx_end(file);
    struct event_log_feed *feed = file->feed = mem_calloc(1, sizeof(*feed));
    if (!feed)
        return err_nomem(err);
    feed->fd = file->fd;
    if (fstat(file->fd, &info) < 0)
        return err_set_errno(err, errno, "cannot look at %s", file->path);
    feed->in_order = find_chunks(feed, (uint64_t)info.st_size);
    if (feed->in_order) {
        qsort(feed->chunks, feed->count, sizeof(*feed->chunks), by_id);
        if (!all)
            leave_out_old(feed, file->place.record_id);
    }
    feed->whole |= all || !file->place.record_id;
    return evtx_open(read_feed, feed, &file->evtx, err);
}

void watched_evtx_end(struct watched_file *file)
{
    evtx_close(file->evtx);
    if (file->feed)
        mem_free(file->feed->chunks);
    mem_free(file->feed);
    file->evtx = NULL;
    file->feed = NULL;
}

enum verdict { RECORD_NEW, RECORD_OLD, LOG_BEGAN_ANEW };

static enum verdict judge(const struct watched_file *file, const struct evtx_record *record)
{
    const struct file_place *place = &file->place;
    if (file->feed->whole || record->id > place->record_id)
        return RECORD_NEW;
    bool same = record->id != place->record_id || record->time_ns == place->record_time_ns;
    return same ? RECORD_OLD : LOG_BEGAN_ANEW;
}

static void take_record(struct watched_file *file, const struct evtx_record *record, struct buffer *records,
                        struct delivery *out, uint64_t *missing)
{
    struct file_place *place = &file->place;
    uint64_t before = file->feed->whole ? file->feed->last_id : place->record_id;
    if (before && record->id > before + 1)
        *missing += record->id - before - 1;
    delivery_put_record(records, record->xml, SLICE(""));
    out->event_count++;
    place->record_id = file->feed->last_id = record->id;
    place->record_time_ns = record->time_ns;
}

int watched_evtx_next(struct watched_file *file, size_t bytes, struct buffer *records, struct delivery *out,
                      uint64_t *missing, struct err *err)
{
    struct evtx_record record;
    int more = 1;
    *missing = 0;
    if (!file->evtx && begin_walk(file, false, err) < 0)
        return -1;
    buffer_clear(records);
    while (records->len < bytes && (more = evtx_next(file->evtx, &record, err)) > 0) {
        enum verdict verdict = judge(file, &record);
        if (verdict == RECORD_NEW)
            take_record(file, &record, records, out, missing);
        else if (verdict == LOG_BEGAN_ANEW && begin_walk(file, true, err) < 0)
            return -1;
    }
    if (more < 0)
        return err_within(err, "%s", file->path);
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(records);
    file->at_end = more == 0;
    return out->event_count > 0;
}
