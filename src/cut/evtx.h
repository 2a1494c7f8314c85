#pragma once
/*
 * cut/evtx: Windows event log files (.evtx), record by record as event XML.
 *
 *   file header 4096 | chunk 65536 | chunk | ...
 *   chunk: header 512 | record | record | ... | free space
 *   record: "**\0\0", size, id, FILETIME, BinXML (cut/binxml.h), size again
 *
 * Made for damaged files as well: every 64 KiB place is looked at whatever the
 * file header says, wrong checksums are counted but the records are tried, and
 * behind a broken record the next one is searched for.
 *
 * Ownership  A record's slices live until the next evtx_next().
 * Threads    One at a time.
 * Limits     EVENT_BYTES_MAX * 4 of XML a record.
 * Errors     Only memory and a file that cannot be read end the walk; damage is in the report.
 *
 * Sources  [MS-EVEN6] section 2.2.12; Schuster, "Introducing the Microsoft Vista event log
 *          file format" (2007); Metz, "Windows XML Event Log (EVTX) format".
 */
#include "base/err.h"
#include "base/io.h"
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
    uint32_t chunks;
    uint32_t chunks_broken;  /* wrong checksum or header; their records were tried all the same */
    uint32_t chunks_missing; /* places without a chunk although the file header counts them */
    bool dirty;              /* was open when it was copied */
    bool cut;                /* the file ends within a chunk */
    char problem[160];       /* the first one, as a sentence; "" when there was none */
};

/* The path is read through io in chunks. ERR_INPUT when it does not begin like an EVTX file. */
MUST_USE int evtx_open(const struct hin_io *io, const char *path, struct evtx **out,
                       struct err *err);
/* bytes must outlive it. */
MUST_USE int evtx_open_bytes(struct slice bytes, struct evtx **out, struct err *err);
void evtx_close(struct evtx *evtx); /* NULL is fine */

/* 1 and a record, 0 at the end, -1 with err. */
MUST_USE int evtx_next(struct evtx *evtx, struct evtx_record *out, struct err *err);

const struct evtx_report *evtx_report(const struct evtx *evtx);

/* Whether a file that begins with these bytes is one. */
bool evtx_detect(struct slice head);
