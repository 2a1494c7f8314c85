#include "schedule/search_writes.h"

#include "search/table_source.h"
#include "state/audit.h"

#include <stdio.h>

static int record(const struct search_writes *writes, const char *action, struct slice object,
                  struct slice detail, int result, struct err *err)
{
    struct err why;
    struct audit_row row = {.actor = writes->person, .via = writes->via, .peer = SLICE(""),
                            .action = slice_text(action), .object = object, .detail = detail,
                            .result = result < 0 ? slice_text(err->text) : SLICE("ok")};
    if (audit_add(writes->database, writes->clock, &row, &why) == 0 || result < 0)
        return result;
    *err = why;
    return -1;
}

static int write_lookup(void *context, struct slice name, struct slice csv, struct err *err)
{
    struct search_writes *writes = context;
    char detail[128];
    int result = table_write((void *)(uintptr_t)writes->lookups, name, csv, err);
    snprintf(detail, sizeof(detail), "%zu bytes, search %.64s", csv.len, writes->what);
    return record(writes, "lookup.write", name, slice_text(detail), result, err);
}

/* The same path as events from outside; who made them is in the delivery. */
static int collect(void *context, struct slice stream, struct slice source, struct slice lines,
                   uint32_t count, struct err *err)
{
    struct search_writes *writes = context;
    char detail[128], key[IDEMPOTENCY_KEY_BYTES_MAX];
    struct journal_ack ack;
    struct delivery delivery = {.origin = {.source = SLICE("collect"), .stream = stream, .path = source,
                                           .dataset = SLICE("json"), .identity = writes->person},
                                .received_ns = clock_wall_ns(writes->clock),
                                .framing = FRAMING_LINES,
                                .event_count = count,
                                .body = lines};
    if (writes->key.len) {
        snprintf(key, sizeof(key), "%.*s/%llu", SLICE_ARG(writes->key),
                 (unsigned long long)writes->collected++);
        delivery.key = slice_text(key);
    }
    int result = journal_append_wait(writes->journal, &delivery, &ack, err);
    snprintf(detail, sizeof(detail), "%u events, search %.64s", count, writes->what);
    return record(writes, "collect", stream, slice_text(detail), result, err);
}

void search_writes_init(struct search_writes *to, const struct search_writes *from)
{
    *to = *from;
    to->writer = (struct search_writer){.table = write_lookup, .collect = collect, .context = to};
}
