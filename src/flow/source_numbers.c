/* Messages that their sender numbers: which are missing, as an event, and as a finding where a log tells what was done. */
#include "base/hash.h"
#include "base/mem.h"
#include "flow/source_entry.h"

#include <string.h>

/* RFC 5424, 7.3.1: begins with 1 when the sender starts, and again with 1 after 2147483647. Record numbers of Windows
 * begin with 1 in a new log, and have no end. */
static const struct sequence_kind kinds[] = {[NUMBERS_SYSLOG] = {1, 2147483647}, [NUMBERS_WINLOG] = {1, 0}};

struct number_columns number_columns_of(const struct batch *batch)
{
    return (struct number_columns){batch_find(batch, SLICE("log.syslog.structured_data.meta.sequenceId")),
                                   batch_find(batch, SLICE("winlog.record_id")), batch_find(batch, SLICE("winlog.channel"))};
}

static bool number_of(const struct column *column, uint32_t row, uint64_t *out)
{
    char small[VALUE_TEXT_SIZE];
    struct value v = column ? column_first(column, row) : value_null();
    if (v.type != VALUE_STRING && v.type != VALUE_I64)
        return false;
    int64_t number;
    if (!slice_to_i64(value_text_small(v, small), &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

/* ---- telling ---- */

static struct rule gap_rule(const struct source_sequence *numbers)
{
    return (struct rule){
        .id = SLICE("hinomi-records-missing"),
        .name = SLICE("hinomi-records-missing"),
        .version = SLICE("1"),
        .title = SLICE("Records of an event log are missing"),
        .severity = slice_is(numbers->name, "Security") ? SEVERITY_HIGH : SEVERITY_MEDIUM,
        .status = RULE_ACTIVE,
        .why_en = SLICE("The machine numbered these records and they never came. Who removes traces leaves such a hole; so does a log that is too small, or a shipper that lost its place."),
        .why_ja = SLICE("機器が番号を付けた記録が届いていません。痕跡の消去でもこうなりますが、ログの容量不足や転送側の読み飛ばしでも起きます。"),
        .check_en = SLICE("Are the records still in the log of the machine? Was it cleared (event 1102 or 104), or full? Who was logged in then?"),
        .check_ja = SLICE("記録は機器のログに残っていますか。ログは消去(イベント 1102・104)または上限に達していませんか。そのとき誰がログインしていましたか。"),
        .do_en = SLICE("Fetch the log from the machine before it is overwritten. If the shipper leaves events out by a filter, the numbers say nothing: then close this."),
        .do_ja = SLICE("上書きされる前に、機器からログを取得してください。転送側がフィルターで除外している場合、番号からは何も言えないため閉じてください。"),
    };
}

static int raise(struct sources *sources, const struct source_entry *entry, const struct source_sequence *numbers,
                 const struct gap *gap, struct err *err)
{
    struct arena *arena = sources->scratch;
    struct rule rule = gap_rule(numbers);
    struct slice en = source_entry_name(entry, false, arena), ja = source_entry_name(entry, true, arena);
    struct finding finding = {.severity = rule.severity, .event_ns = gap->time_ns, .raised_ns = gap->time_ns};
    unsigned long long missing = gap->missing, from = gap->from, to = gap->to;
    finding.group_key = arena_printf(arena, "%.*s %.*s %llu %llu %lld", SLICE_ARG(entry->key), SLICE_ARG(numbers->name), from, to,
                                     (long long)gap->time_ns);
    finding.explanation_en = gap->missing
        ? arena_printf(arena, "%llu records of %.*s never came from %.*s: %llu to %llu", missing, SLICE_ARG(numbers->name),
                       SLICE_ARG(en), from, to)
        : arena_printf(arena, "The records of %.*s of %.*s are numbered from the beginning again: it is another log than before",
                       SLICE_ARG(numbers->name), SLICE_ARG(en));
    finding.explanation_ja = gap->missing
        ? arena_printf(arena, "%.*s から %.*s の記録 %llu 件(%llu〜%llu)が届いていません", SLICE_ARG(ja), SLICE_ARG(numbers->name),
                       missing, from, to)
        : arena_printf(arena, "%.*s の %.*s の番号が初めから振り直されました。以前とは別のログです", SLICE_ARG(ja),
                       SLICE_ARG(numbers->name));
    if (!source_entry_entities(entry, &finding, arena))
        return err_nomem(err);
    return source_entry_give(sources, &rule, &finding, err);
}

static void book(struct source_entry *entry, const struct gap *gap)
{
    for (; entry; entry = entry->group) {
        entry->counts.gaps += gap->missing;
        entry->counts.gap_count += gap->missing > 0;
        entry->counts.restarts += gap->missing == 0;
        entry->last_gap_ns = gap->time_ns;
        entry->gap_from = gap->from;
        entry->gap_to = gap->to;
    }
}

/* in_order: messages before it that were numbered one after another. A shipper that filters never has many. */
static int tell(struct sources *sources, struct source_entry *entry, const struct source_sequence *numbers, struct gap *gap,
                uint64_t in_order, struct err *err)
{
    struct slice name = numbers->kind == NUMBERS_WINLOG
                            ? arena_printf(sources->scratch, "winlog %.*s", SLICE_ARG(numbers->name))
                            : numbers->name;
    gap->source = entry->source;
    gap->sender = entry->sender;
    gap->host = entry->host.len ? entry->host : entry->only_host;
    gap->numbers = name;
    book(entry, gap);
    if (!name.ptr)
        return err_nomem(err);
    if (sources->gap_found && sources->gap_found(sources->context, gap, entry->stream, err) < 0)
        return -1;
    return numbers->kind == NUMBERS_WINLOG && in_order >= SOURCE_GAP_TRUST ? raise(sources, entry, numbers, gap, err) : 0;
}

static int settle(struct sources *sources, struct source_entry *entry, struct source_sequence *numbers, int64_t now_ns,
                  struct err *err)
{
    struct sequence_hole hole;
    while (sequence_settle(&numbers->sequence, now_ns, &hole)) {
        struct gap gap = {.missing = sequence_missing(&hole), .from = hole.from, .to = hole.to, .time_ns = hole.seen_ns};
        if (tell(sources, entry, numbers, &gap, hole.before, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what comes ---- */

static struct source_sequence *sequence_get(struct source_entry *entry, enum number_kind kind, struct slice name)
{
    for (uint32_t i = 0; i < entry->sequence_count; i++)
        if (entry->sequences[i].kind == kind && slice_equal(entry->sequences[i].name, name))
            return &entry->sequences[i];
    return source_numbers_add(entry, kind, name);
}

struct source_sequence *source_numbers_add(struct source_entry *entry, enum number_kind kind, struct slice name)
{
    char *copy = entry->sequence_count < SOURCE_SEQUENCES_MAX && name.len <= SOURCE_VALUE_BYTES ? mem_strdup(name.ptr, name.len)
                                                                                               : NULL;
    struct source_sequence *more =
        copy ? mem_realloc(entry->sequences, (entry->sequence_count + 1) * sizeof(*more)) : NULL;
    if (!more) {
        mem_free(copy);
        return NULL;
    }
    entry->sequences = more;
    more[entry->sequence_count] = (struct source_sequence){.kind = kind, .name = {copy, name.len}};
    return &more[entry->sequence_count++];
}

static int take_number(struct sources *sources, struct source_entry *entry, enum number_kind kind, struct slice name,
                       uint64_t number, int64_t now_ns, struct err *err)
{
    struct source_sequence *numbers = sequence_get(entry, kind, name);
    uint64_t in_order;
    if (!numbers)
        return 0; /* beyond what is watched */
    bool again = sequence_take(&numbers->sequence, &kinds[kind], number, now_ns, &in_order);
    if (settle(sources, entry, numbers, now_ns, err) < 0)
        return -1;
    struct gap gap = {.from = number, .to = number, .time_ns = now_ns};
    return again ? tell(sources, entry, numbers, &gap, in_order, err) : 0;
}

int source_numbers_take(struct sources *sources, struct source_entry *entry, const struct batch *batch,
                        const struct number_columns *columns, uint32_t begin, uint32_t end, struct err *err)
{
    if (entry->kind < SOURCE_SENDER || entry->path.len || (!columns->sequence_id && !columns->record_id))
        return 0;
    for (uint32_t row = begin; row < end; row++) {
        int64_t now_ns = batch->rows[row].received_ns;
        uint64_t number;
        struct value channel = columns->channel ? column_first(columns->channel, row) : value_null();
        if (number_of(columns->sequence_id, row, &number) &&
            take_number(sources, entry, NUMBERS_SYSLOG, SLICE("syslog sequenceId"), number, now_ns, err) < 0)
            return -1;
        if (channel.type == VALUE_STRING && number_of(columns->record_id, row, &number) &&
            take_number(sources, entry, NUMBERS_WINLOG, value_slice(channel), number, now_ns, err) < 0)
            return -1;
    }
    return 0;
}

int source_numbers_look(struct sources *sources, int64_t now_ns, struct err *err)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct source_entry *entry = sources->list[i];
        for (uint32_t k = 0; k < entry->sequence_count; k++)
            if (settle(sources, entry, &entry->sequences[k], now_ns, err) < 0)
                return -1;
    }
    return 0;
}

int sources_gap(struct sources *sources, const struct gap *gap, int64_t received_ns, uint64_t seq, struct err *err)
{
    const struct source_entry like = {.kind = SOURCE_INPUT, .source = slice_sub(gap->source, 0, SOURCE_NAMES_BYTES)};
    struct gap seen = *gap;
    seen.time_ns = received_ns;
    if (gap->sender.len || gap->host.len) /* its sender's books have it */
        return 0;
    pthread_mutex_lock(&sources->lock);
    struct source_entry *entry = seq > sources->seen_seq ? source_entry_get(sources, &like, received_ns) : NULL;
    bool failed = seq > sources->seen_seq && !entry;
    if (entry)
        book(entry, &seen);
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return failed ? err_nomem(err) : 0;
}
