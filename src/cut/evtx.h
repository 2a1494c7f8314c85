#pragma once
/*
 * cut/evtx: Windows event log files (.evtx), record by record as event XML.
 *
 *   file header 4096 | chunk 65536 | chunk | ...
 *   chunk: header 512 | record | record | ... | free space
 *   record: "**\0\0", size, id, FILETIME, BinXML (cut/binxml.h), size again
 *
 * Made for damaged files as well. Chunks are found by their mark, wherever it stands and whatever the
 * file header says (or without one); a place whose mark is gone is read as a chunk if there are records in
 * it; behind a broken record the next one is searched for. A chunk whose checksum is right is taken at its
 * word. In one whose checksum is wrong a record counts only when everything in it agrees: both sizes, the
 * template's id, the hashes of names, the length of its values; and what an earlier use of the chunk left
 * behind its records is not taken for them. Records behind the free space mark of a log that was copied
 * while it was open are read as long as their ids go on.
 *
 * Ownership  A record's slices live until the next evtx_next().
 * Threads    One at a time.
 * Limits     EVTX_RECORD_XML_BYTES_MAX of XML a record; EVTX_CHUNK_*: work for one chunk.
 * Errors     Only memory and a source that cannot be read end the walk; damage is in the report.
 *
 * Sources  [MS-EVEN6] section 2.2.12; Schuster, "Introducing the Microsoft Vista event log
 *          file format" (2007); Metz, "Windows XML Event Log (EVTX) format".
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

struct evtx;

struct evtx_record {
    uint64_t id;
    int64_t time_ns;  /* when it was written */
    struct slice xml; /* UTF-8 */
};

struct evtx_report {
    uint64_t records;
    uint64_t records_broken; /* found, but not readable */
    uint64_t records_old;    /* left over from an earlier use of a damaged chunk, not given */
    uint32_t chunks;
    uint32_t chunks_broken;  /* wrong checksum or header; their records were tried all the same */
    uint32_t chunks_missing; /* places without a chunk although the file header counts them */
    uint32_t problems;
    bool dirty;              /* was open when it was copied */
    bool cut;                /* the file ends within a chunk */
    char problem[1000];      /* the first ones, as sentences with "; " between; "" when there was none */
};

/* Up to len of the next bytes; *got is 0 at the end. */
typedef int (*evtx_read)(void *context, char *to, size_t len, size_t *got, struct err *err);

/* The source is read as it is needed, in order, once. */
MUST_USE int evtx_open(evtx_read read, void *context, struct evtx **out, struct err *err);
/* bytes must outlive it. */
MUST_USE int evtx_open_bytes(struct slice bytes, struct evtx **out, struct err *err);
void evtx_close(struct evtx *evtx); /* NULL is fine */

/* 1 and a record, 0 at the end, -1 with err. */
MUST_USE int evtx_next(struct evtx *evtx, struct evtx_record *out, struct err *err);

const struct evtx_report *evtx_report(const struct evtx *evtx);
/* What was damaged and how much of it was left out, as one line; "" for a file that is whole. */
void evtx_describe(const struct evtx_report *report, struct buffer *to);

/* Whether bytes begin an event log, or part of one: its header, or a chunk's in them. */
bool evtx_detect(struct slice head);
