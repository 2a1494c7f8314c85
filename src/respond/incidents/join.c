#include "respond/incidents/join.h"

#include "base/limits.h"
#include "base/time.h"
#include "respond/incidents/gather.h"
#include "respond/incidents/links.h"

#include <stdio.h>

enum { SEEN_ELSEWHERE_MAX = 5, LOOSE_LOOK_EVERY = 256 };

struct found { /* an incident that it shares links with */
    int64_t id;
    int shared;
};

/* One finding on its way into one incident. */
struct work {
    struct gather gather;
    struct join *join;
    const struct finding *finding;
    const struct respond_texts *texts;
    struct finding_row row;
    char line[FINDING_LINE_SIZE];
    struct incident_entity *entities; /* those of the finding */
    size_t entity_count;
    struct hub_answer *hubs; /* of each */
    struct slice links[JOIN_LINKS_MAX]; /* that glue */
    int64_t windows[JOIN_LINKS_MAX];    /* and over which time */
    size_t link_count;
    struct found found[JOIN_FOUND_MAX]; /* oldest first */
    size_t found_count;
    int64_t incident; /* where it went; 0: nowhere */
    bool stored;      /* it is in the table already: a smaller one of before */
};

/* Findings of before that may come in now. */
struct pending {
    int64_t numbers[JOIN_ADOPT_MAX];
    size_t count, done;
    bool more;
};

static enum severity loudness(const struct work *work)
{
    return work->row.mute ? SEVERITY_NONE : work->finding->severity;
}

/* ---- what links it ---- */

static int64_t window_of(const struct join *join, const struct entity *entity)
{
    return link_is_particular(entity) ? JOIN_LONG * join->window_ns : join->window_ns;
}

static int read_links(struct work *work, struct err *err)
{
    const struct finding *finding = work->finding;
    struct arena *arena = work->join->arena;
    bool nomem = false, any = false;
    work->entities = arena_array(arena, finding->entity_count + 1, sizeof(*work->entities));
    work->hubs = arena_array(arena, finding->entity_count + 1, sizeof(*work->hubs));
    if (!work->entities || !work->hubs)
        return err_nomem(err);
    work->entity_count = finding->entity_count;
    for (size_t i = 0; i < work->entity_count; i++) {
        struct incident_entity *entity = &work->entities[i];
        entity->entity = finding->entities[i];
        if (i >= JOIN_LINKS_MAX)
            continue;
        entity->link = link_of(&finding->entities[i], arena, &nomem);
        if (entity->link.ptr && hubs_ask(&work->join->memory->hubs, work->join->memory->assets, &entity->entity, entity->link,
                                         finding->event_ns, &work->hubs[i], err) < 0)
            return -1;
        entity->glue = entity->link.ptr && !work->hubs[i].hub;
        any |= entity->glue;
    }
    for (size_t i = 0; i < work->entity_count && i < JOIN_LINKS_MAX; i++) {
        work->entities[i].glue |= !any && work->entities[i].link.ptr; /* it is about the hub itself */
        if (!work->entities[i].glue)
            continue;
        work->windows[work->link_count] = window_of(work->join, &work->entities[i].entity);
        work->links[work->link_count++] = work->entities[i].link;
    }
    return nomem ? err_nomem(err) : 0;
}

static void add_found(struct work *work, int64_t id)
{
    size_t at = 0;
    while (at < work->found_count && work->found[at].id < id)
        at++;
    if (at < work->found_count && work->found[at].id == id) {
        work->found[at].shared++;
        return;
    }
    if (work->found_count == JOIN_FOUND_MAX) /* the next finding merges the rest */
        return;
    memmove(work->found + at + 1, work->found + at, (work->found_count - at) * sizeof(*work->found));
    work->found[at] = (struct found){id, 1};
    work->found_count++;
}

static int find_by_link(struct work *work, struct slice link, int64_t window, struct err *err)
{
    struct query *query;
    int result;
    int64_t at = work->finding->event_ns;
    if (query_begin(work->join->database,
                    "SELECT i.id FROM incident_entities e JOIN incidents i ON i.id=e.incident WHERE e.link=?1 AND e.glue=1"
                    " AND i.last_event_ns>=?2 AND i.first_event_ns<=?3 ORDER BY e.incident LIMIT ?4", &query, err) < 0)
        return -1;
    query_text(query, 1, link);
    query_i64(query, 2, at - window);
    query_i64(query, 3, at + window);
    query_i64(query, 4, JOIN_FOUND_MAX);
    while ((result = query_step(query, err)) == 1)
        add_found(work, query_get_i64(query, 0));
    query_end(query);
    return result;
}

static int find_all(struct work *work, struct err *err)
{
    for (size_t i = 0; i < work->link_count; i++)
        if (find_by_link(work, work->links[i], work->windows[i], err) < 0)
            return -1;
    return 0;
}

/* ---- saying what it did not do ---- */

static int relate_others(struct work *work, struct slice link, int64_t incident, struct buffer *names, struct err *err)
{
    struct query *query;
    int64_t others[SEEN_ELSEWHERE_MAX];
    size_t count = 0;
    int result;
    if (query_begin(work->join->database, "SELECT e.incident FROM incident_entities e JOIN incidents i ON i.id=e.incident WHERE"
                    " e.link=?1 AND e.glue=0 AND e.incident!=?2 AND i.state!='closed' ORDER BY e.incident DESC LIMIT ?3", &query,
                    err) < 0)
        return -1;
    query_text(query, 1, link);
    query_i64(query, 2, incident);
    query_i64(query, 3, SEEN_ELSEWHERE_MAX);
    while ((result = query_step(query, err)) == 1)
        others[count++] = query_get_i64(query, 0);
    query_end(query);
    for (size_t i = 0; i < count && result == 0; i++) {
        buffer_printf(names, "%sINC-%lld", i ? ", " : "", (long long)others[i]);
        result = incident_relate(work->join->database, incident, "also_seen", others[i], "also_seen", link, err);
    }
    return result;
}

/* Once for each value and incident: why it joins nothing. */
static int tell_hub(struct work *work, size_t at, int64_t incident, struct err *err)
{
    struct arena *arena = work->join->arena;
    struct buffer names;
    struct slice value = link_words(work->entities[at].link, arena), others;
    const struct hub_answer *hub = &work->hubs[at];
    buffer_init(&names, 4 * KIB);
    int result = relate_others(work, work->entities[at].link, incident, &names, err);
    others = names.len ? buffer_slice(&names) : SLICE("-");
    if (result == 0)
        result = gather_entry(
            &work->gather, incident, "link", SLICE_NONE,
            hub->listed ? arena_printf(arena, "%.*s links nothing to this: the list of assets says that many share it. Also seen in: %.*s",
                                       SLICE_ARG(value), SLICE_ARG(others))
                        : arena_printf(arena, "%.*s links nothing to this: it was met with %lld others on %lld of the last %d days. Also"
                                       " seen in: %.*s", SLICE_ARG(value), (long long)hub->partners, (long long)hub->days,
                                       HUB_LOOK_DAYS, SLICE_ARG(others)),
            hub->listed ? arena_printf(arena, "%.*s では関連付けません（資産一覧で共有とされているため）。ほかの出現: %.*s", SLICE_ARG(value),
                                       SLICE_ARG(others))
                        : arena_printf(arena, "%.*s では関連付けません（直近%d日のうち%lld日に%lld件の相手と現れたため）。ほかの出現: %.*s",
                                       SLICE_ARG(value), HUB_LOOK_DAYS, (long long)hub->days, (long long)hub->partners,
                                       SLICE_ARG(others)),
            err);
    buffer_close(&names);
    return result;
}

/* ---- into an incident ---- */

static int store(struct work *work, int64_t incident, struct err *err)
{
    work->incident = incident;
    work->row.incident = incident;
    if (work->stored)
        return finding_move(work->join->database, work->row.number, incident, err);
    return finding_insert(work->join->database, &work->row, err);
}

/* How many entities were new. */
static int add_to(struct work *work, struct incident *incident, struct err *err)
{
    int added = gather_entities(&work->gather, incident, work->entities, work->entity_count, err);
    if (added < 0 || store(work, incident->id, err) < 0 ||
        gather_finding(&work->gather, incident->id, work->finding, work->line, err) < 0 ||
        hubs_note(&work->join->memory->hubs, work->links, work->link_count, incident->id, work->finding->event_ns, err) < 0)
        return -1;
    for (size_t i = 0; i < work->entity_count; i++)
        if (work->entities[i].added && work->hubs[i].hub && !work->entities[i].glue && tell_hub(work, i, incident->id, err) < 0)
            return -1;
    return added;
}

/* The newest incident with one of its links, and which link; closed: one that is, else one whose events are too far away. */
static int find_before(struct work *work, bool closed, int64_t incident, int64_t *out, struct slice *link, struct err *err)
{
    struct query *query;
    int result = 0;
    *out = 0;
    for (size_t i = 0; i < work->link_count && !*out && result >= 0; i++) {
        if (query_begin(work->join->database,
                        closed ? "SELECT i.id FROM incident_entities e JOIN incidents i ON i.id=e.incident WHERE e.link=?1 AND e.glue=0"
                                 " AND i.state='closed' AND i.last_event_ns>=?2 ORDER BY e.incident DESC LIMIT 1"
                               : "SELECT incident FROM incident_entities WHERE link=?1 AND glue=1 AND incident!=?3 ORDER BY"
                                 " incident DESC LIMIT 1", &query, err) < 0)
            return -1;
        *link = work->links[i];
        query_text(query, 1, *link);
        query_i64(query, 2, work->finding->event_ns - work->windows[i]);
        query_i64(query, 3, incident);
        result = query_step(query, err);
        *out = result == 1 ? query_get_i64(query, 0) : 0;
        query_end(query);
    }
    return result < 0 ? -1 : 0;
}

/* A closed one that it would have joined, and one that is open but too far away in time. */
static int tell_before(struct work *work, int64_t incident, struct err *err)
{
    struct arena *arena = work->join->arena;
    struct slice link = SLICE_NONE, value;
    int64_t before;
    if (find_before(work, true, incident, &before, &link, err) < 0)
        return -1;
    value = link_words(link, arena);
    if (before &&
        (gather_entry(&work->gather, incident, "link", SLICE_NONE,
                      arena_printf(arena, "INC-%lld, which is closed, was about %.*s too", (long long)before, SLICE_ARG(value)),
                      arena_printf(arena, "終了済みの INC-%lld も %.*s に関するものでした", (long long)before, SLICE_ARG(value)), err) < 0 ||
         incident_relate(work->join->database, incident, "follows", before, "followed_by", link, err) < 0))
        return -1;
    if (find_before(work, false, incident, &before, &link, err) < 0)
        return -1;
    value = link_words(link, arena);
    return before && (gather_entry(&work->gather, incident, "link", SLICE_NONE,
                                   arena_printf(arena, "INC-%lld is about %.*s too, but its events are too long before or after; people"
                                                " can join them", (long long)before, SLICE_ARG(value)),
                                   arena_printf(arena, "INC-%lld も %.*s に関するものですが、時間が離れているため統合していません（手動で統合できます）",
                                                (long long)before, SLICE_ARG(value)), err) < 0 ||
                      incident_relate(work->join->database, incident, "also_seen", before, "also_seen", link, err) < 0)
               ? -1
               : 0;
}

/* What hid such findings until lately is why nobody saw it come. */
static int tell_ended(struct work *work, int64_t incident, struct err *err)
{
    const struct exception_list *list = &work->join->memory->exceptions;
    struct arena *arena = work->join->arena;
    for (size_t i = 0; i < list->count; i++) {
        const struct exception *past = &list->rows[i];
        char when[TIME_TEXT_SIZE];
        if (exception_end(past) > work->gather.now || !exception_fits(past, work->finding))
            continue;
        int len = (int)time_format(exception_end(past), when);
        long long id = past->id;
        if (gather_entry(&work->gather, incident, "link", SLICE_NONE,
                         arena_printf(arena, "%s %lld kept findings like this quiet until %.*s (%.*s; owner %.*s). It has ended.",
                                      past->mute ? "Mute" : "Exception", id, len, when, SLICE_ARG(past->reason), SLICE_ARG(past->owner)),
                         arena_printf(arena, "%s %lld が %.*s まで同様の検知を抑えていました（%.*s、担当 %.*s）。期限が切れました。",
                                      past->mute ? "ミュート" : "例外", id, len, when, SLICE_ARG(past->reason), SLICE_ARG(past->owner)),
                         err) < 0)
            return -1;
    }
    return 0;
}

static int open_new(struct work *work, struct err *err)
{
    struct incident incident = {
        .opened_ns = work->gather.now, .updated_ns = work->gather.now, .finding_count = 1,
        .severity = work->finding->severity, .raw_severity = work->finding->severity,
        .first_event_ns = work->finding->event_ns, .last_event_ns = work->finding->event_ns};
    gather_words(&incident, work->finding, work->texts);
    if (incident_insert(work->join->database, &incident, err) < 0 ||
        gather_entry(&work->gather, incident.id, "state", SLICE_NONE, SLICE("The incident was opened"),
                     SLICE("インシデントが発生しました"), err) < 0 ||
        tell_before(work, incident.id, err) < 0 || tell_ended(work, incident.id, err) < 0 || add_to(work, &incident, err) < 0 ||
        incident_update(work->join->database, &incident, err) < 0 || gather_tell(&work->gather, incident.id, "opened", err) < 0 ||
        gather_wake(&work->gather, incident.id, work->finding, err) < 0)
        return -1;
    gather_changed(work->gather.result, incident.id);
    return 0;
}

/* ---- into one that is there ---- */

/* People took them apart: they stay so. */
static int were_split(struct work *work, int64_t a, int64_t b, struct err *err)
{
    struct query *query;
    if (query_begin(work->join->database, "SELECT 1 FROM incident_relations WHERE incident=?1 AND other=?2 AND kind IN"
                    " ('split_from','split_to') LIMIT 1", &query, err) < 0)
        return -1;
    query_i64(query, 1, a);
    query_i64(query, 2, b);
    int result = query_step(query, err);
    query_end(query);
    return result;
}

/* The oldest, unless it and another were taken apart: then the one that shares most. */
static int choose(struct work *work, size_t *out, struct err *err)
{
    *out = 0;
    for (size_t i = 1; i < work->found_count; i++) {
        int split = work->found[i].shared > work->found[*out].shared
                        ? were_split(work, work->found[*out].id, work->found[i].id, err)
                        : 0;
        if (split < 0)
            return -1;
        if (split)
            *out = i;
    }
    return 0;
}

static int merge_others(struct work *work, struct incident *into, struct err *err)
{
    const struct gather_why why = {0};
    for (size_t i = 0; i < work->found_count; i++) {
        int split = work->found[i].id == into->id ? 1 : were_split(work, into->id, work->found[i].id, err);
        if (split < 0 || (split == 0 && gather_merge(&work->gather, into, work->found[i].id, &why, err) < 0))
            return -1;
    }
    return 0;
}

static void take_in(struct work *work, struct incident *incident)
{
    const struct finding *finding = work->finding;
    if (loudness(work) > incident->raw_severity) {
        incident->raw_severity = finding->severity;
        incident->severity = incident_severity(incident->raw_severity, incident->criticality);
        gather_words(incident, finding, work->texts);
    }
    incident->finding_count++;
    incident->updated_ns = work->gather.now;
    if (finding->event_ns < incident->first_event_ns)
        incident->first_event_ns = finding->event_ns;
    if (finding->event_ns > incident->last_event_ns)
        incident->last_event_ns = finding->event_ns;
}

static int join_found(struct work *work, struct err *err)
{
    struct incident incident;
    struct join_result *result = work->gather.result;
    size_t at;
    if (choose(work, &at, err) < 0 ||
        incident_read_head(work->join->database, work->found[at].id, work->join->arena, &incident, err) < 0)
        return -1;
    enum severity before = incident.severity;
    size_t changed_at = result->changed_count;
    gather_changed(result, incident.id); /* before those merged into it: the gate hears of it first */
    size_t changed_then = result->changed_count;
    if (merge_others(work, &incident, err) < 0)
        return -1;
    take_in(work, &incident);
    int added = add_to(work, &incident, err);
    if (added < 0 || incident_update(work->join->database, &incident, err) < 0)
        return -1;
    if (incident.severity == before && added == 0 && result->changed_count == changed_then)
        result->changed_count = changed_at;
    if (incident.severity <= before || work->row.mute)
        return 0;
    return gather_tell(&work->gather, incident.id, "severity", err) < 0
               ? -1
               : gather_wake(&work->gather, incident.id, work->finding, err);
}

/* ---- into none ---- */

static int keep_loose(struct work *work, struct err *err)
{
    struct join_memory *memory = work->join->memory;
    if (work->stored)
        return 0;
    if (finding_insert(work->join->database, &work->row, err) < 0 ||
        hubs_note(&memory->hubs, work->links, work->link_count, 0, work->finding->event_ns, err) < 0 ||
        (!work->row.exception && finding_add_links(work->join->database, work->row.number, work->links, work->link_count,
                                                   work->finding->event_ns, err) < 0))
        return -1;
    return memory->loose++ % LOOSE_LOOK_EVERY ? 0 : finding_trim(work->join->database, err);
}

/* ---- what people keep quiet ---- */

static int read_exceptions(struct join *join, int64_t now, struct err *err)
{
    struct join_memory *memory = join->memory;
    if (!memory->exceptions_stale)
        return 0;
    arena_reset(memory->arena);
    memory->exceptions = (struct exception_list){0};
    if (exceptions_read(join->database, now - EXCEPTION_ENDED_DAYS * NS_PER_DAY, memory->arena, &memory->exceptions, err) < 0)
        return -1;
    memory->exceptions_stale = false;
    return 0;
}

/* An exception goes before a mute. */
static int look_for_quiet(struct work *work, struct err *err)
{
    const struct exception_list *list = &work->join->memory->exceptions;
    if (read_exceptions(work->join, work->gather.now, err) < 0)
        return -1;
    for (size_t i = 0; i < list->count && !work->row.exception; i++) {
        const struct exception *row = &list->rows[i];
        if (exception_end(row) <= work->gather.now || (row->mute && work->row.mute) || !exception_fits(row, work->finding))
            continue;
        *(row->mute ? &work->row.mute : &work->row.exception) = row->id;
    }
    int64_t id = work->row.exception ? work->row.exception : work->row.mute;
    if (work->row.exception)
        work->row.mute = 0;
    return id ? exception_count(work->join->database, id, work->gather.now, err) : 0;
}

/* ---- smaller ones of before ---- */

static int add_pending(struct work *work, const struct incident_entity *by, struct pending *pending, struct err *err)
{
    struct query *query;
    int result;
    int64_t window = window_of(work->join, &by->entity), at = work->finding->event_ns;
    if (query_begin(work->join->database, "SELECT finding FROM finding_links WHERE link=?1 AND event_ns BETWEEN ?2 AND ?3"
                    " ORDER BY finding", &query, err) < 0)
        return -1;
    query_text(query, 1, by->link);
    query_i64(query, 2, at - window);
    query_i64(query, 3, at + window);
    while ((result = query_step(query, err)) == 1) {
        if (pending->count == JOIN_ADOPT_MAX) {
            pending->more = true;
            result = 0;
            break;
        }
        pending->numbers[pending->count++] = query_get_i64(query, 0);
    }
    query_end(query);
    return result;
}

static int find_pending(struct work *work, bool all, struct pending *pending, struct err *err)
{
    if (!work->incident)
        return 0;
    for (size_t i = 0; i < work->entity_count; i++)
        if (work->entities[i].glue && (work->entities[i].added || all) &&
            add_pending(work, &work->entities[i], pending, err) < 0)
            return -1;
    return 0;
}

static int place(struct work *work, struct err *err)
{
    if (find_all(work, err) < 0)
        return -1;
    if (work->found_count)
        return join_found(work, err);
    return loudness(work) >= SEVERITY_MEDIUM && !work->stored ? open_new(work, err) : keep_loose(work, err);
}

static int adopt_one(const struct work *first, int64_t number, struct pending *pending, struct err *err)
{
    struct finding finding;
    struct work *work = arena_calloc(first->join->arena, sizeof(*work));
    if (!work)
        return err_nomem(err);
    *work = (struct work){.gather = first->gather, .join = first->join, .finding = &finding, .stored = true};
    if (finding_read(first->join->database, NULL, number, first->join->arena, &finding, &work->row, err) < 0)
        return -1;
    if (work->row.incident) /* two links led to it */
        return 0;
    snprintf(work->line, sizeof(work->line), "%s", work->row.line);
    if (read_links(work, err) < 0 || place(work, err) < 0)
        return -1;
    return find_pending(work, false, pending, err);
}

/* Each may bring values that bring further ones. */
static int adopt(const struct work *first, struct err *err)
{
    struct pending pending = {.count = 0};
    struct join_memory *memory = first->join->memory;
    struct work copy = *first;
    if (find_pending(&copy, memory->unfinished, &pending, err) < 0)
        return -1;
    const struct join_result *result = first->gather.result;
    while (pending.done < pending.count && result->changed_count + JOIN_FOUND_MAX + 1 <= JOIN_CHANGED_MAX)
        if (adopt_one(first, pending.numbers[pending.done++], &pending, err) < 0)
            return -1;
    if (first->incident)
        memory->unfinished = pending.more || pending.done < pending.count;
    return 0;
}

/* ---- taking back ---- */

/* Only told: what was opened stays open until a person has looked. What is closed does not change. */
static int take_back(struct work *work, struct err *err)
{
    const struct finding *finding = work->finding;
    struct arena *arena = work->join->arena;
    struct query *query;
    if (query_begin(work->join->database, "SELECT f.incident FROM findings f JOIN incidents i ON i.id=f.incident WHERE f.id=?1 AND"
                    " i.state!='closed'", &query, err) < 0)
        return -1;
    query_text(query, 1, finding->retracts);
    int result = query_step(query, err);
    work->row.incident = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    if (result < 0 || finding_insert(work->join->database, &work->row, err) < 0)
        return -1;
    if (!work->row.incident)
        return 0;
    struct slice en = finding->explanation_en.len ? finding->explanation_en : finding_title(finding);
    struct slice ja = finding->explanation_ja.len ? finding->explanation_ja : finding_title(finding);
    struct timeline_entry entry = {
        .time_ns = work->gather.now, .kind = "finding", .en = arena_printf(arena, "Taken back: %.*s", SLICE_ARG(en)),
        .ja = arena_printf(arena, "取り消し: %.*s", SLICE_ARG(ja)), .rule = finding_rule(finding), .severity = finding->severity};
    if (finding_evidence_json(finding, arena, &entry.evidence, err) < 0)
        return -1;
    return incident_add_entry(work->join->database, work->row.incident, &entry, err);
}

/* ---- from outside ---- */

int join_memory_init(struct join_memory *memory, struct database *database, struct err *err)
{
    *memory = (struct join_memory){.exceptions_stale = true, .unfinished = true, .arena = arena_new(16 * MIB)};
    if (!memory->arena)
        return err_nomem(err);
    return hubs_init(&memory->hubs, database, err);
}

void join_memory_close(struct join_memory *memory)
{
    hubs_close(&memory->hubs);
    assets_free(memory->assets);
    arena_free(memory->arena);
}

int join_finding(struct join *join, const struct finding *finding,
                 const struct respond_texts *texts, int64_t now, struct join_result *result,
                 struct err *err)
{
    struct work work = {.gather = {join, now, result}, .join = join, .finding = finding, .texts = texts,
                        .row = {.finding = finding, .filed_ns = now}};
    *result = (struct join_result){0};
    int known = finding_is_known(join->database, finding->id, err);
    if (known != 0)
        return known < 0 ? -1 : 0;
    finding_line(finding, work.line);
    work.row.line = work.line;
    if (finding->retracts.len)
        return take_back(&work, err);
    if (read_links(&work, err) < 0 || look_for_quiet(&work, err) < 0)
        return -1;
    if (work.row.exception)
        return keep_loose(&work, err);
    return place(&work, err) < 0 ? -1 : adopt(&work, err);
}
