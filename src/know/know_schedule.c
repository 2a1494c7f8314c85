/* know/schedule: the key schedule of a saved search (docs/schedules.md). */
#include "base/limits.h"
#include "base/time_modifier.h"
#include "know/know_read.h"

static int read_plan(const struct yaml_node *node, struct arena *arena, struct know_schedule *out,
                     struct err *err)
{
    struct slice every, cron, zone;
    struct err why;
    if (know_read_text(node, "every", false, &every, err) < 0 ||
        know_read_text(node, "cron", false, &cron, err) < 0 ||
        know_read_text(node, "zone", false, &zone, err) < 0)
        return -1;
    if (!every.ptr == !cron.ptr)
        return yaml_err(err, node, "a schedule says either every: 5m or cron: \"*/10 * * * *\"");
    zone = zone.ptr ? zone : SLICE("UTC");
    out->zone = zone_find(zone);
    if (!out->zone)
        return yaml_err(err, yaml_get(node, "zone"), "'%.*s' is no time zone; write one such as Asia/Tokyo",
                        SLICE_ARG(zone));
    out->plan = every.ptr ? arena_printf(arena, "every %.*s", SLICE_ARG(every))
                          : arena_printf(arena, "cron %.*s %.*s", SLICE_ARG(cron), SLICE_ARG(zone));
    if (!out->plan.ptr)
        return err_nomem(err);
    if (due_parse(out->plan, &out->due, &why) < 0)
        return yaml_err(err, yaml_get(node, every.ptr ? "every" : "cron"), "%s", why.text);
    return 0;
}

/* ---- when ---- */

static const struct {
    const char *text;
    enum know_op op;
} ops[] = {{"<=", KNOW_LESS_EQUAL}, {">=", KNOW_GREATER_EQUAL}, {"!=", KNOW_NOT_EQUAL},
           {"<", KNOW_LESS},        {">", KNOW_GREATER},        {"=", KNOW_EQUAL}};

static bool split_when(struct slice text, struct slice *field, enum know_op *op, struct slice *number)
{
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        struct slice sign = slice_text(ops[i].text);
        ptrdiff_t at = slice_find(text, sign);
        if (at < 0)
            continue;
        *field = slice_trim(slice_sub(text, 0, (size_t)at));
        *number = slice_trim(slice_from(text, (size_t)at + sign.len));
        *op = ops[i].op;
        return field->len > 0 && number->len > 0;
    }
    return false;
}

static int read_when(const struct yaml_node *node, struct arena *arena, struct know_schedule *out,
                     struct err *err)
{
    struct slice text, field, number;
    if (know_read_text(node, "when", false, &text, err) < 0)
        return -1;
    text = text.ptr ? text : SLICE("rows > 0");
    if (split_when(text, &field, &out->when_op, &number))
        out->when_number = value_from_number_text(number, arena);
    if (out->when_number.type != VALUE_I64 && out->when_number.type != VALUE_DECIMAL)
        return yaml_err(err, yaml_get(node, "when"), "when compares the number of rows or a field with a "
                        "number: rows > 0, count >= 100");
    if (slice_is(field, "rows")) {
        if (out->when_number.type != VALUE_I64 || out->when_number.i64 < 0 ||
            out->when_number.i64 >= SCHEDULE_ROWS_MAX)
            return yaml_err(err, yaml_get(node, "when"), "when: rows are compared with a whole number below "
                            "%d; count them in the search (stats count) and write when: count > N",
                            SCHEDULE_ROWS_MAX);
        return 0;
    }
    out->when_field = field;
    return 0;
}

/* ---- what becomes of rows ---- */

static int read_fields(const struct yaml_node *list, struct arena *arena, const struct slice **out,
                       size_t *count, struct err *err)
{
    if (know_read_texts(list, arena, out, count, err) < 0)
        return -1;
    return *count <= SCHEDULE_FIELDS_MAX
               ? 0
               : yaml_err(err, list, "here are at most %d fields", SCHEDULE_FIELDS_MAX);
}

static int read_entities(const struct yaml_node *node, struct arena *arena, struct know_schedule *out,
                         struct err *err)
{
    const struct yaml_node *map = yaml_get(node, "entities");
    if (yaml_is_null(map))
        return 0;
    if (map->kind != YAML_MAPPING || map->count > SCHEDULE_FIELDS_MAX)
        return yaml_err(err, map, "entities is a list of type: field, or type: [fields], such as "
                                  "user: user.name, of at most %d types", SCHEDULE_FIELDS_MAX);
    struct know_entity *list = arena_array(arena, map->count + 1, sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < map->count; i++) {
        list[i] = (struct know_entity){.type = map->entries[i].key->text};
        if (!list[i].type.len || list[i].type.len > KNOW_NAME_BYTES_MAX / 4)
            return yaml_err(err, map->entries[i].key, "here the type of an entity is needed: user, ip, host ...");
        if (read_fields(map->entries[i].value, arena, &list[i].fields, &list[i].field_count, err) < 0)
            return -1;
    }
    out->entities = list;
    out->entity_count = map->count;
    return 0;
}

static int read_title(const struct yaml_node *node, struct know_schedule *out, struct err *err)
{
    static const char *const keys[] = {"en", "ja", NULL};
    const struct yaml_node *title = yaml_get(node, "title");
    if (yaml_is_null(title))
        return 0;
    if (title->kind == YAML_SCALAR) {
        out->title_en = out->title_ja = title->text;
        return 0;
    }
    if (title->kind != YAML_MAPPING)
        return yaml_err(err, title, "title is a text, or one for en and one for ja");
    if (know_check_keys(title, keys, err) < 0 || know_read_text(title, "en", true, &out->title_en, err) < 0 ||
        know_read_text(title, "ja", false, &out->title_ja, err) < 0)
        return -1;
    if (!out->title_ja.ptr)
        out->title_ja = out->title_en;
    return 0;
}

static int read_severity(const struct yaml_node *node, struct know_schedule *out, struct err *err)
{
    struct slice text;
    if (know_read_text(node, "severity", false, &text, err) < 0)
        return -1;
    out->severity = text.ptr ? severity_parse(text) : SEVERITY_MEDIUM;
    if (out->severity == SEVERITY_NONE)
        return yaml_err(err, yaml_get(node, "severity"), "severity is low, medium, high or critical");
    return 0;
}

static int read_rest(const struct yaml_node *node, struct arena *arena, struct know_schedule *out,
                     struct err *err)
{
    if (read_fields(yaml_get(node, "group_by"), arena, &out->group_by, &out->group_count, err) < 0 ||
        read_fields(yaml_get(node, "suppress_by"), arena, &out->suppress_by, &out->suppress_count, err) < 0 ||
        know_read_span(node, "suppress", &out->suppress_ns, err) < 0 ||
        know_read_span(node, "catch_up", &out->catch_up_ns, err) < 0 ||
        know_read_bool(node, "enabled", &out->enabled, err) < 0 ||
        know_read_text(node, "owner", false, &out->owner, err) < 0)
        return -1;
    if (out->catch_up_ns > SCHEDULE_CATCH_UP_MAX_DAYS * NS_PER_DAY)
        return yaml_err(err, yaml_get(node, "catch_up"), "catch_up is at most %dd", SCHEDULE_CATCH_UP_MAX_DAYS);
    if (out->suppress_count && !out->suppress_ns)
        return yaml_err(err, yaml_get(node, "suppress_by"), "suppress_by needs suppress, such as 1h");
    if (!out->suppress_count) {
        out->suppress_by = out->group_by;
        out->suppress_count = out->group_count;
    }
    return 0;
}

/* Read for some moment: it is the same for others, but around a change of the clocks. */
static int check_window(const struct yaml_node *document, const struct know_saved_search *saved,
                        const struct know_schedule *schedule, struct err *err)
{
    const int64_t noon = INT64_C(1750000000) * NS_PER_SECOND;
    int64_t from, to = noon;
    struct err why;
    if (!saved->earliest.len)
        return yaml_err(err, document, "a scheduled search needs earliest, such as -10m: it counts from the "
                                       "time at which the search is due");
    if (time_modifier_read(saved->earliest, noon, schedule->zone, &from, &why) < 0)
        return yaml_err(err, yaml_get(document, "earliest"), "%s", why.text);
    if (saved->latest.len && time_modifier_read(saved->latest, noon, schedule->zone, &to, &why) < 0)
        return yaml_err(err, yaml_get(document, "latest"), "%s", why.text);
    return from < to ? 0 : yaml_err(err, yaml_get(document, "earliest"), "earliest is not before latest");
}

int know_read_schedule(const struct yaml_node *document, struct arena *arena,
                       struct know_saved_search *saved, struct err *err)
{
    static const char *const keys[] = {"every",    "cron",     "zone",  "when",     "group_by", "suppress",
                                       "suppress_by", "severity", "title", "entities", "enabled",  "owner",
                                       "catch_up", NULL};
    const struct yaml_node *node = yaml_get(document, "schedule");
    if (yaml_is_null(node))
        return 0;
    struct know_schedule *schedule = arena_calloc(arena, sizeof(*schedule));
    if (!schedule)
        return err_nomem(err);
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "schedule is a list of keys: every or cron, when, severity, title ...");
    schedule->enabled = true;
    schedule->catch_up_ns = SCHEDULE_CATCH_UP_HOURS * NS_PER_HOUR;
    if (know_check_keys(node, keys, err) < 0 || read_plan(node, arena, schedule, err) < 0 ||
        read_when(node, arena, schedule, err) < 0 || read_title(node, schedule, err) < 0 ||
        read_severity(node, schedule, err) < 0 || read_entities(node, arena, schedule, err) < 0 ||
        read_rest(node, arena, schedule, err) < 0 || check_window(document, saved, schedule, err) < 0)
        return -1;
    saved->schedule = schedule;
    return 0;
}
