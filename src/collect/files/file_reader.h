#pragma once
/*
 * collect/file_reader: a file, or standard input ("-"), as deliveries. Plain text, gzip, zstd, bzip2 and xz
 * are told apart by their first bytes; EVTX files (packed ones too) give their records' XML.
 *
 * A pipe whose writer pauses gives the lines that are there.
 *
 * A line is an event. What is longer than EVENT_BYTES_MAX comes as linked parts
 * (hint part=1), none of it is lost. UTF-16 is known by its byte order mark; its lines keep
 * their bytes and carry the hint encoding=NAME for the decoder, as do those of an encoding
 * that was named.
 * A file that is one JSON text of many events (a list of objects, CloudTrail's {"Records":[...]}, objects over
 * several lines; cut/json_records.h) gives these, as they stand in it; what `journalctl -o export` writes gives the
 * journal's entries (cut/journal_export.h).
 * Lines that belong to one record come as one event, line ends within it, where a rule says so
 * (file_reader_join). A line that names the columns of those behind it ("#Fields: ..." of W3C files, "#fields"
 * of Zeek's, the first line of a CSV file with a header) is given as an event and as the hint header=LINE of the
 * next one of the delivery, which holds for all behind it.
 * Ownership  A delivery's body lives until the next call.
 * Threads    One at a time.
 * Errors     -1 names the path. Damage that does not end the reading is in the report.
 */
#include "base/err.h"
#include "event/delivery.h"

struct file_reader;
struct line_join; /* cut/line_join.h */

struct file_reader_report {
    uint64_t bytes;       /* read from the file, as it is on disk */
    uint64_t bytes_total; /* 0 when unknown (standard input) */
    uint64_t events;
    char problem[1400];   /* of a damaged EVTX file, at its end; "" when there was none */
};

/* encoding: of text that has no byte order mark (cut/encoding.h); NULL: UTF-8, or whatever it is. */
MUST_USE int file_reader_open(const char *path, const char *encoding, struct file_reader **out,
                              struct err *err);
/* Before the first delivery: lines up to bytes_max (EXPORT_LINE_BYTES_MAX at most) come whole. */
void file_reader_allow(struct file_reader *reader, size_t bytes_max);
/* Before the first delivery: it and all others have about so many bytes, 1 MiB at most. */
void file_reader_portion(struct file_reader *reader, size_t bytes);
/* The first bytes of the text, for who wants to know what it is; empty for event logs and UTF-16. Lives until the
 * first delivery. */
struct slice file_reader_head(const struct file_reader *reader);
/* Before the first delivery: lines are joined by this rule, which outlives the reader. */
void file_reader_join(struct file_reader *reader, const struct line_join *join);
void file_reader_close(struct file_reader *reader); /* NULL is fine */

/* 1 and the next delivery (framing, event_count and body are set, origin.path too), 0 at the end. */
MUST_USE int file_reader_next(struct file_reader *reader, struct delivery *out, struct err *err);
const struct file_reader_report *file_reader_report(const struct file_reader *reader);
