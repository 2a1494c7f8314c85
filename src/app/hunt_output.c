#include "app/hunt_output.h"

#include "app/cli.h"
#include "app/rules.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"

#include <stdlib.h>

enum { LINE_BYTES_MAX = 16 * 1024 * 1024 };

struct hunt_moment {
    int64_t time_ns;
    uint64_t number; /* in order of finding: two of the same time stay in it */
    struct slice severity, rule, title, host, channel, event, path, text, tactics;
    int64_t record; /* -1: none */
};

int hunt_output_init(struct hunt_output *output, enum hunt_format format, struct err *err)
{
    *output = (struct hunt_output){.format = format};
    buffer_init(&output->line, LINE_BYTES_MAX);
    output->arena = arena_new(LISTING_ARENA_MAX);
    return output->arena ? 0 : err_nomem(err);
}

void hunt_output_close(struct hunt_output *output)
{
    buffer_close(&output->line);
    arena_free(output->arena);
}

struct slice hunt_host(const struct hunt_place *place, char room[VALUE_TEXT_SIZE])
{
    static const char *const names[] = {"host.name", "winlog.computer_name", "host.hostname"};
    for (size_t i = 0; place->batch && place->row != UINT32_MAX && i < ARRAY_COUNT(names); i++) {
        struct value v = batch_first(place->batch, place->row, slice_text(names[i]));
        if (v.type != VALUE_NULL)
            return value_text_small(v, room);
    }
    return SLICE("");
}

/* ---- lines of JSON ---- */

static void open_key(struct json *json, const char *key)
{
    json_key(json, key);
    json_open(json, '{');
}

static void put_evidence(struct json *json, const struct finding *finding)
{
    json_key(json, "evidence");
    json_open(json, '[');
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (finding->evidence[i].event_id.ptr)
            json_text(json, finding->evidence[i].event_id);
    json_close(json, ']');
}

/* What a correlation grouped by, under the names that its rule uses. */
static void put_groups(struct json *json, const struct finding *finding)
{
    for (size_t i = 0; i < finding->group_count; i++) {
        json_key_slice(json, finding->groups[i].type);
        json_text(json, finding->groups[i].value);
    }
}

static void put_match(struct json *json, const struct finding *finding, const struct rule *rule,
                      const struct hunt_place *place)
{
    json_open(json, '{');
    cli_open_rule(json, rule);
    json_close(json, '}');
    open_key(json, "log");
    open_key(json, "file");
    json_put_text(json, "path", slice_text(place->path));
    json_close(json, '}');
    json_close(json, '}');
    open_key(json, "hinomi");
    if (place->has_record)
        json_put_i64(json, "record", (int64_t)place->record);
    if (finding->evidence_seen) {
        json_put_i64(json, "events", (int64_t)finding->evidence_seen);
        put_evidence(json, finding);
    }
    json_close(json, '}');
    put_groups(json, finding);
    json_close(json, '}');
}

static void put_finding(struct json *json, const struct finding *finding, const struct rule *rule)
{
    json_open(json, '{');
    json_put_time(json, "@timestamp", finding->raised_ns);
    cli_open_rule(json, rule);
    json_close(json, '}');
    json_put_text(json, "message", finding->explanation_en);
    open_key(json, "hinomi");
    json_put_text(json, "finding", slice_text(finding->id));
    if (finding->catalogue.ptr)
        json_put_text(json, "catalogue", finding->catalogue);
    json_put_text(json, "severity", slice_text(severity_name(finding->severity)));
    json_key(json, "entity");
    json_open(json, '[');
    for (size_t i = 0; i < finding->entity_count; i++)
        json_text(json, finding->entities[i].value);
    json_close(json, ']');
    put_evidence(json, finding);
    if (finding->evidence_seen)
        json_put_i64(json, "events", (int64_t)finding->evidence_seen);
    if (finding->retracts.ptr)
        json_put_text(json, "retracts", finding->retracts);
    if (finding->follows.ptr)
        json_put_text(json, "follows", finding->follows);
    json_close(json, '}');
    put_groups(json, finding);
    json_close(json, '}');
}

/* ---- a table to read along ---- */

static void put_row(struct buffer *line, const struct finding *finding, const struct rule *rule,
                    const struct hunt_place *place)
{
    char time[TIME_TEXT_SIZE], room[VALUE_TEXT_SIZE];
    struct slice host = hunt_host(place, room);
    time_format_ms(finding->raised_ns, time);
    buffer_printf(line, "%-24s  %-13.*s  %-20.*s  %.*s", time,
                  SLICE_ARG(rule->level.len ? rule->level : SLICE("-")),
                  SLICE_ARG(host.len ? host : SLICE("-")), SLICE_ARG(rule->title));
    if (place->path)
        buffer_printf(line, "  %s", place->path);
    if (place->has_record)
        buffer_printf(line, "#%llu", (unsigned long long)place->record);
}

/* ---- a timeline ---- */

static struct slice field_text(const struct hunt_place *place, const char *name, struct arena *arena)
{
    if (!place->batch || place->row == UINT32_MAX)
        return SLICE("");
    struct value v = batch_first(place->batch, place->row, slice_text(name));
    return v.type == VALUE_NULL ? SLICE("") : arena_copy(arena, value_text(v, arena));
}

static struct slice tactics_of(const struct rule *rule, struct arena *arena)
{
    struct slice all = SLICE("");
    for (size_t i = 0; i < rule->tag_count; i++) {
        struct slice tactic = rule_tactic(rule->tags[i]);
        if (tactic.len)
            all = arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(all), all.len ? " " : "", SLICE_ARG(tactic));
    }
    return all;
}

static int keep_moment(struct hunt_output *output, const struct finding *finding,
                       const struct rule *rule, const struct hunt_place *place, struct err *err)
{
    struct arena *arena = output->arena;
    char room[VALUE_TEXT_SIZE];
    if (output->moment_count == output->moment_size) {
        size_t size = output->moment_size ? output->moment_size * 2 : 256;
        output->moments = arena_grow(arena, output->moments, output->moment_count * sizeof(*output->moments),
                                     size * sizeof(*output->moments));
        if (!output->moments)
            return err_set(err, ERR_LIMIT, "the timeline is larger than memory allows; use --format jsonl");
        output->moment_size = size;
    }
    struct hunt_moment *moment = &output->moments[output->moment_count];
    *moment = (struct hunt_moment){
        .time_ns = finding->raised_ns,
        .number = output->moment_count++,
        .severity = rule->level,
        .rule = rule->name,
        .title = rule->title,
        .host = arena_copy(arena, hunt_host(place, room)),
        .channel = field_text(place, "winlog.channel", arena),
        .event = field_text(place, "event.code", arena),
        .path = place->path ? arena_copy(arena, slice_text(place->path)) : SLICE(""),
        .text = arena_copy(arena, finding->explanation_en),
        .tactics = tactics_of(rule, arena),
        .record = place->has_record ? (int64_t)place->record : -1,
    };
    bool whole = moment->host.ptr && moment->channel.ptr && moment->event.ptr && moment->path.ptr &&
                 moment->text.ptr && moment->tactics.ptr;
    return whole ? 0
                 : err_set(err, ERR_LIMIT, "the timeline is larger than memory allows; use --format jsonl");
}

static int by_time(const void *a, const void *b)
{
    const struct hunt_moment *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static int print_timeline(struct hunt_output *output, struct err *err)
{
    struct listing listing;
    if (output->moment_count)
        qsort(output->moments, output->moment_count, sizeof(*output->moments), by_time);
    if (listing_init(&listing, err) < 0)
        return -1;
    for (size_t i = 0; i < output->moment_count; i++) {
        const struct hunt_moment *moment = &output->moments[i];
        listing_row(&listing);
        listing_time(&listing, "time", moment->time_ns);
        listing_text(&listing, "level", moment->severity);
        listing_text(&listing, "rule", moment->title);
        listing_text(&listing, "host", moment->host);
        listing_text(&listing, "channel", moment->channel);
        listing_text(&listing, "event", moment->event);
        listing_text(&listing, "tactics", moment->tactics);
        listing_text(&listing, "finding", moment->text);
        listing_text(&listing, "file", moment->path);
        if (moment->record >= 0)
            listing_i64(&listing, "record", moment->record);
        listing_text(&listing, "rule_id", moment->rule);
    }
    int result = listing_print(&listing, OUTPUT_CSV, err);
    listing_close(&listing);
    return result;
}

/* ---- the whole ---- */

int hunt_output_put(struct hunt_output *output, const struct finding *finding,
                    const struct rule *rule, const struct hunt_place *place, struct err *err)
{
    struct json json;
    if (output->format == HUNT_TIMELINE)
        return keep_moment(output, finding, rule, place, err);
    buffer_clear(&output->line);
    json_init(&json, &output->line);
    if (output->format == HUNT_MATCHES)
        put_match(&json, finding, rule, place);
    else if (output->format == HUNT_FINDINGS)
        put_finding(&json, finding, rule);
    else
        put_row(&output->line, finding, rule, place);
    buffer_put_char(&output->line, '\n');
    if (buffer_failed(&output->line))
        return err_nomem(err);
    if (!cli_write(buffer_slice(&output->line)))
        return err_set(err, ERR_CLOSED, "the reader of the output is gone");
    return 0;
}

int hunt_output_end(struct hunt_output *output, struct err *err)
{
    return output->format == HUNT_TIMELINE ? print_timeline(output, err) : 0;
}
