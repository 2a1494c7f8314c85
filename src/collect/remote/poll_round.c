#include "collect/remote/poll_round.h"

#include "base/limits.h"
#include "collect/remote/poll_template.h"

#include <stdarg.h>
#include <stdio.h>

enum { URL_BYTES_MAX = 64 * 1024 };
#define PLACE_KEPT_NS NS_PER_HOUR

/* ---- the configuration ---- */

static enum poll_paging paging_of(const struct collector_settings *settings)
{
    static const char *const names[] = {[POLL_ONE_PAGE] = "none", [POLL_LINK] = "link",   [POLL_HEADER] = "header",
                                        [POLL_URL] = "url",       [POLL_CURSOR] = "cursor", [POLL_PAGE_NUMBER] = "page",
                                        [POLL_OFFSET] = "offset"};
    size_t at = 0;
    while (!slice_is(settings_text(settings, "paging"), names[at]))
        at++; /* one of the option's choices */
    return (enum poll_paging)at;
}

static enum poll_format format_of(struct slice name)
{
    return slice_is(name, "lines") ? POLL_LINES : slice_is(name, "s3_list") ? POLL_S3 : POLL_JSON;
}

static bool is_set(const struct collector_settings *settings, const char *name)
{
    return settings_text(settings, name).len > 0;
}

static int check_templates(const struct collector_settings *settings, struct err *err)
{
    static const char *const templates[] = {"url", "more", "body", "fetch_url", "prepare_url"};
    for (size_t i = 0; i < ARRAY_COUNT(templates); i++)
        if (is_set(settings, templates[i]) && poll_template_check(settings_text(settings, templates[i]), err) < 0)
            return err_within(err, "%s", templates[i]);
    return 0;
}

static bool any_has(const struct collector_settings *settings, const char *place)
{
    return poll_template_has(settings_text(settings, "url"), place) || poll_template_has(settings_text(settings, "body"), place) ||
           poll_template_has(settings_text(settings, "more"), place);
}

static bool is_list_of_objects(const struct collector_settings *settings)
{
    return format_of(settings_text(settings, "format")) == POLL_S3;
}

static int check_paging(const struct collector_settings *settings, enum poll_paging paging, struct err *err)
{
    bool by_path = paging == POLL_URL || (paging == POLL_CURSOR && !is_list_of_objects(settings));
    if ((paging == POLL_HEADER || by_path) && !is_set(settings, "next"))
        return err_set(err, ERR_CONFIG, "paging: %.*s needs next: %s", SLICE_ARG(settings_text(settings, "paging")),
                       paging == POLL_HEADER ? "the name of the header" : "the path in the answer");
    if (paging == POLL_CURSOR && !any_has(settings, "cursor"))
        return err_set(err, ERR_CONFIG, "paging: cursor needs ${cursor} in more, body or url");
    if ((paging == POLL_PAGE_NUMBER || paging == POLL_OFFSET) && !any_has(settings, "page"))
        return err_set(err, ERR_CONFIG, "paging: page and offset need ${page} in url, more or body");
    return 0;
}

static int check_follow(const struct collector_settings *settings, enum poll_paging paging, struct err *err)
{
    size_t each;
    bool named = paging == POLL_LINK || paging == POLL_HEADER || paging == POLL_URL || paging == POLL_CURSOR;
    settings_list(settings, "each", &each);
    if (settings_bool(settings, "follow") && (each || any_has(settings, "day") || !named))
        return err_set(err, ERR_CONFIG, "follow needs paging: link, header, url or cursor, and neither each nor ${day}");
    return 0;
}

int poll_round_check(const struct collector_settings *settings, struct err *err)
{
    enum poll_paging paging = paging_of(settings);
    bool is_list = is_set(settings, "entry") || is_list_of_objects(settings);
    size_t has_id;
    settings_list(settings, "id", &has_id);
    if (check_templates(settings, err) < 0 || check_paging(settings, paging, err) < 0 || check_follow(settings, paging, err) < 0)
        return -1;
    if (settings_number(settings, "window") <= settings_number(settings, "overlap"))
        return err_set(err, ERR_CONFIG, "window has to be longer than overlap, or no round would come further");
    if (settings_number(settings, "overlap") && !has_id && !is_list)
        return err_set(err, ERR_CONFIG, "overlap needs id: the path of each record's id, by which those that come again are told");
    if (is_set(settings, "fetch_url") && !is_list)
        return err_set(err, ERR_CONFIG, "fetch_url needs entry: the path of what is to be fetched in each record of the list");
    return 0;
}

int poll_round_init(struct poll_round *round, struct reader_thread *reader, struct err *err)
{
    const struct collector_settings *settings = reader->settings;
    round->reader = reader;
    round->paging = paging_of(settings);
    round->list = (struct poll_form){.format = format_of(settings_text(settings, "format")),
                                     .records = settings_string(settings, "records"),
                                     .may_lack = settings_bool(settings, "records_may_lack"),
                                     .entry = settings_string(settings, "entry")};
    round->list.ids = settings_list(settings, "id", &round->list.id_count);
    if (round->paging == POLL_URL || round->paging == POLL_CURSOR)
        round->list.next = settings_string(settings, "next");
    round->entries = (struct poll_form){.format = format_of(settings_text(settings, "fetch_format")),
                                        .records = settings_string(settings, "fetch_records"),
                                        .may_lack = true};
    round->fetches = is_set(settings, "entry") || is_set(settings, "fetch_url");
    round->by_day = any_has(settings, "day");
    poll_state_init(&round->state);
    round->page_arena = arena_new(POLL_ANSWER_MEMORY_MAX);
    round->entry_arena = arena_new(POLL_ANSWER_MEMORY_MAX);
    return round->page_arena && round->entry_arena ? poll_fetch_init(&round->fetch, reader, err) : err_nomem(err);
}

void poll_round_close(struct poll_round *round)
{
    poll_fetch_close(&round->fetch);
    poll_state_close(&round->state);
    arena_free(round->page_arena);
    arena_free(round->entry_arena);
}

/* ---- giving ---- */

/* What was gathered, and how far it came with that. */
static bool give(struct poll_round *round)
{
    struct delivery delivery = collector_delivery(round->reader->host, round->reader->settings);
    struct buffer cursor;
    bool given = false;
    buffer_init(&cursor, 2 * MIB);
    poll_state_save(&round->state, &cursor);
    delivery.event_count = round->record_count;
    delivery.body = buffer_slice(&round->reader->records);
    delivery.cursor = buffer_slice(&cursor);
    while (buffer_failed(&cursor) && poll_fetch_fail(&round->fetch, "memory is out")) {
        buffer_clear(&cursor);
        poll_state_save(&round->state, &cursor);
        delivery.cursor = buffer_slice(&cursor);
    }
    if (!buffer_failed(&cursor))
        given = reader_give(round->reader, &delivery);
    buffer_close(&cursor);
    if (round->reader->records.size > 2 * POLL_DELIVERY_BYTES) {
        buffer_close(&round->reader->records);
        buffer_init(&round->reader->records, JOURNAL_RECORD_BYTES_MAX);
    }
    buffer_clear(&round->reader->records);
    round->record_count = 0;
    round->given_ns = clock_mono_ns(round->reader->host->sink->clock);
    return given;
}

/* A place that is long past would be asked for from there again after a restart. */
static bool is_place_old(const struct poll_round *round)
{
    return clock_mono_ns(round->reader->host->sink->clock) - round->given_ns > PLACE_KEPT_NS;
}

PRINTF_LIKE(2, 3) static void note(const struct poll_round *round, const char *format, ...)
{
    const struct reader_thread *reader = round->reader;
    char text[ERR_TEXT_SIZE], line[ERR_TEXT_SIZE + COLLECTOR_NAME_MAX + 16];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(line, sizeof(line), "collector %.*s: %s", SLICE_ARG(reader->settings->name), text);
    if (reader->host->note)
        reader->host->note(reader->host->context, line);
}

/* Puts a record, in parts where it is long: what a delivery cannot hold goes into several, and the place says how many
 * parts they have. False: it is to stop. */
static bool put_record(struct poll_round *round, struct slice raw, uint64_t hash)
{
    struct poll_state *state = &round->state;
    struct buffer *records = &round->reader->records;
    uint32_t count = delivery_part_count(raw);
    uint32_t part = state->cut_of == hash && state->cut < count ? (uint32_t)state->cut : 0;
    while (part < count) {
        size_t before = records->len;
        delivery_put_part(records, raw, part, SLICE(""));
        if (buffer_failed(records)) {
            records->failed = false;
            records->len = before;
            if (!poll_fetch_fail(&round->fetch, "memory is out: what was read is tried again"))
                return false;
            continue;
        }
        round->record_count++;
        state->cut_of = hash;
        state->cut = ++part;
        if (part < count && records->len >= 16 * EVENT_BYTES_MAX && !give(round))
            return false;
    }
    state->cut = state->cut_of = 0;
    return true;
}

static bool remember(struct poll_round *round, uint64_t hash)
{
    while (!poll_seen_add(&round->state.seen, hash))
        if (!poll_fetch_fail(&round->fetch, "memory is out: what was read is tried again"))
            return false;
    return true;
}

/* The records of one answer from the one at state.skip on; those with an id that was seen are left out. */
static bool take_records(struct poll_round *round, const struct poll_page *page, uint64_t hash)
{
    struct poll_state *state = &round->state;
    bool by_place = !round->list.id_count || round->fetches; /* else the answer may have changed, and the ids say what is new */
    size_t first = by_place && state->skip_of == hash ? state->skip : 0;
    state->skip = first;
    state->skip_of = hash;
    for (size_t i = first; i < page->count; i++) {
        const struct poll_item *item = &page->items[i];
        uint64_t id = item->id.ptr ? poll_seen_hash(&state->seen, item->id) : 0;
        bool known = item->id.ptr && poll_seen_has(&state->seen, id);
        if (known)
            continue;
        if (!put_record(round, item->raw, item->id.ptr ? id : hash ^ i) || (item->id.ptr && !remember(round, id)))
            return false;
        state->skip = i + 1;
        if (round->reader->records.len >= POLL_DELIVERY_BYTES && !give(round))
            return false;
    }
    poll_state_forget_skip(state);
    return true;
}

/* ---- what a list names ---- */

static bool take_entry_answer(struct poll_round *round, uint64_t hash)
{
    struct poll_page page;
    struct err err;
    struct slice body = poll_fetch_body(&round->fetch);
    arena_reset(round->entry_arena);
    if (poll_page_read(&round->entries, body, round->entry_arena, &page, &err) < 0) {
        struct poll_item whole = {.raw = body}; /* what is not understood is kept as it is */
        page = (struct poll_page){&whole, 1, SLICE_NONE};
        return take_records(round, &page, hash);
    }
    return take_records(round, &page, hash);
}

static bool lose_entry(struct poll_round *round, struct slice entry)
{
    atomic_fetch_add(&round->gaps, 1);
    note(round, "%.*s was listed, but cannot be fetched; it is left out and counted as a gap",
         (int)(entry.len > 200 ? 200 : entry.len), entry.ptr);
    return true;
}

static bool fetch_entry(struct poll_round *round, struct slice entry, uint64_t hash)
{
    const struct slice template = settings_text(round->reader->settings, "fetch_url");
    struct poll_values values = {.entry = entry};
    struct buffer url;
    enum poll_result result = POLL_GONE;
    buffer_init(&url, URL_BYTES_MAX);
    if (template.len)
        poll_template_fill(template, &values, POLL_IN_URL, &url);
    else
        buffer_put(&url, entry);
    struct poll_request request = {.method = "GET", .url = buffer_slice(&url), .body = SLICE_NONE, .may_be_gone = true,
                                   .is_object = true};
    for (int i = 0; i < POLL_ENTRY_TRIES_MAX && result == POLL_GONE && !buffer_failed(&url); i++)
        result = poll_fetch_get(&round->fetch, &request);
    buffer_close(&url);
    if (result == POLL_STOP)
        return false;
    return (result == POLL_GOT ? take_entry_answer(round, hash) : lose_entry(round, entry)) && remember(round, hash);
}

static uint64_t hash_of_entry(const struct poll_round *round, const struct poll_item *item)
{
    return poll_seen_hash(&round->state.seen, item->id.ptr ? item->id : item->entry.ptr ? item->entry : item->raw);
}

static bool take_entry(struct poll_round *round, const struct poll_item *item)
{
    uint64_t hash = hash_of_entry(round, item);
    if (poll_seen_has(&round->state.seen, hash))
        return true;
    bool taken = item->entry.ptr ? fetch_entry(round, item->entry, hash)
                                 : put_record(round, item->raw, hash) && remember(round, hash);
    return taken && (round->reader->records.len < POLL_DELIVERY_BYTES / 4 || give(round));
}

static bool take_entries(struct poll_round *round, const struct poll_page *page)
{
    /* The one that was at work first: the place knows how far one of them was taken, and others may stand before it now. */
    for (size_t i = 0; i < page->count && round->state.skip_of; i++)
        if (hash_of_entry(round, &page->items[i]) == round->state.skip_of && !take_entry(round, &page->items[i]))
            return false;
    for (size_t i = 0; i < page->count; i++)
        if (!take_entry(round, &page->items[i]))
            return false;
    return true;
}

/* ---- pages ---- */

static uint64_t each_count(const struct poll_round *round)
{
    size_t count;
    settings_list(round->reader->settings, "each", &count);
    return count ? count : 1;
}

static struct poll_values values_now(const struct poll_round *round)
{
    const struct poll_state *state = &round->state;
    size_t count;
    const struct slice *each = settings_list(round->reader->settings, "each", &count);
    int64_t day = (int64_t)(state->part / each_count(round));
    return (struct poll_values){
        .start_ns = state->from_ns,
        .end_ns = state->to_ns,
        .day_ns = state->from_ns / NS_PER_DAY * NS_PER_DAY + day * NS_PER_DAY,
        .page = state->page,
        .cursor = buffer_slice(&state->next),
        .each = count ? each[state->part % count] : SLICE(""),
    };
}

static uint64_t part_count(const struct poll_round *round)
{
    const struct poll_state *state = &round->state;
    int64_t days = round->by_day ? state->to_ns / NS_PER_DAY - state->from_ns / NS_PER_DAY + 1 : 1;
    return each_count(round) * (uint64_t)days;
}

/* A path of the same host, as some APIs write it, becomes a URL. */
static void put_next_url(const struct poll_round *round, struct slice next, struct buffer *to)
{
    struct slice base = settings_text(round->reader->settings, "url");
    ptrdiff_t host = slice_find(base, SLICE("://"));
    if (next.len && next.ptr[0] == '/' && host > 0) {
        ptrdiff_t path = slice_find_char(slice_from(base, (size_t)host + 3), '/');
        buffer_put(to, path < 0 ? base : slice_sub(base, 0, (size_t)(host + 3 + path)));
    }
    buffer_put(to, next);
}

static void put_url(const struct poll_round *round, struct buffer *to)
{
    const struct collector_settings *settings = round->reader->settings;
    const struct poll_state *state = &round->state;
    struct poll_values values = values_now(round);
    bool by_url = round->paging == POLL_LINK || round->paging == POLL_HEADER || round->paging == POLL_URL;
    if (by_url && state->next.len) {
        put_next_url(round, buffer_slice(&state->next), to);
        return;
    }
    poll_template_fill(settings_text(settings, "url"), &values, POLL_IN_URL, to);
    if (is_set(settings, "more") && (state->next.len || round->paging == POLL_PAGE_NUMBER || round->paging == POLL_OFFSET))
        poll_template_fill(settings_text(settings, "more"), &values, POLL_IN_URL, to);
}

static bool is_continued(const struct poll_round *round)
{
    return round->state.next.len > 0 || round->state.page != (uint64_t)settings_number(round->reader->settings, "first_page");
}

static enum poll_result ask(struct poll_round *round, uint64_t *hash)
{
    const struct collector_settings *settings = round->reader->settings;
    struct poll_values values = values_now(round);
    struct buffer url, body;
    enum poll_result result;
    buffer_init(&url, URL_BYTES_MAX);
    buffer_init(&body, 4 * MIB);
    put_url(round, &url);
    if (is_set(settings, "body"))
        poll_template_fill(settings_text(settings, "body"), &values, POLL_IN_BODY, &body);
    struct poll_request request = {.method = settings_string(settings, "method"),
                                   .url = buffer_slice(&url),
                                   .body = is_set(settings, "body") ? buffer_slice(&body) : SLICE_NONE,
                                   .may_be_gone = is_continued(round)};
    *hash = poll_seen_hash(&round->state.seen, buffer_slice(&url));
    if (body.len)
        *hash ^= poll_seen_hash(&round->state.seen, buffer_slice(&body));
    if (buffer_failed(&url) || buffer_failed(&body))
        result = poll_fetch_fail(&round->fetch, "memory is out, or a URL is too long") ? POLL_GONE : POLL_STOP;
    else
        result = poll_fetch_get(&round->fetch, &request);
    buffer_close(&url);
    buffer_close(&body);
    return result;
}

static void begin_part(struct poll_round *round)
{
    buffer_clear(&round->state.next);
    poll_state_forget_skip(&round->state);
    round->state.page = (uint64_t)settings_number(round->reader->settings, "first_page");
}

static struct slice next_of(const struct poll_round *round, const struct poll_page *page)
{
    if (round->paging == POLL_LINK)
        return poll_link_next(poll_fetch_headers(&round->fetch));
    if (round->paging == POLL_HEADER)
        return http_fetch_header_of(poll_fetch_headers(&round->fetch), settings_string(round->reader->settings, "next"));
    return page->next;
}

/* Goes to the next page; *last: there is none. False: the next page cannot be asked for. */
static bool turn_page(struct poll_round *round, const struct poll_page *page, struct slice next, bool *last)
{
    struct poll_state *state = &round->state;
    const struct collector_settings *settings = round->reader->settings;
    int64_t full = settings_number(settings, "page_size");
    bool follow = settings_bool(settings, "follow");
    if (round->paging == POLL_PAGE_NUMBER || round->paging == POLL_OFFSET) {
        *last = page->count == 0 || (full && page->count < (size_t)full);
        state->page += round->paging == POLL_OFFSET ? page->count : 1;
        return true;
    }
    *last = !next.len || (follow && page->count == 0);
    bool same = slice_equal(next, buffer_slice(&state->next));
    if (!next.len) /* what is followed begins anew from where the round ended */
        buffer_clear(&state->next);
    else if (same && !*last)
        return false;
    return !next.len || poll_state_set_next(state, next);
}

static bool end_round(struct poll_round *round)
{
    struct poll_state *state = &round->state;
    state->at_ns = state->to_ns;
    state->to_ns = 0;
    state->part = 0;
    poll_seen_turn(&state->seen);
    return true;
}

/* Of the answer that has come. */
static bool take_page(struct poll_round *round, uint64_t hash, bool *ended)
{
    struct poll_page page = {.next = SLICE_NONE};
    struct err err;
    struct slice next = SLICE_NONE;
    bool no_content = round->fetch.status == 204;
    arena_reset(round->page_arena);
    /* Entries are fetched while the page is at work: it keeps its bytes. */
    struct slice body = arena_copy(round->page_arena, poll_fetch_body(&round->fetch));
    if (!body.ptr || (!no_content && poll_page_read(&round->list, body, round->page_arena, &page, &err) < 0)) {
        char text[ERR_TEXT_SIZE];
        snprintf(text, sizeof(text), "%s", body.ptr ? err.text : "memory is out");
        return poll_fetch_fail(&round->fetch, text);
    }
    next = next_of(round, &page);
    next = next.ptr ? arena_copy(round->page_arena, next) : next;
    if (!(round->fetches ? take_entries(round, &page) : take_records(round, &page, hash)))
        return false;
    bool last;
    if (!turn_page(round, &page, next, &last))
        return poll_fetch_fail(&round->fetch, "a next page is named that is the page itself, or too long; the answers before are kept");
    if (last && ++round->state.part < part_count(round)) {
        begin_part(round);
    } else if (last) {
        *ended = end_round(round);
    }
    return (!round->record_count && !(*ended && is_place_old(round))) || give(round);
}

/* ---- rounds ---- */

static int64_t whole_seconds(int64_t time_ns)
{
    return time_ns / NS_PER_SECOND * NS_PER_SECOND;
}

static int64_t newest(const struct poll_round *round)
{
    return whole_seconds(clock_wall_ns(round->reader->host->sink->clock) - settings_number(round->reader->settings, "delay"));
}

static void begin_round(struct poll_round *round)
{
    const struct collector_settings *settings = round->reader->settings;
    struct poll_state *state = &round->state;
    int64_t reach = settings_number(settings, "reach"), now = newest(round);
    state->from_ns = whole_seconds(state->at_ns - settings_number(settings, "overlap"));
    if (reach && state->at_ns < now - reach)
        note(round, "what the other side had before %lld s ago is not given by it any more and may be missing",
             (long long)(reach / NS_PER_SECOND));
    if (reach && state->from_ns < now - reach)
        state->from_ns = whole_seconds(now - reach);
    state->to_ns = state->from_ns + whole_seconds(settings_number(settings, "window"));
    if (state->to_ns > now)
        state->to_ns = now > state->from_ns ? now : state->from_ns;
    state->part = 0;
    if (!settings_bool(settings, "follow") || !state->next.len)
        begin_part(round);
}

bool poll_round_resume(struct poll_round *round)
{
    const struct collector_host *host = round->reader->host;
    const struct collector_settings *settings = round->reader->settings;
    struct arena *arena = arena_new(4 * MIB);
    struct slice cursor = host->cursor && arena ? host->cursor(host->context, settings->name, SLICE_NONE, arena) : SLICE_NONE;
    struct err err;
    bool there = cursor.len > 0;
    if (there && poll_state_load(&round->state, cursor, &err) < 0) {
        reader_say(round->reader, err.text);
        there = false;
    }
    arena_free(arena);
    if (there)
        return true;
    round->state.at_ns = newest(round) - settings_number(settings, "start");
    return give(round); /* so that a first start is one, however long nothing comes */
}

bool poll_round_prepare(struct poll_round *round)
{
    const struct collector_settings *settings = round->reader->settings;
    struct poll_state *state = &round->state;
    uint64_t part = state->part;
    bool going = true;
    for (state->part = 0; going && is_set(settings, "prepare_url") && state->part < each_count(round); state->part++) {
        struct poll_values values = values_now(round);
        struct buffer url;
        buffer_init(&url, URL_BYTES_MAX);
        poll_template_fill(settings_text(settings, "prepare_url"), &values, POLL_IN_URL, &url);
        struct poll_request request = {.method = "POST", .url = buffer_slice(&url), .body = SLICE(""), .may_be_gone = true};
        going = poll_fetch_get(&round->fetch, &request) != POLL_STOP; /* 400: it was done before, as a rule */
        round->fetch.failures = 0;
        buffer_close(&url);
    }
    state->part = part;
    return going;
}

bool poll_round_run(struct poll_round *round, bool *behind)
{
    struct poll_state *state = &round->state;
    bool ended = false;
    if (!state->to_ns)
        begin_round(round);
    while (!ended) {
        uint64_t hash;
        enum poll_result result = ask(round, &hash);
        if (result == POLL_STOP)
            return false;
        if (result == POLL_GONE)
            begin_part(round); /* the page is not there any more: from the first one, less what was seen */
        else if (!take_page(round, hash, &ended))
            return false;
    }
    *behind = state->at_ns < newest(round) - settings_number(round->reader->settings, "interval");
    return true;
}
