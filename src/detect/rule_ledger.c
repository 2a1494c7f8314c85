#include "detect/rule_ledger.h"

#include "base/mem.h"
#include "base/time.h"

enum { VERSION_FIRST = 1, VERSION = 2 };

struct account {
    struct rule_tally before; /* of what the matcher does not count: earlier runs, and findings */
    uint64_t offered;         /* when last looked at */
    struct matcher_counts paused;
};

struct rule_ledger {
    const struct rule_set *rules;
    const struct matcher *matcher;
    struct coverage *coverage;
    struct account *accounts; /* by rule */
    uint64_t last_seq;
    int64_t newest_ns;
    int64_t resumed_ns; /* of the first event after a start; while the program was down no source was silent */
    bool paused;
    bool begun; /* rules without a beginning have been looked for */
};

int rule_ledger_new(const struct rule_set *rules, const struct matcher *matcher,
                    struct rule_ledger **out, struct err *err)
{
    *out = NULL;
    struct rule_ledger *ledger = mem_calloc(1, sizeof(*ledger));
    if (!ledger)
        return err_nomem(err);
    ledger->rules = rules;
    ledger->matcher = matcher;
    ledger->newest_ns = ledger->resumed_ns = RULE_TIME_NEVER;
    ledger->accounts = mem_calloc(rules->count + 1, sizeof(*ledger->accounts));
    int result = ledger->accounts ? coverage_new(rules, matcher, &ledger->coverage, err) : err_nomem(err);
    if (result < 0) {
        rule_ledger_free(ledger);
        return -1;
    }
    for (size_t i = 0; i < rules->count; i++)
        ledger->accounts[i].before.last_offered_ns = ledger->accounts[i].before.last_matched_ns = RULE_TIME_NEVER;
    *out = ledger;
    return 0;
}

void rule_ledger_free(struct rule_ledger *ledger)
{
    if (!ledger)
        return;
    coverage_free(ledger->coverage);
    mem_free(ledger->accounts);
    mem_free(ledger);
}

/* ---- counting ---- */

static void begin_accounts(struct rule_ledger *ledger, const struct batch *batch)
{
    for (size_t i = 0; i < ledger->rules->count; i++) {
        struct rule_tally *tally = &ledger->accounts[i].before;
        if (ledger->rules->rules[i]->status != RULE_ACTIVE || tally->since_seq)
            continue;
        tally->since_seq = batch->rows[0].seq;
        tally->since_ns = batch->rows[0].received_ns;
    }
    ledger->begun = true;
}

static void note_time(int64_t *newest, int64_t time_ns)
{
    if (time_ns > *newest)
        *newest = time_ns;
}

int rule_ledger_batch(struct rule_ledger *ledger, struct arena *scratch, const struct batch *batch,
                      const struct match_hits *hits, struct err *err)
{
    if (!batch->rows || batch->row_count == 0 || ledger->paused)
        return 0;
    if (!ledger->begun) {
        begin_accounts(ledger, batch);
        ledger->resumed_ns = batch->rows[0].time_ns;
    }
    ledger->last_seq = batch->rows[batch->row_count - 1].seq;
    for (uint32_t row = 0; row < batch->row_count; row++)
        note_time(&ledger->newest_ns, batch->rows[row].time_ns);
    for (size_t i = 0; i < hits->count; i++)
        note_time(&ledger->accounts[hits->list[i].rule].before.last_matched_ns,
                  batch->rows[hits->list[i].row].time_ns);
    return coverage_batch(ledger->coverage, scratch, batch, err);
}

void rule_ledger_pause(struct rule_ledger *ledger)
{
    for (size_t i = 0; i < ledger->rules->count; i++)
        ledger->accounts[i].paused = matcher_counts(ledger->matcher, (uint32_t)i);
    ledger->paused = true;
}

/* Sums are modulo 2^64: what was counted meanwhile is taken from what was before. */
void rule_ledger_resume(struct rule_ledger *ledger)
{
    for (size_t i = 0; i < ledger->rules->count; i++) {
        struct rule_tally *before = &ledger->accounts[i].before;
        const struct matcher_counts *paused = &ledger->accounts[i].paused;
        struct matcher_counts now = matcher_counts(ledger->matcher, (uint32_t)i);
        before->offered -= now.offered - paused->offered;
        before->evaluated -= now.evaluated - paused->evaluated;
        before->matched -= now.matched - paused->matched;
        before->errors -= now.errors - paused->errors;
        before->cost_ns -= now.cost_ns - paused->cost_ns;
        ledger->accounts[i].offered = now.offered;
    }
    ledger->paused = false;
}

void rule_ledger_found(struct rule_ledger *ledger, const struct rule *rule)
{
    ledger->accounts[rule->index].before.findings++;
}

void rule_ledger_remembers(struct rule_ledger *ledger, const struct rule *rule, const struct operator_stats *memory)
{
    ledger->accounts[rule->index].before.memory = *memory;
}

/* ---- asking ---- */

/* Whether there have been enough pauses to know what is usual, and how long is silence. */
enum { PAUSES_MIN = 10, PAUSES_OF_SILENCE = 3 };

static int64_t silent_after_ns(const struct rule_tally *tally)
{
    const int64_t least = RULE_SOURCE_SILENT_SECONDS * NS_PER_SECOND, most = RULE_SOURCE_SILENT_MINUTES * NS_PER_MINUTE;
    if (tally->pauses < PAUSES_MIN || tally->pause_ns > most / PAUSES_OF_SILENCE)
        return most;
    int64_t after = PAUSES_OF_SILENCE * tally->pause_ns;
    return after > least ? after : least;
}

/* A pause that was called silence raises what is called so by a half at most: one cut is no pace, and a source that has
 * become slower is known by and by. */
static void note_pause(struct rule_tally *tally, int64_t pause_ns)
{
    int64_t most = silent_after_ns(tally) / 2;
    if (pause_ns <= 0)
        return;
    pause_ns = pause_ns < most ? pause_ns : most;
    tally->pause_ns -= (int64_t)((double)tally->pause_ns * ((double)pause_ns / (double)NS_PER_DAY));
    tally->pause_ns = pause_ns > tally->pause_ns ? pause_ns : tally->pause_ns;
    tally->pauses++;
}

struct rule_tally rule_ledger_get(const struct rule_ledger *ledger, const struct rule *rule)
{
    struct account *account = &ledger->accounts[rule->index];
    struct rule_tally tally = account->before;
    struct matcher_counts now = {0};
    if (ledger->matcher)
        now = matcher_counts(ledger->matcher, rule->index);
    tally.offered += now.offered;
    tally.evaluated += now.evaluated;
    tally.matched += now.matched;
    tally.errors += now.errors;
    tally.cost_ns += now.cost_ns;
    if (now.offered > account->offered) { /* since the last time that somebody asked */
        if (account->before.last_offered_ns >= ledger->resumed_ns)
            note_pause(&account->before, ledger->newest_ns - account->before.last_offered_ns);
        note_time(&account->before.last_offered_ns, ledger->newest_ns);
    }
    account->offered = now.offered;
    tally.last_offered_ns = account->before.last_offered_ns;
    tally.pauses = account->before.pauses;
    tally.pause_ns = account->before.pause_ns;
    return tally;
}

uint64_t rule_ledger_seq(const struct rule_ledger *ledger)
{
    return ledger->last_seq;
}

static struct slice source_text(const struct rule *rule, struct arena *arena)
{
    const struct {
        const char *name;
        struct slice value;
    } parts[] = {{"product", rule->product}, {"category", rule->category}, {"service", rule->service}};
    struct slice text = SLICE("");
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        if (parts[i].value.ptr)
            text = arena_printf(arena, "%.*s%s%s %.*s", SLICE_ARG(text), text.len ? ", " : "", parts[i].name,
                                SLICE_ARG(parts[i].value));
    return text;
}

struct slice rule_ledger_blind(const struct rule_ledger *ledger, const struct rule *rule, int64_t now_ns,
                               struct arena *arena)
{
    if (rule->status != RULE_ACTIVE || rule->variant_count == 0)
        return SLICE_NONE;
    struct rule_tally tally = rule_ledger_get(ledger, rule);
    struct slice missing, source = source_text(rule, arena);
    if (tally.since_seq && tally.offered == 0)
        return arena_printf(arena, "no event of its log source (%.*s) has come since it was enabled", SLICE_ARG(source));
    int64_t heard_ns = tally.last_offered_ns > ledger->resumed_ns ? tally.last_offered_ns : ledger->resumed_ns;
    if (tally.offered && heard_ns < now_ns - silent_after_ns(&tally)) {
        char time[TIME_TEXT_SIZE];
        size_t len = time_format(tally.last_offered_ns / NS_PER_SECOND * NS_PER_SECOND, time);
        return arena_printf(arena, "its log source (%.*s) is silent since %.*s", SLICE_ARG(source), (int)len, time);
    }
    if (coverage_of(ledger->coverage, rule, arena, &missing) != COVERAGE_NO_FIELDS)
        return SLICE_NONE;
    return arena_printf(arena, "the events of its log source (%.*s) have never had %.*s", SLICE_ARG(source),
                        SLICE_ARG(missing));
}

/* ---- snapshots: version, last seq, newest time, coverage, then (rule, fingerprint, tally) ---- */

static void put_tally(struct buffer *to, const struct rule_tally *tally)
{
    const uint64_t numbers[] = {tally->since_seq, tally->offered, tally->evaluated, tally->matched,
                                tally->errors,    tally->cost_ns, tally->findings};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        buffer_put_varint(to, numbers[i]);
    buffer_put_le64(to, (uint64_t)tally->since_ns);
    buffer_put_le64(to, (uint64_t)tally->last_offered_ns);
    buffer_put_le64(to, (uint64_t)tally->last_matched_ns);
    buffer_put_varint(to, tally->pauses);
    buffer_put_le64(to, (uint64_t)tally->pause_ns);
    const struct operator_stats *memory = &tally->memory;
    const uint64_t held[] = {memory->keys, memory->bytes, memory->evicted,
                             memory->cut,  memory->late,  memory->left_out};
    for (size_t i = 0; i < ARRAY_COUNT(held); i++)
        buffer_put_varint(to, held[i]);
}

static bool take_memory(struct slice *from, struct operator_stats *memory)
{
    uint64_t *const held[] = {&memory->keys, &memory->bytes, &memory->evicted,
                              &memory->cut,  &memory->late,  &memory->left_out};
    for (size_t i = 0; i < ARRAY_COUNT(held); i++)
        if (!slice_take_varint(from, held[i]))
            return false;
    return true;
}

static bool take_tally(struct slice *from, uint64_t version, struct rule_tally *tally)
{
    uint64_t *const numbers[] = {&tally->since_seq, &tally->offered, &tally->evaluated, &tally->matched,
                                 &tally->errors,    &tally->cost_ns, &tally->findings};
    int64_t *const times[] = {&tally->since_ns, &tally->last_offered_ns, &tally->last_matched_ns};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        if (!slice_take_varint(from, numbers[i]))
            return false;
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        uint64_t time;
        if (!slice_take_le64(from, &time))
            return false;
        *times[i] = (int64_t)time;
    }
    uint64_t pause = 0;
    if (version == VERSION_FIRST)
        return true;
    bool ok = slice_take_varint(from, &tally->pauses) && slice_take_le64(from, &pause);
    tally->pause_ns = (int64_t)(pause & INT64_MAX);
    return ok && take_memory(from, &tally->memory);
}

void rule_ledger_save(const struct rule_ledger *ledger, struct buffer *to)
{
    struct buffer part;
    buffer_init(&part, to->max);
    coverage_save(ledger->coverage, &part);
    buffer_put_varint(to, VERSION);
    buffer_put_varint(to, ledger->last_seq);
    buffer_put_le64(to, (uint64_t)ledger->newest_ns);
    buffer_put_block(to, buffer_slice(&part));
    to->failed |= buffer_failed(&part);
    buffer_close(&part);
    for (size_t i = 0; i < ledger->rules->count; i++) {
        const struct rule *rule = ledger->rules->rules[i];
        struct rule_tally tally = rule_ledger_get(ledger, rule);
        if (rule->status != RULE_ACTIVE)
            continue;
        buffer_put_block(to, rule->name);
        buffer_put_le64(to, rule->fingerprint);
        put_tally(to, &tally);
    }
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "the ledger of the rules is damaged");
}

static int load_tallies(struct rule_ledger *ledger, struct slice bytes, uint64_t version, const struct map *by_name,
                        struct err *err)
{
    while (bytes.len) {
        struct slice name;
        uint64_t fingerprint;
        struct rule_tally tally = {0};
        if (!slice_take_block(&bytes, &name) || !slice_take_le64(&bytes, &fingerprint) || 
            !take_tally(&bytes, version, &tally))
            return damaged(err);
        const struct rule *rule = map_find(by_name, name);
        if (rule && rule->fingerprint == fingerprint)
            ledger->accounts[rule->index].before = tally;
    }
    return 0;
}

int rule_ledger_load(struct rule_ledger *ledger, struct slice bytes, struct err *err)
{
    uint64_t version, newest;
    struct slice coverage;
    struct map by_name;
    if (!slice_take_varint(&bytes, &version) || version < VERSION_FIRST || version > VERSION ||
         !slice_take_varint(&bytes, &ledger->last_seq) ||
        !slice_take_le64(&bytes, &newest) || !slice_take_block(&bytes, &coverage))
        return damaged(err);
    ledger->newest_ns = (int64_t)newest;
    if (coverage_load(ledger->coverage, coverage, err) < 0)
        return -1;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena)
        return err_nomem(err);
    map_init(&by_name, arena);
    int result = 0;
    for (size_t i = 0; result == 0 && i < ledger->rules->count; i++)
        if (ledger->rules->rules[i]->status == RULE_ACTIVE)
            result = map_put(&by_name, ledger->rules->rules[i]->name, ledger->rules->rules[i]);
    result = result < 0 ? err_nomem(err) : load_tallies(ledger, bytes, version, &by_name, err);
    arena_free(arena);
    return result;
}
