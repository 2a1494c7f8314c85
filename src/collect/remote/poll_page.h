#pragma once
/*
 * collect/poll_page: the answer of an HTTP API cut into its records, and what leads to the next page.
 *
 *   {"value":[{"id":"a"},{"id":"b"}],"@odata.nextLink":"https://..."}     records: value, id: id, next: @odata.nextLink
 *   [{...},{...}]     {...}                                               records: none given
 *   one a line                                                            POLL_LINES
 *   <ListBucketResult><Contents><Key>a</Key>...                           POLL_S3: records are the keys
 *
 * A path is names with dots between; a name with dots in it is tried first.
 *
 * Ownership  Slices borrow from the body or live in the arena.
 * Errors     ERR_INPUT: it is not what it should be; nothing was taken from it.
 * Source     RFC 8288 (Link); AWS S3 API Reference, ListObjectsV2.
 */
#include "base/arena.h"
#include "base/err.h"

enum poll_format { POLL_JSON, POLL_LINES, POLL_S3 };

struct poll_form {
    enum poll_format format;
    const char *records; /* path of the list, or NULL */
    bool may_lack;       /* no list at that path is an empty one */
    const struct slice *ids; /* paths within a record: the parts of its id, each with a zero behind it */
    size_t id_count;
    const char *entry;   /* likewise: what is to be fetched, or NULL */
    const char *next;    /* path to the next URL or cursor, or NULL */
};

struct poll_item {
    struct slice raw;   /* as it stands in the answer */
    struct slice id;    /* SLICE_NONE: it has none */
    struct slice entry; /* likewise */
};

struct poll_page {
    struct poll_item *items;
    size_t count;
    struct slice next; /* SLICE_NONE: none */
};

MUST_USE int poll_page_read(const struct poll_form *form, struct slice body, struct arena *arena, struct poll_page *out,
                            struct err *err);

/* The target of rel="next" among the Link headers of these header lines; SLICE_NONE: none. */
struct slice poll_link_next(struct slice headers);
