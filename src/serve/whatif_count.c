#include "serve/whatif_count.h"

#include "base/limits.h"

int whatif_count_init(struct whatif_count *count, struct slice version, struct err *err)
{
    *count = (struct whatif_count){.arena = arena_new(GIB)};
    if (!count->arena)
        return err_nomem(err);
    map_init(&count->money, count->arena);
    map_init(&count->waiting, count->arena);
    map_init(&count->accounts, count->arena);
    count->version = arena_copy(count->arena, version);
    return count->version.ptr ? 0 : err_nomem(err);
}

void whatif_count_close(struct whatif_count *count)
{
    arena_free(count->arena);
}

/* ---- counting ---- */

static bool count_row(struct whatif_count *count, const struct gate_answer *answer)
{
    for (size_t i = 0; i < count->row_count; i++)
        if (count->rows[i].decision == answer->decision && slice_equal(count->rows[i].name, answer->row)) {
            count->rows[i].requests++;
            return true;
        }
    if (count->row_count == WHATIF_ROWS_MAX)
        return false;
    struct slice name = arena_copy(count->arena, answer->row);
    count->rows[count->row_count++] = (struct whatif_row){name, answer->decision, 1};
    return name.ptr != NULL;
}

/* What stands under a name, made when it is new; NULL: memory. */
static void *entry(struct whatif_count *count, struct map *map, struct slice key, size_t size)
{
    void *found = map_find(map, key);
    if (found)
        return found;
    struct slice kept = arena_copy(count->arena, key);
    void *fresh = arena_calloc(count->arena, size);
    return kept.ptr && fresh && map_put(map, kept, fresh) == 0 ? fresh : NULL;
}

static bool count_waiting(struct whatif_count *count, const struct whatif_case *one, int64_t now_ns)
{
    const struct gate_request *request = one->request;
    struct whatif_held *held = entry(count, &count->waiting, request->request_id, sizeof(*held));
    if (!held || (request->account.len && !entry(count, &count->accounts, request->account, 1)))
        return false;
    *held = (struct whatif_held){.asked_ns = now_ns, .is_theft = one->is_theft};
    if (one->has_usd)
        decimal_sum_add(&count->usd_held, one->usd);
    return true;
}

static bool count_money(struct whatif_count *count, const struct whatif_case *one, bool passes)
{
    const struct gate_request *request = one->request;
    struct whatif_money *money;
    if (!request->has_amount || !request->asset.len || !slice_is(request->action, "withdrawal"))
        return true;
    if (passes && !one->is_theft)
        return true;
    money = entry(count, &count->money, request->asset, sizeof(*money));
    if (!money)
        return false;
    if (!passes)
        decimal_sum_add(&money->held, request->amount);
    if (one->is_theft)
        decimal_sum_add(passes ? &money->lost : &money->saved, request->amount);
    return true;
}

int whatif_count_add(struct whatif_count *count, const struct whatif_case *one, int64_t now_ns, struct err *err)
{
    bool passes = one->answer->decision == GATE_ALLOW;
    count->requests++;
    count->allowed += passes;
    count->held += one->answer->decision == GATE_HOLD;
    count->denied += one->answer->decision == GATE_DENY;
    count->thefts_caught += one->is_theft && !passes;
    count->thefts_missed += one->is_theft && passes;
    count->false_holds += one->labelled && !one->is_theft && !passes;
    bool kept = count_row(count, one->answer) && count_money(count, one, passes) && (passes || count_waiting(count, one, now_ns));
    return kept ? 0 : err_nomem(err);
}

void whatif_count_approved(struct whatif_count *count, struct slice request_id, int64_t time_ns)
{
    struct whatif_held *held = map_find(&count->waiting, request_id);
    if (held && !held->approved_ns && time_ns >= held->asked_ns)
        held->approved_ns = time_ns;
}

/* Full minutes; a theft is meant to wait and is nobody's delay. */
static int64_t minutes_waited(const struct whatif_count *count, int64_t hold_minutes)
{
    int64_t minutes = 0;
    size_t at = 0;
    for (const struct map_entry *e = map_next(&count->waiting, &at); e; e = map_next(&count->waiting, &at)) {
        const struct whatif_held *held = e->value;
        if (!held->is_theft)
            minutes += held->approved_ns ? (held->approved_ns - held->asked_ns) / NS_PER_MINUTE : hold_minutes;
    }
    return minutes;
}

/* ---- saying it ---- */

static struct slice total(const struct decimal_sum *sum, char to[DECIMAL_TEXT_SIZE])
{
    struct decimal all;
    return decimal_sum_total(sum, &all) ? slice_of(to, decimal_format(decimal_trim(all), to)) : SLICE("more than 38 digits");
}

static void put_money(struct json *json, const struct whatif_count *count, bool labelled)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t at = 0;
    json_key(json, "money");
    json_open(json, '{');
    for (const struct map_entry *e = map_next(&count->money, &at); e; e = map_next(&count->money, &at)) {
        const struct whatif_money *money = e->value;
        json_key_slice(json, e->key);
        json_open(json, '{');
        json_put_text(json, "held", total(&money->held, text));
        if (labelled)
            json_put_text(json, "theft_saved", total(&money->saved, text));
        if (labelled)
            json_put_text(json, "theft_lost", total(&money->lost, text));
        json_close(json, '}');
    }
    json_close(json, '}');
}

void whatif_count_json(const struct whatif_count *count, int64_t hold_minutes, bool labelled, struct json *json)
{
    char text[DECIMAL_TEXT_SIZE];
    json_open(json, '{');
    json_put_text(json, "policy_version", count->version);
    json_put_i64(json, "requests", (int64_t)count->requests);
    json_put_i64(json, "allowed", (int64_t)count->allowed);
    json_put_i64(json, "held", (int64_t)count->held);
    json_put_i64(json, "denied", (int64_t)count->denied);
    json_key(json, "rows");
    json_open(json, '[');
    for (size_t i = 0; i < count->row_count; i++) {
        json_open(json, '{');
        json_put_text(json, "row", count->rows[i].name);
        json_put_text(json, "decision", slice_text(gate_decision_name(count->rows[i].decision)));
        json_put_i64(json, "requests", (int64_t)count->rows[i].requests);
        json_close(json, '}');
    }
    json_close(json, ']');
    put_money(json, count, labelled);
    json_put_text(json, "usd_held", total(&count->usd_held, text));
    json_put_i64(json, "customers_delayed", (int64_t)count->accounts.count);
    json_put_i64(json, "minutes_delayed", minutes_waited(count, hold_minutes));
    if (labelled) {
        json_put_i64(json, "thefts_caught", (int64_t)count->thefts_caught);
        json_put_i64(json, "thefts_missed", (int64_t)count->thefts_missed);
        json_put_i64(json, "false_holds", (int64_t)count->false_holds);
    }
    json_close(json, '}');
}

void whatif_count_print(const struct whatif_count *count, int64_t hold_minutes, bool labelled, struct buffer *to)
{
    char held[DECIMAL_TEXT_SIZE], saved[DECIMAL_TEXT_SIZE], lost[DECIMAL_TEXT_SIZE];
    size_t at = 0;
    buffer_printf(to, "policy %.*s: %llu requests, %llu allowed, %llu held, %llu denied\n", SLICE_ARG(count->version),
                  (unsigned long long)count->requests, (unsigned long long)count->allowed, (unsigned long long)count->held,
                  (unsigned long long)count->denied);
    for (size_t i = 0; i < count->row_count; i++)
        buffer_printf(to, "  %-6s %-24.*s %10llu\n", gate_decision_name(count->rows[i].decision), SLICE_ARG(count->rows[i].name),
                      (unsigned long long)count->rows[i].requests);
    for (const struct map_entry *e = map_next(&count->money, &at); e; e = map_next(&count->money, &at)) {
        const struct whatif_money *money = e->value;
        buffer_printf(to, "  held %.*s %.*s", SLICE_ARG(total(&money->held, held)), SLICE_ARG(e->key));
        if (labelled)
            buffer_printf(to, ", of thefts %.*s saved and %.*s lost", SLICE_ARG(total(&money->saved, saved)),
                          SLICE_ARG(total(&money->lost, lost)));
        buffer_put_char(to, '\n');
    }
    buffer_printf(to, "  held in dollars, where events say them: %.*s\n", SLICE_ARG(total(&count->usd_held, held)));
    buffer_printf(to, "  %zu customers delayed, %lld minutes together\n", count->accounts.count,
                  (long long)minutes_waited(count, hold_minutes));
    if (labelled)
        buffer_printf(to, "  thefts: %llu caught, %llu missed; %llu false holds\n", (unsigned long long)count->thefts_caught,
                      (unsigned long long)count->thefts_missed, (unsigned long long)count->false_holds);
}
