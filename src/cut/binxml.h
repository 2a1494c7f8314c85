#pragma once
/*
 * cut/binxml: Microsoft's binary XML of event logs, rendered as XML text the
 * way Windows shows it.
 *
 * An event is nearly always a template and a list of values. A template is
 * compiled once per chunk into literal text and places for values:
 *
 *   <Event ...><System><EventID>  value 3  </EventID> ...
 *
 * What is hostile ends: the work for one chunk is bounded (EVTX_CHUNK_*), however templates name each other.
 *
 * Ownership  Compiled templates live in the reader's arena until binxml_begin_chunk().
 * Threads    One at a time.
 * Limits     BINXML_DEPTH_MAX of nesting (elements and templates in values); the
 *            target buffer's own.
 * Errors     -1 with a sentence: the bytes are damaged, or memory is out (ERR_NOMEM).
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

enum { BINXML_DEPTH_MAX = 64, BINXML_VALUES_MAX = 8192 };

struct binxml;

MUST_USE struct binxml *binxml_new(void);
void binxml_free(struct binxml *reader); /* NULL is fine */

/* Offsets inside count from the chunk's first byte; it must stay until the next call. suspect: its checksum
 * is wrong, so what a record says twice (ids, hashes, lengths) must agree. */
void binxml_begin_chunk(struct binxml *reader, struct slice chunk, bool suspect);

/* The BinXML from start up to end (offsets in the chunk). */
MUST_USE int binxml_render(struct binxml *reader, size_t start, size_t end, struct buffer *to,
                           struct err *err);

/* FILETIME (100 ns since 1601) to ns since 1970; saturates. */
int64_t filetime_to_ns(uint64_t filetime);
