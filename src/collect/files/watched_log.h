#pragma once
/*
 * collect/watched_log: what is written under one path, over all its files: the present one and those that rotation
 * moved, copied or packed away. Each event is given once, in the order of a file's bytes.
 *
 *   scan ─► watched_log_look() ─► files: [app.log.2.gz][app.log.1][app.log]
 *                                                │
 *   round ─► watched_log_step() ─► read ─► cut ─► sink_take(events + cursor of all files) ─► done ─► answer
 *
 * One delivery of a log is under way at a time: when it could not be made durable the file goes back to where it
 * was, so nothing is left out and nothing doubled.
 * Threads    One: the collector's; only done() comes from elsewhere.
 */
#include "collect/collector.h"
#include "collect/sink.h"
#include "collect/files/folder_list.h"
#include "collect/files/watched_file.h"

enum { PACKED_OPEN_MAX = 4 }; /* at a time: each may hold some MiB */

struct log_watch;
struct watched_log;

/* What all logs of a collector share. */
struct log_watch {
    const struct collector_host *host;
    const struct collector_settings *settings;
    struct delivery delivery;    /* whose the events are */
    const char *encoding;        /* or NULL */
    const struct line_join *join; /* or NULL: as decoders know it */
    bool from_end;               /* files that are there at the very first start are not read */
    int64_t unfinished_ns;       /* a line without an end is taken after so long; 0: never */
    struct slice (*start)(struct log_watch *watch, struct slice path); /* a cursor for a log that has none; may be NULL */
    struct arena *arena;         /* scratch */
    struct buffer text, records, cursor;
    struct open_counts open;
    int64_t now_ns;              /* monotonic, of this round */
    bool flushing;               /* the sink has no room: try later */
    struct slice olddir;         /* where rotation moves files to, from the log's folder on; or empty */
    bool leaves_rotated;         /* files that were rotated before this look are not read */
    void (*wake)(struct log_watch *watch); /* from any thread: an answer is there */
    void (*problem)(struct log_watch *watch, const char *text);
    /* the file that has this inode, in whichever log; NULL: none */
    struct watched_file *(*by_inode)(struct log_watch *watch, uint64_t device, uint64_t inode);
    /* whether the patterns mean a rotated file, so that it is read though it is older than what is followed; may be NULL */
    bool (*wanted)(struct log_watch *watch, struct slice path);
    uint64_t gaps;               /* records that are missing by their numbers */
};

struct watched_log {
    char *path;
    struct watched_file **files; /* oldest first */
    size_t count, size;
    bool fresh;        /* nothing was ever taken from it */
    bool gone;         /* no file under the path */
    bool dirty;        /* worth a step */
    bool again;        /* names moved while they were looked at: soon again */
    bool waits;        /* there are files of which it is not known yet what they are */
    bool full;         /* there are files for which the list has no room */
    int64_t since_ns;  /* of the file system's clock: what was last written before that is known, or of no concern (file_cursor.h) */
    int64_t retry_ns;  /* monotonic: not before */
    /* the delivery under way */
    bool waiting;
    int answer;        /* atomic: 0 none yet, 1 stored, 2 not */
    char why[ERR_TEXT_SIZE]; /* it was not stored */
    struct log_watch *watch;
    struct watched_file *undo_file;
    struct file_place undo;
    struct buffer undo_text;
};

/* Comes with the files of its cursor, if it has one. */
MUST_USE int watched_log_open(struct log_watch *watch, const char *path, struct watched_log **out, struct err *err);
void watched_log_free(struct watched_log *log); /* nothing may be under way */

/* What lies in its folder now: the present file and those that rotation left are told apart, found again, taken in. Nothing
 * may be under way. */
MUST_USE int watched_log_look(struct watched_log *log, struct folder_lists *lists, struct err *err);
/* The next delivery. True: it is under way. */
bool watched_log_step(struct watched_log *log);
/* After wake(): true when the delivery was answered. */
bool watched_log_answered(struct watched_log *log);
/* Every second or so: which files are finished, which are lost, which are to be closed. */
void watched_log_tick(struct watched_log *log);
/* A look may find what is missing, or tell what something is. */
bool watched_log_is_searching(const struct watched_log *log);
/* Nothing to do any more, and no file. */
bool watched_log_is_over(const struct watched_log *log);
/* As it is now, for delivery.cursor; lives until the next call for any log. */
struct slice watched_log_cursor(struct watched_log *log);
/* Goes to the end of the present file without giving anything. */
void watched_log_skip(struct watched_log *log);

/* ---- inside (watched_find.c) ---- */
MUST_USE int watched_log_add(struct watched_log *log, const struct stat *info, const char *path, size_t at,
                             struct watched_file **out, struct err *err);
void watched_log_remove(struct watched_log *log, size_t at);
/* The bytes of the file's place are gone from it: they are looked for as a copy, and what is there is a new file. */
void watched_log_emptied(struct watched_log *log, struct watched_file *file);
