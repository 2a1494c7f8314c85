#pragma once
/*
 * search/table_source: files as rows, for "search --data": JSON lines, a JSON array of objects,
 * or CSV with a header. The main file answers searches; NAME in index=NAME, lookup NAME and
 * inputlookup NAME is NAME.jsonl, NAME.json or NAME.csv in the folder.
 *
 * Fields called _time, _raw, host ... become @timestamp, event.original, host.name; a _time that
 * is a number of seconds becomes a time. Rows keep the file's order.
 *
 * Ownership  Files are read once and kept until table_backend_free().
 * Threads    One at a time.
 * Limits     TABLE_BYTES_MAX a file.
 */
#include "search/source.h"

#define TABLE_BYTES_MAX ((size_t)2 * 1024 * 1024 * 1024)

struct table_backend;

/* file and dir may be NULL. */
MUST_USE int table_backend_new(const char *file, const char *dir, struct table_backend **out,
                               struct err *err);
void table_backend_free(struct table_backend *backend); /* NULL is fine */
/* Tables that rules keep, of the folder dir/memory; NULL: none. */
void table_backend_set_states(struct table_backend *backend, const struct search_states *states);
const struct search_backend *table_backend_get(const struct table_backend *backend);

/* context is a const char *, the folder: search_writer.table. */
MUST_USE int table_write(void *context, struct slice name, struct slice csv, struct err *err);

/* Rows under the schema's names, times as times, gaps left out; values are shared. -1: memory. */
MUST_USE int table_adopt(const struct batch *from, struct batch *to);
/* The bytes of a file as rows; by its first byte and name. */
MUST_USE int table_read(struct slice name, struct slice text, struct batch *batch, struct err *err);
