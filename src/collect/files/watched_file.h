#pragma once
/*
 * collect/watched_file: one file that is followed: a place in its bytes, and the cutting of what comes behind it.
 *
 *   ...| tail mark |  text that is there  |        a read begins in front of the mark: when its bytes are not those
 *      ^           ^ offset                        that were taken, the file was emptied or is another one
 *
 * Ownership  A text lives until the next read of any file (plain), or of this one (packed).
 * Threads    One: the collector's.
 */
#include "collect/files/byte_source.h"
#include "collect/files/file_cursor.h"
#include "collect/wire/text_cut.h"
#include "cut/evtx.h"

#include <sys/stat.h>

enum file_kind { KIND_UNKNOWN, KIND_TEXT, KIND_PACKED, KIND_EVENT_LOG };

struct packed_file;

/* Of all files of a collector. */
struct open_counts {
    size_t files, packed;
};

struct watched_file {
    struct file_place place; /* text_state is not used */
    struct text_cut cut;
    struct line_join join;
    uint64_t judged;         /* bytes of the file by which the join was chosen */
    char *path;              /* where it was last; NULL: not known */
    enum file_kind kind;
    struct open_counts *counts; /* or NULL */
    int fd;                  /* -1: not open */
    struct packed_file *packed;
    struct evtx *evtx;       /* while it is walked */
    struct event_log_feed *feed;
    bool current;            /* lies under the log's path */
    bool missing;            /* nowhere to be found, for now */
    unsigned searched;       /* so often since then */
    bool doubtful;           /* when it was last seen it was not read to its end, or lay under the log's path */
    bool other;              /* what was last opened in its place has another inode, or nothing is there */
    bool nameless;           /* no file of the folder was it when that was last looked at */
    uint64_t twin_inode;     /* of what it was packed to, while it is open and nameless */
    int64_t twin_modified_ns;
    bool deleted;            /* has no name any more */
    bool left;               /* there may be something that was not taken */
    bool at_end;             /* the last read came to the end of what is there */
    uint64_t size;           /* as last seen */
    int64_t modified_ns;     /* as last seen, of the file system's clock; 0: not seen yet */
    int64_t grown_ns;        /* monotonic, when that last changed */
    int64_t missing_ns;      /* monotonic, since when it is missing */
    int64_t used_ns;         /* monotonic, of the last read */
};

MUST_USE struct watched_file *watched_file_new(const char *encoding);
void watched_file_free(struct watched_file *file); /* NULL is fine */
MUST_USE int watched_file_set_path(struct watched_file *file, const char *path, struct err *err);

/* At `path`: 1 when it is there and its bytes are those of the place; 0 when they are not, or it is not there (then it
 * is closed); -1. A place without an inode takes the file's. */
MUST_USE int watched_file_open(struct watched_file *file, const char *path, struct err *err);
void watched_file_close(struct watched_file *file);
/* Packed, and what was there of it ends in the middle: it is being written still, or damaged. */
bool watched_file_ends_early(const struct watched_file *file);
static inline bool watched_file_is_open(const struct watched_file *file)
{
    return file->fd >= 0 || file->packed;
}

/* Open, a text, and its bytes are not those of the place any more: it was emptied. */
bool watched_file_is_emptied(const struct watched_file *file);

/* Text behind the place, about `want` bytes if they are there; buffer is shared by all files. 1; 0 when the bytes in
 * front of it are not what they were; -1. */
MUST_USE int watched_file_read(struct watched_file *file, size_t want, struct buffer *buffer, struct slice *text,
                               struct err *err);
/* So many bytes of that text are done with. */
void watched_file_take(struct watched_file *file, struct slice text, size_t used);

/* Whether the place's bytes, of which some were taken, are those at path, which is opened for that. */
bool place_fits_path(const struct file_place *place, const char *path);
/* As that, and enough of them to be sure: files may begin alike, with the names of columns. */
bool place_is_of_copy(const struct file_place *place, const char *path);
/* Moves the place to the end of the plain file at path, all of whose bytes were taken. False: it cannot be read. */
bool place_to_end(struct file_place *place, const char *path);
/* Whether the file at path is a copy of this open one, made when it was shorter. By its first and last bytes. */
bool watched_file_begins_with(const struct watched_file *file, const char *path);

/* ---- event logs (watched_evtx.c) ---- */

/* Records behind the place's, about as many as fill a delivery. 1; 0 when there is none (any more); -1. *missing:
 * records whose numbers were skipped. */
MUST_USE int watched_evtx_next(struct watched_file *file, size_t bytes, struct buffer *records, struct delivery *out,
                               uint64_t *missing, struct err *err);
void watched_evtx_end(struct watched_file *file);
