#include "app/gate_records.h"

#include "app/cli.h"
#include "base/json.h"
#include "base/limits.h"
#include "gate/gate_journal_reader.h"
#include "gate/gate_rerun.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE_MAX_BYTES (4 * MIB)

struct records {
    const char *id; /* NULL: all */
    struct gate_rerun *rerun;
    struct buffer line;
    struct json json;
    uint64_t commits, decisions, differ, cannot;
};

static void put_given(void *context, struct slice name, const struct value_list *values)
{
    struct records *records = context;
    char small[VALUE_TEXT_SIZE];
    if (!records->id)
        return;
    json_open(&records->json, '{');
    json_put_text(&records->json, "name", name);
    json_key(&records->json, "values");
    json_open(&records->json, '[');
    for (uint32_t i = 0; i < values->count; i++)
        json_text(&records->json, value_text_small(values->values[i], small));
    json_close(&records->json, ']');
    json_close(&records->json, '}');
}

static void begin_line(struct records *records, const struct gate_journal_frame *frame, const struct book_decision *decision)
{
    const struct gate_answer *answer = &decision->answer;
    struct json *json = &records->json;
    buffer_clear(&records->line);
    json_init(json, &records->line);
    json_open(json, '{');
    json_put_text(json, "id", slice_text(answer->id));
    json_put_i64(json, "commit", (int64_t)frame->number);
    json_put_text(json, "request_id", decision->request.request_id);
    json_put_time(json, "decided", answer->decided_ns);
    json_put_text(json, "decision", slice_text(gate_decision_name(answer->decision)));
    json_put_bool(json, "shadow", answer->shadow);
    json_put_text(json, "row", answer->row);
    json_put_text(json, "policy_version", answer->policy_version);
    json_put_texts(json, "reasons_en", answer->reasons_en, answer->reason_count);
    json_put_texts(json, "reasons_ja", answer->reasons_ja, answer->reason_count);
    json_key(json, "given");
    json_open(json, '[');
}

/* What cannot be made again, what comes out otherwise, and what was asked for. */
static void make_again(struct records *records, const struct gate_journal_frame *frame, const struct book_decision *decision)
{
    struct err err;
    const char *why;
    begin_line(records, frame, decision);
    int result = gate_rerun_decision(records->rerun, decision, put_given, records, &why, &err);
    json_close(&records->json, ']');
    json_put_text(&records->json, "again", result < 0 ? SLICE("cannot be made again") : result ? SLICE("differs") : SLICE("the same"));
    if (result)
        json_put_text(&records->json, "why", slice_text(result < 0 ? err.text : why));
    json_close(&records->json, '}');
    buffer_put_char(&records->line, '\n');
    records->decisions++;
    records->differ += result > 0;
    records->cannot += result < 0;
    if (result || records->id)
        cli_write(buffer_slice(&records->line));
}

static int walk_frame(struct records *records, const struct gate_journal_frame *frame, struct err *err)
{
    struct slice payload = frame->payload, record;
    int more;
    records->commits++;
    while (!frame->carried && (more = gate_journal_record_next(&payload, &record)) != 0) {
        struct book_decision decision;
        int found = more < 0 ? err_set(err, ERR_CORRUPT, "commit %" PRIu64 " holds half a record", frame->number)
                             : book_read_decision(record, &decision, err);
        if (found < 0)
            return -1;
        if (found && (!records->id || slice_is(slice_text(decision.answer.id), records->id) ||
                      slice_is(decision.request.request_id, records->id)))
            make_again(records, frame, &decision);
    }
    return 0;
}

static int walk(struct records *records, const char *folder, struct err *err)
{
    struct gate_journal_reader *reader;
    struct gate_journal_frame frame;
    int found;
    if (gate_journal_reader_open(folder, 0, &reader, err) < 0)
        return -1;
    while ((found = gate_journal_reader_next(reader, &frame, err)) > 0 && walk_frame(records, &frame, err) == 0)
        ;
    gate_journal_reader_close(reader);
    return found == 0 ? 0 : -1;
}

int gate_records_rerun(const char *folder, const char *id)
{
    struct records records = {.id = id};
    struct err err;
    char text[256];
    buffer_init(&records.line, LINE_MAX_BYTES);
    int result = gate_rerun_new(folder, &records.rerun, &err);
    if (result == 0)
        result = walk(&records, folder, &err);
    if (result == 0 && id && !records.decisions)
        result = err_set(&err, ERR_NOT_FOUND, "the gate's journal has no decision %s", id);
    if (result == 0 && !id) {
        int len = snprintf(text, sizeof(text), "%" PRIu64 " commits, %" PRIu64 " decisions made again: %" PRIu64 " differ, %" PRIu64
                           " cannot be made again\n", records.commits, records.decisions, records.differ, records.cannot);
        cli_write(slice_of(text, (size_t)len));
    }
    cli_flush();
    gate_rerun_free(records.rerun);
    buffer_close(&records.line);
    return result < 0 ? cli_fail(&err) : records.differ || records.cannot ? EXIT_FAILED : EXIT_DONE;
}
