#include "schedule/schedule_findings.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/time.h"
#include "event/schema.h"
#include "search/rows.h"

#include <stdio.h>

/* Rows that become one finding. */
struct group {
    struct group *next; /* in the order they came */
    struct slice key;
    uint32_t *rows;
    uint32_t count, size;
};

struct work {
    struct schedule_rows *rows;
    const struct batch *batch;
    struct group *first, **last;
    struct map groups, quiet; /* quiet: keys of this run */
    uint64_t evidence_left, entities_left; /* out of a finding by a bound */
    bool failed; /* memory is out */
};

/* ---- one finding ---- */

static void set_id(struct finding *finding, const struct schedule_subject *subject, struct slice key,
                   struct arena *arena)
{
    struct finding id = {.rule_id = finding->rule_id,
                         .group_key = arena_printf(arena, "%lld %.*s", (long long)subject->due_ns,
                                                   SLICE_ARG(key))};
    finding_set_id(&id);
    memcpy(finding->id, id.id, sizeof(finding->id));
}

static struct slice rule_id(const struct schedule_subject *subject, const char *kind, struct arena *arena)
{
    return arena_printf(arena, "%s/%.*s%s%.*s", kind, SLICE_ARG(subject->scope), subject->scope.len ? "/" : "",
                        SLICE_ARG(subject->search));
}

/* Findings of one search that name nothing else belong together by its name. */
static const struct entity *about_itself(const struct schedule_subject *subject, struct arena *arena)
{
    struct entity *entity = arena_alloc(arena, sizeof(*entity));
    if (entity)
        *entity = (struct entity){SLICE("saved_search"), subject->search};
    return entity;
}

int schedule_finding_system(const struct schedule_subject *subject, const char *kind, struct slice en,
                            struct slice ja, int64_t raised_ns, struct arena *arena, struct finding *out,
                            struct err *err)
{
    char id[64];
    snprintf(id, sizeof(id), "hinomi.schedule.%s", kind);
    *out = (struct finding){.rule_id = rule_id(subject, id, arena),
                            .rule_name = arena_copy(arena, slice_text(id)),
                            .title = en, .severity = SEVERITY_MEDIUM,
                            .explanation_en = en, .explanation_ja = ja,
                            .entities = about_itself(subject, arena), .entity_count = 1,
                            .event_ns = subject->due_ns, .raised_ns = raised_ns};
    set_id(out, subject, SLICE(""), arena);
    return out->rule_id.ptr && out->rule_name.ptr && out->entities && en.ptr && ja.ptr ? 0 : err_nomem(err);
}

/* ---- texts ---- */

static void put_values(struct buffer *to, const struct batch *batch, uint32_t row, struct slice field,
                       struct arena *arena)
{
    const struct column *column = batch_find(batch, schema_alias(field));
    uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
    if (count == 0)
        buffer_put_char(to, '-');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buffer_put_text(to, ", ");
        buffer_put(to, value_text(column_value(column, first + i), arena));
    }
}

/* The name between two $, when there is one. */
static bool take_name(struct slice text, struct slice *name)
{
    ptrdiff_t end = slice_find_char(slice_from(text, 1), '$');
    *name = slice_sub(text, 1, end > 0 ? (size_t)end : 0);
    return end > 0 && slice_find_char(*name, ' ') < 0;
}

/* $field$ becomes the values of the group's first row. A text that is too long ends visibly. */
static struct slice fill_title(struct work *work, struct slice title, const struct group *group)
{
    struct arena *arena = work->rows->arena;
    struct buffer to;
    struct slice name;
    buffer_init(&to, MIB);
    if (!title.ptr)
        title = work->rows->subject.search;
    while (title.len && to.len <= SCHEDULE_TEXT_MAX) {
        bool field = title.ptr[0] == '$' && group->count && take_name(title, &name);
        if (field)
            put_values(&to, work->batch, group->rows[0], name, arena);
        else
            buffer_put_char(&to, title.ptr[0]);
        title = slice_from(title, field ? name.len + 2 : 1);
    }
    size_t len = to.len;
    if (len > SCHEDULE_TEXT_MAX) {
        for (len = SCHEDULE_TEXT_MAX; len > 0 && ((unsigned char)to.ptr[len] & 0xc0) == 0x80;)
            len--;
    }
    struct slice out = buffer_failed(&to)
                           ? SLICE_NONE
                           : arena_printf(arena, "%.*s%s", (int)len, to.len ? to.ptr : "", len < to.len ? " ..." : "");
    buffer_close(&to);
    return out;
}

static int set_texts(struct work *work, const struct group *group, struct finding *out, struct err *err)
{
    const struct schedule_rows *rows = work->rows;
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    from[time_format(rows->from_ns, from)] = '\0';
    to[time_format(rows->to_ns, to)] = '\0';
    struct slice ja = fill_title(work, rows->schedule->title_ja, group);
    out->title = fill_title(work, rows->schedule->title_en, group);
    if (!out->title.ptr || !ja.ptr)
        return err_nomem(err);
    out->explanation_en = arena_printf(rows->arena, "%.*s. Rows of the saved search %.*s between %s and %s: %u.",
                                       SLICE_ARG(out->title), SLICE_ARG(rows->subject.search), from, to,
                                       group->count);
    out->explanation_ja = arena_printf(rows->arena, "%.*s。保存した検索「%.*s」の %s から %s までの結果: %u 件。",
                                       SLICE_ARG(ja), SLICE_ARG(rows->subject.search), from, to, group->count);
    return out->explanation_en.ptr && out->explanation_ja.ptr ? 0 : err_nomem(err);
}

/* ---- entities and evidence ---- */

static bool has_entity(const struct entity *list, size_t count, const struct entity *entity)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(list[i].type, entity->type) && slice_equal(list[i].value, entity->value))
            return true;
    return false;
}

/* A text is the answer's own, which goes before the finding does. */
static struct slice copy_of(struct work *work, struct slice text)
{
    struct slice copy = text.ptr ? arena_copy(work->rows->arena, text) : SLICE_NONE;
    work->failed |= !copy.ptr;
    return copy;
}

static void add_field(struct work *work, const struct group *group, struct slice type, struct slice field,
                      struct entity *list, size_t *count)
{
    const struct column *column = batch_find(work->batch, schema_alias(field));
    for (uint32_t r = 0; column && r < group->count; r++) {
        uint32_t first, values = column_range(column, group->rows[r], &first);
        for (uint32_t i = 0; i < values; i++) {
            struct entity one = {type, value_text(column_value(column, first + i), work->rows->arena)};
            if (!one.value.len || has_entity(list, *count, &one))
                continue;
            if (*count == SCHEDULE_ENTITIES_MAX) {
                work->entities_left++;
                continue;
            }
            one.value = copy_of(work, one.value);
            list[(*count)++] = one;
        }
    }
}

static int set_entities(struct work *work, const struct group *group, struct finding *out,
                        struct err *err)
{
    const struct know_schedule *schedule = work->rows->schedule;
    size_t count = 0;
    struct entity *list = arena_array(work->rows->arena, SCHEDULE_ENTITIES_MAX, sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (size_t e = 0; e < schedule->entity_count; e++)
        for (size_t f = 0; f < schedule->entities[e].field_count; f++)
            add_field(work, group, schedule->entities[e].type, schedule->entities[e].fields[f], list, &count);
    out->entities = count ? list : about_itself(&work->rows->subject, work->rows->arena);
    out->entity_count = count ? count : 1;
    return out->entities && !work->failed ? 0 : err_nomem(err);
}

/* event.id of rows that are events, or what the search put there (stats values(event.id) as event.id). */
static int set_evidence(struct work *work, const struct group *group, struct finding *out,
                        struct err *err)
{
    const struct column *column = batch_find(work->batch, FIELD_EVENT_ID);
    struct evidence *list = arena_array(work->rows->arena, SCHEDULE_EVIDENCE_MAX, sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (uint32_t r = 0; column && r < group->count; r++) {
        uint32_t first, values = column_range(column, group->rows[r], &first);
        struct value time = batch_first(work->batch, group->rows[r], FIELD_TIMESTAMP);
        struct value seq = batch_first(work->batch, group->rows[r], FIELD_SEQ);
        for (uint32_t i = 0; i < values; i++) {
            if (column_value(column, first + i).type == VALUE_NULL)
                continue;
            if (out->evidence_count == SCHEDULE_EVIDENCE_MAX) {
                work->evidence_left++;
                continue;
            }
            list[out->evidence_count++] = (struct evidence){
                .event_id = copy_of(work, value_text(column_value(column, first + i), work->rows->arena)),
                .seq = seq.type == VALUE_I64 ? (uint64_t)seq.i64 : 0,
                .time_ns = time.type == VALUE_TIME ? time.i64 : 0};
        }
    }
    out->evidence = list;
    return work->failed ? err_nomem(err) : 0;
}

/* ---- groups ---- */

static int key_of(struct work *work, uint32_t row, const struct slice *fields, size_t count,
                  struct slice *out, struct err *err)
{
    struct slice names[SCHEDULE_FIELDS_MAX];
    struct field_list list = {.names = names, .count = count};
    bool failed = false;
    for (size_t i = 0; i < count; i++)
        names[i] = schema_alias(fields[i]);
    *out = count ? rows_key(work->batch, row, &list, work->rows->arena, &failed) : SLICE("");
    if (!out->ptr)
        *out = SLICE(""); /* a field is missing: rows without it are a group of their own */
    return failed ? err_nomem(err) : 0;
}

static struct group *group_of(struct work *work, struct slice key)
{
    void **slot = map_slot(&work->groups, key);
    if (!slot || *slot)
        return slot ? *slot : NULL;
    struct group *group = arena_calloc(work->rows->arena, sizeof(*group));
    if (!group)
        return NULL;
    group->key = key;
    *slot = *work->last = group;
    work->last = &group->next;
    return group;
}

static int add_row(struct work *work, uint32_t row, struct err *err)
{
    const struct know_schedule *schedule = work->rows->schedule;
    struct slice key;
    if (key_of(work, row, schedule->group_by, schedule->group_count, &key, err) < 0)
        return -1;
    struct group *group = group_of(work, key);
    if (!group)
        return err_nomem(err);
    if (group->count == group->size) {
        uint32_t size = group->size ? group->size * 2 : 8;
        uint32_t *rows = arena_array(work->rows->arena, size, sizeof(*rows));
        if (!rows)
            return err_nomem(err);
        if (group->count)
            memcpy(rows, group->rows, group->count * sizeof(*rows));
        group->rows = rows;
        group->size = size;
    }
    group->rows[group->count++] = row;
    return 0;
}

static bool compares(enum know_op op, int order)
{
    switch (op) {
    case KNOW_LESS:          return order < 0;
    case KNOW_LESS_EQUAL:    return order <= 0;
    case KNOW_GREATER:       return order > 0;
    case KNOW_GREATER_EQUAL: return order >= 0;
    case KNOW_EQUAL:         return order == 0;
    case KNOW_NOT_EQUAL:     return order != 0;
    }
    return false;
}

static bool number_fits(const struct know_schedule *schedule, struct value v, struct arena *arena)
{
    struct value number;
    return value_to_number(v, arena, &number) &&
           compares(schedule->when_op, value_compare_numbers(number, schedule->when_number));
}

static int collect_groups(struct work *work, struct err *err)
{
    const struct know_schedule *schedule = work->rows->schedule;
    if (!schedule->group_count && !schedule->when_field.len && !group_of(work, SLICE("")))
        return err_nomem(err); /* "rows = 0" is a finding without rows */
    for (uint32_t row = 0; row < work->batch->row_count; row++) {
        if (schedule->when_field.len &&
            !number_fits(schedule, batch_first(work->batch, row, schema_alias(schedule->when_field)),
                         work->rows->arena))
            continue;
        if (add_row(work, row, err) < 0)
            return -1;
    }
    return 0;
}

/* 1: it is quiet. Keys of this run count as well. */
static int is_quiet(struct work *work, const struct group *group, struct err *err)
{
    struct schedule_rows *rows = work->rows;
    const struct know_schedule *schedule = rows->schedule;
    struct slice key = SLICE("");
    int64_t until = 0;
    if (!schedule->suppress_ns)
        return 0;
    if (group->count && key_of(work, group->rows[0], schedule->suppress_by, schedule->suppress_count, &key, err) < 0)
        return -1;
    if (map_has(&work->quiet, key))
        return 1;
    if (rows->quiet_until(rows->context, key, &until, err) < 0)
        return -1;
    if (until > rows->subject.due_ns)
        return 1;
    if (map_put(&work->quiet, key, work) < 0)
        return err_nomem(err);
    rows->quiet[rows->quiet_count++] =
        (struct schedule_quiet){key, rows->subject.due_ns + schedule->suppress_ns};
    return 0;
}

static int make_finding(struct work *work, const struct group *group, struct err *err)
{
    struct schedule_rows *rows = work->rows;
    struct finding *out = &rows->findings[rows->finding_count];
    *out = (struct finding){.rule_id = rule_id(&rows->subject, "saved_search", rows->arena),
                            .rule_name = rows->subject.search,
                            .severity = rows->schedule->severity,
                            .group_key = group->key,
                            .event_ns = rows->subject.due_ns,
                            .raised_ns = rows->raised_ns};
    if (!out->rule_id.ptr)
        return err_nomem(err);
    set_id(out, &rows->subject, group->key, rows->arena);
    if (set_texts(work, group, out, err) < 0 || set_entities(work, group, out, err) < 0 ||
        set_evidence(work, group, out, err) < 0)
        return -1;
    rows->finding_count++;
    return 0;
}

static int add_group(struct work *work, const struct group *group, struct err *err)
{
    struct schedule_rows *rows = work->rows;
    const struct know_schedule *schedule = rows->schedule;
    if (!schedule->when_field.len && !number_fits(schedule, value_i64(group->count), rows->arena))
        return 0;
    rows->groups_seen++;
    if (rows->finding_count == SCHEDULE_FINDINGS_MAX)
        return 0;
    int quiet = is_quiet(work, group, err);
    if (quiet == 0)
        return make_finding(work, group, err);
    rows->suppressed += quiet > 0;
    return quiet < 0 ? -1 : 0;
}

static int say_cut(struct work *work, struct err *err)
{
    struct schedule_rows *rows = work->rows;
    uint64_t left = rows->groups_seen - rows->finding_count - (uint64_t)rows->suppressed;
    if (!left && !work->evidence_left && !work->entities_left)
        return 0;
    rows->cut = arena_printf(rows->arena, "%llu of %llu groups became no findings (at most %d), %llu event ids "
                             "(at most %d a finding) and %llu entities (at most %d) were left out",
                             (unsigned long long)left, (unsigned long long)rows->groups_seen,
                             SCHEDULE_FINDINGS_MAX, (unsigned long long)work->evidence_left,
                             SCHEDULE_EVIDENCE_MAX, (unsigned long long)work->entities_left,
                             SCHEDULE_ENTITIES_MAX);
    return rows->cut.ptr ? 0 : err_nomem(err);
}

int schedule_rows_read(struct schedule_rows *rows, const struct search_result *result, struct err *err)
{
    struct work work = {.rows = rows, .batch = result->rows, .last = &work.first};
    map_init(&work.groups, rows->arena);
    map_init(&work.quiet, rows->arena);
    rows->findings = arena_array(rows->arena, SCHEDULE_FINDINGS_MAX, sizeof(*rows->findings));
    rows->quiet = arena_array(rows->arena, SCHEDULE_FINDINGS_MAX, sizeof(*rows->quiet));
    if (!rows->findings || !rows->quiet)
        return err_nomem(err);
    if (collect_groups(&work, err) < 0)
        return -1;
    for (const struct group *group = work.first; group; group = group->next)
        if (add_group(&work, group, err) < 0)
            return -1;
    return say_cut(&work, err);
}
