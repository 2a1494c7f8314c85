#include "respond/wake/waking_plan.h"

#include "base/duration.h"
#include "cut/yaml.h"

#include <stdio.h>

struct reading {
    struct plan *plan;
    const struct calendars *calendars;
    struct arena *arena;
    struct err *err;
};

/* ---- small things ---- */

static int wrong(struct reading *reading, const struct yaml_node *node, const char *sentence)
{
    return yaml_err(reading->err, node, "%s", sentence);
}

static int check_keys(struct reading *reading, const struct yaml_node *node, const char *const *keys, const char *what)
{
    if (!node || node->kind != YAML_MAPPING)
        return yaml_err(reading->err, node, "%s is a mapping (name: value)", what);
    for (size_t i = 0; i < node->count; i++) {
        const char *const *key = keys;
        while (*key && !slice_is(node->entries[i].key->text, *key))
            key++;
        if (!*key)
            return yaml_err(reading->err, node->entries[i].key, "%s has no '%.*s'", what,
                            SLICE_ARG(node->entries[i].key->text));
    }
    return 0;
}

static int read_duration(struct reading *reading, const struct yaml_node *node, int64_t *to)
{
    struct slice text = yaml_text(node, SLICE(""));
    if (!node || duration_parse(text, to))
        return 0;
    int64_t n;
    if (slice_ends(text, SLICE("m")) && slice_to_i64(slice_sub(text, 0, text.len - 1), &n) && n == 0) {
        *to = 0;
        return 0;
    }
    return wrong(reading, node, "a duration such as 5m, 1h or 2d is needed");
}

static bool read_minute(struct slice text, int *to)
{
    struct slice hour, minute;
    int64_t h, m;
    if (!slice_cut(text, ':', &hour, &minute) || minute.len != 2 || !slice_to_i64(hour, &h) ||
        !slice_to_i64(minute, &m) || h < 0 || m < 0 || m > 59 || h > 24 || (h == 24 && m))
        return false;
    *to = (int)(h % 24 * 60 + m);
    return true;
}

static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int weekday_of(struct slice name)
{
    for (int i = 0; i < 7; i++)
        if (slice_is_nocase(name, weekday_names[i]))
            return i;
    return -1;
}

/* "mon-fri", "sat,sun", "daily" */
static bool read_weekdays(struct slice text, unsigned *to)
{
    struct slice part, first, last;
    *to = 0;
    if (slice_is(text, "daily")) {
        *to = 127;
        return true;
    }
    while (text.len && slice_next_part(&text, ',', &part)) {
        part = slice_trim(part);
        if (!slice_cut(part, '-', &first, &last))
            first = last = part;
        int from = weekday_of(slice_trim(first)), until = weekday_of(slice_trim(last));
        if (from < 0 || until < 0)
            return false;
        for (int day = from;; day = (day + 1) % 7) {
            *to |= 1U << day;
            if (day == until)
                break;
        }
    }
    return *to != 0;
}

static int read_hours(struct reading *reading, const struct yaml_node *node, const char *what, struct plan_hours *to)
{
    static const char *const keys[] = {"days", "from", "to", "holidays", "policy", NULL};
    const struct yaml_node *days = yaml_get(node, "days"), *holidays = yaml_get(node, "holidays");
    if (check_keys(reading, node, keys, what) < 0)
        return -1;
    *to = (struct plan_hours){.weekdays = 127};
    if (days && !read_weekdays(yaml_text(days, SLICE("")), &to->weekdays))
        return wrong(reading, days, "days are such as daily, mon-fri or sat,sun");
    const struct yaml_node *from = yaml_get(node, "from"), *until = yaml_get(node, "to");
    if ((from && !read_minute(yaml_text(from, SLICE("")), &to->from_minute)) ||
        (until && !read_minute(yaml_text(until, SLICE("")), &to->to_minute)))
        return wrong(reading, from ? from : until, "from and to are times of the day such as \"22:00\", in quotes");
    if (!from != !until)
        return wrong(reading, node, "from and to go together");
    if (holidays && !slice_is(yaml_text(holidays, SLICE("")), "skip"))
        return wrong(reading, holidays, "holidays: skip is all that can be said of them here");
    if (holidays && !reading->plan->holidays)
        return wrong(reading, holidays, "name a calendar at the top first, such as holidays: japan");
    to->without_holidays = holidays != NULL;
    return 0;
}

/* One text stands for a list of one. */
static int read_names(struct reading *reading, const struct yaml_node *node, size_t most, const struct slice **out,
                      size_t *count)
{
    if (!node || node->kind == YAML_MAPPING)
        return wrong(reading, node, "a list of names is needed here");
    bool one = node->kind == YAML_SCALAR;
    *count = one ? 1 : node->count;
    struct slice *names = arena_array(reading->arena, *count + 1, sizeof(*names));
    if (!names)
        return err_nomem(reading->err);
    if (*count == 0 || *count > most)
        return yaml_err(reading->err, node, "1 to %zu names are needed here", most);
    for (size_t i = 0; i < *count; i++) {
        names[i] = yaml_text(one ? node : node->entries[i].value, SLICE_NONE);
        if (!names[i].len)
            return wrong(reading, node, "a name is needed here");
        for (size_t k = 0; k < i; k++)
            if (slice_equal(names[k], names[i]))
                return yaml_err(reading->err, node, "'%.*s' is named twice", SLICE_ARG(names[i]));
    }
    *out = names;
    return 0;
}

static int check_people(struct reading *reading, const struct yaml_node *node, const struct slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!plan_has_person(reading->plan, names[i]))
            return yaml_err(reading->err, node, "'%.*s' is not among the people of this plan", SLICE_ARG(names[i]));
    return 0;
}

/* ---- rotations ---- */

static int read_turn(struct reading *reading, const struct yaml_node *node, struct plan_rotation *to)
{
    int64_t every = 7 * NS_PER_DAY;
    if (read_duration(reading, node, &every) < 0)
        return -1;
    to->every_days = every < NS_PER_DAY ? 1 : every / NS_PER_DAY;
    to->turns_per_day = every < NS_PER_DAY && every > 0 ? NS_PER_DAY / every : 1;
    bool days = every >= NS_PER_DAY && every % NS_PER_DAY == 0;
    bool hours = every >= NS_PER_HOUR && every < NS_PER_DAY && every % NS_PER_HOUR == 0 && NS_PER_DAY % every == 0;
    if (!days && !hours)
        return wrong(reading, node, "turns are whole days (1d, 1w, 2w) or hours that divide a day (1h, 2h, 3h, 4h, 6h, 8h, 12h)");
    return 0;
}

static int read_start(struct reading *reading, const struct yaml_node *node, struct plan_rotation *to)
{
    int64_t at;
    bool zone;
    struct slice text = yaml_text(node, SLICE(""));
    char full[24];
    if (text.len == 16 && snprintf(full, sizeof(full), "%.*s:00", SLICE_ARG(text)) > 0)
        text = slice_text(full);
    if (!time_parse_rfc3339(text, &at, &zone) || zone)
        return wrong(reading, node, "from is the local time of a handover, such as 2026-11-02 09:00");
    time_split(at, &to->start);
    return 0;
}

static int read_zone(struct reading *reading, const struct yaml_node *node, const struct zone **to)
{
    if (!node)
        return 0;
    *to = zone_find(yaml_text(node, SLICE("?")));
    return *to ? 0 : yaml_err(reading->err, node, "there is no time zone '%.*s'; such as Asia/Tokyo",
                              SLICE_ARG(yaml_text(node, SLICE(""))));
}

static int read_rotation(struct reading *reading, const struct yaml_node *node, struct plan_rotation *to)
{
    static const char *const keys[] = {"people", "every", "from", "time_zone", "only", NULL};
    const struct yaml_node *people = yaml_get(node, "people"), *only = yaml_get(node, "only");
    to->zone = reading->plan->zone;
    if (check_keys(reading, node, keys, "a rotation") < 0 ||
        read_names(reading, people ? people : node, PLAN_PEOPLE_MAX, &to->people, &to->count) < 0 ||
        check_people(reading, people, to->people, to->count) < 0 ||
        read_turn(reading, yaml_get(node, "every"), to) < 0 ||
        read_zone(reading, yaml_get(node, "time_zone"), &to->zone) < 0)
        return -1;
    if (!yaml_get(node, "from"))
        return wrong(reading, node, "a rotation needs from: the local time of a handover, such as 2026-11-02 09:00");
    to->has_hours = only != NULL;
    return read_start(reading, yaml_get(node, "from"), to) < 0 ||
                   (only && read_hours(reading, only, "only", &to->hours) < 0)
               ? -1
               : 0;
}

static int read_schedule(struct reading *reading, const struct yaml_entry *entry, struct plan_schedule *to)
{
    static const char *const keys[] = {"rotations", NULL};
    const struct yaml_node *list = yaml_get(entry->value, "rotations");
    to->name = entry->key->text;
    if (check_keys(reading, entry->value, keys, "a schedule") < 0)
        return -1;
    if (plan_has_person(reading->plan, to->name) || slice_is(to->name, "everyone"))
        return wrong(reading, entry->key, "a schedule is not named like a person, or everyone");
    if (!list || list->kind != YAML_SEQUENCE || !list->count || list->count > PLAN_ROTATIONS_MAX)
        return yaml_err(reading->err, entry->value, "a schedule has a list of 1 to %d rotations", PLAN_ROTATIONS_MAX);
    struct plan_rotation *rotations = arena_array(reading->arena, list->count, sizeof(*rotations));
    if (!rotations)
        return err_nomem(reading->err);
    for (size_t i = 0; i < list->count; i++)
        if (read_rotation(reading, list->entries[i].value, &rotations[i]) < 0)
            return -1;
    to->rotations = rotations;
    to->count = list->count;
    return 0;
}

static int read_schedules(struct reading *reading, const struct yaml_node *node)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count > PLAN_SCHEDULES_MAX)
        return yaml_err(reading->err, node, "on_call names at most %d schedules", PLAN_SCHEDULES_MAX);
    struct plan_schedule *schedules = arena_array(reading->arena, node->count + 1, sizeof(*schedules));
    if (!schedules)
        return err_nomem(reading->err);
    reading->plan->schedules = schedules;
    for (size_t i = 0; i < node->count; i++) {
        if (read_schedule(reading, &node->entries[i], &schedules[i]) < 0)
            return -1;
        reading->plan->schedule_count = i + 1;
    }
    return 0;
}

/* ---- policies ---- */

static int check_whom(struct reading *reading, const struct yaml_node *node, const struct plan_step *step)
{
    for (size_t i = 0; i < step->whom_count; i++)
        if (!slice_is(step->whom[i], "everyone") && !plan_has_person(reading->plan, step->whom[i]) &&
            !plan_schedule_find(reading->plan, step->whom[i]))
            return yaml_err(reading->err, node, "'%.*s' is neither a schedule of on_call nor a person, nor everyone",
                            SLICE_ARG(step->whom[i]));
    return 0;
}

static int read_step(struct reading *reading, const struct yaml_node *node, struct plan_step *to)
{
    static const char *const keys[] = {"at", "wake", "by", NULL};
    const struct yaml_node *wake = yaml_get(node, "wake"), *by = yaml_get(node, "by");
    if (check_keys(reading, node, keys, "a step") < 0 || read_duration(reading, yaml_get(node, "at"), &to->at_ns) < 0 ||
        read_names(reading, wake ? wake : node, PLAN_WHOM_MAX, &to->whom, &to->whom_count) < 0 ||
        check_whom(reading, wake, to) < 0)
        return -1;
    return by ? read_names(reading, by, RESPOND_NOTIFIERS_MAX, &to->by, &to->by_count) : 0;
}

static int read_steps(struct reading *reading, const struct yaml_node *policy, struct plan_policy *to)
{
    const struct yaml_node *list = yaml_get(policy, "steps");
    if (!list || list->kind != YAML_SEQUENCE || !list->count || list->count > PLAN_STEPS_MAX)
        return yaml_err(reading->err, policy, "a policy has a list of 1 to %d steps", PLAN_STEPS_MAX);
    struct plan_step *steps = arena_array(reading->arena, list->count, sizeof(*steps));
    if (!steps)
        return err_nomem(reading->err);
    for (size_t i = 0; i < list->count; i++) {
        if (read_step(reading, list->entries[i].value, &steps[i]) < 0)
            return -1;
        if (i && steps[i].at_ns <= steps[i - 1].at_ns)
            return wrong(reading, list->entries[i].value, "each step is later than the one before: say at: 5m and so on");
    }
    to->steps = steps;
    to->count = list->count;
    return 0;
}

static int read_unanswered(struct reading *reading, const struct yaml_node *node, struct plan_policy *to)
{
    static const char *const keys[] = {"after", "do", "playbook", NULL};
    struct slice what = yaml_text(yaml_get(node, "do"), SLICE("tighten_gate"));
    if (!node)
        return 0;
    if (check_keys(reading, node, keys, "unanswered") < 0 ||
        read_duration(reading, yaml_get(node, "after"), &to->unanswered_after_ns) < 0)
        return -1;
    if (to->unanswered_after_ns < NS_PER_MINUTE)
        return wrong(reading, node, "unanswered needs after: a minute or more");
    if (!slice_is(what, "tighten_gate") && !slice_is(what, "nothing"))
        return wrong(reading, yaml_get(node, "do"), "do is tighten_gate or nothing");
    to->tighten_gate = slice_is(what, "tighten_gate");
    to->playbook = yaml_text(yaml_get(node, "playbook"), SLICE(""));
    return 0;
}

static int read_policy(struct reading *reading, const struct yaml_entry *entry, struct plan_policy *to)
{
    static const char *const keys[] = {"steps", "again_after", "rounds", "unanswered", NULL};
    const struct yaml_node *rounds = yaml_get(entry->value, "rounds"), *again = yaml_get(entry->value, "again_after");
    to->name = entry->key->text;
    to->playbook = SLICE("");
    to->again_after_ns = 10 * NS_PER_MINUTE;
    if (check_keys(reading, entry->value, keys, "a policy") < 0 || read_steps(reading, entry->value, to) < 0 ||
        read_duration(reading, again, &to->again_after_ns) < 0 ||
        read_unanswered(reading, yaml_get(entry->value, "unanswered"), to) < 0)
        return -1;
    if (to->again_after_ns < NS_PER_MINUTE)
        return wrong(reading, again, "again_after is a minute or more");
    if (rounds && (!yaml_to_i64(rounds, &to->rounds) || to->rounds < 1 || to->rounds > PAGE_ROUNDS_MAX))
        return yaml_err(reading->err, rounds, "rounds is 1 to %d; left out, it goes on until somebody answers",
                        PAGE_ROUNDS_MAX);
    return 0;
}

static int read_policies(struct reading *reading, const struct yaml_node *node)
{
    if (!node || node->kind != YAML_MAPPING || !node->count || node->count > PLAN_POLICIES_MAX)
        return yaml_err(reading->err, node, "policies names 1 to %d ways of waking people", PLAN_POLICIES_MAX);
    struct plan_policy *policies = arena_array(reading->arena, node->count, sizeof(*policies));
    if (!policies)
        return err_nomem(reading->err);
    for (size_t i = 0; i < node->count; i++)
        if (read_policy(reading, &node->entries[i], &policies[i]) < 0)
            return -1;
    reading->plan->policies = policies;
    reading->plan->policy_count = node->count;
    return 0;
}

static int find_policy(struct reading *reading, const struct yaml_node *node, const struct plan_policy **to)
{
    struct slice name = yaml_text(node, SLICE_NONE);
    *to = name.ptr ? plan_policy_find(reading->plan, name) : NULL;
    return *to || slice_is(name, "none")
               ? 0
               : yaml_err(reading->err, node, "'%.*s' is no policy of this plan; none wakes nobody", SLICE_ARG(name));
}

static int read_route(struct reading *reading, const struct yaml_node *node, struct plan_route *to)
{
    static const char *const keys[] = {"severity", "rule", "policy", NULL};
    const struct yaml_node *severity = yaml_get(node, "severity");
    if (check_keys(reading, node, keys, "a route") < 0 || find_policy(reading, yaml_get(node, "policy"), &to->policy) < 0)
        return -1;
    to->least = severity ? severity_parse(yaml_text(severity, SLICE(""))) : SEVERITY_MEDIUM;
    if (to->least < SEVERITY_MEDIUM)
        return wrong(reading, severity, "severity is medium, high or critical: the least that this route is for; low never wakes anybody");
    to->rule = yaml_text(yaml_get(node, "rule"), SLICE_NONE);
    return 0;
}

/* Without routes high and critical go by the first policy. */
static int read_routes(struct reading *reading, const struct yaml_node *node)
{
    size_t count = node ? node->count : 1;
    if (node && (node->kind != YAML_SEQUENCE || count > PLAN_ROUTES_MAX))
        return yaml_err(reading->err, node, "routes is a list of at most %d", PLAN_ROUTES_MAX);
    struct plan_route *routes = arena_array(reading->arena, count + 1, sizeof(*routes));
    if (!routes)
        return err_nomem(reading->err);
    routes[0] = (struct plan_route){.least = SEVERITY_HIGH, .policy = reading->plan->policies};
    for (size_t i = 0; node && i < count; i++)
        if (read_route(reading, node->entries[i].value, &routes[i]) < 0)
            return -1;
    reading->plan->routes = routes;
    reading->plan->route_count = count;
    return 0;
}

/* ---- the rest ---- */

static int read_count(struct reading *reading, const struct yaml_node *node, int64_t *to)
{
    if (!node || (yaml_to_i64(node, to) && *to >= 0 && *to <= 1000))
        return 0;
    return wrong(reading, node, "a number of pages from 0 (no bound) to 1000 is needed");
}

static int read_budget(struct reading *reading, const struct yaml_node *node)
{
    static const char *const keys[] = {"pages_per_night", "pages_per_week", "night", NULL};
    struct plan *plan = reading->plan;
    plan->night = (struct plan_hours){22 * 60, 7 * 60, 127, false};
    plan->pages_per_night = 2;
    plan->pages_per_week = 10;
    if (!node)
        return 0;
    if (check_keys(reading, node, keys, "budget") < 0 ||
        read_count(reading, yaml_get(node, "pages_per_night"), &plan->pages_per_night) < 0 ||
        read_count(reading, yaml_get(node, "pages_per_week"), &plan->pages_per_week) < 0)
        return -1;
    return yaml_get(node, "night") ? read_hours(reading, yaml_get(node, "night"), "night", &plan->night) : 0;
}

static int read_drill(struct reading *reading, const struct yaml_node *node)
{
    struct plan *plan = reading->plan;
    plan->has_drill = true;
    plan->drill = (struct plan_hours){20 * 60, 22 * 60, 127, false};
    plan->drill_policy = plan->policies;
    if (!node)
        return 0;
    if (slice_is(yaml_text(node, SLICE("")), "never")) {
        plan->has_drill = false;
        return 0;
    }
    if (read_hours(reading, node, "drill", &plan->drill) < 0)
        return -1;
    return yaml_get(node, "policy") ? find_policy(reading, yaml_get(node, "policy"), &plan->drill_policy) : 0;
}

static int read_head(struct reading *reading, const struct yaml_node *node)
{
    const struct yaml_node *version = yaml_get(node, "version"), *holidays = yaml_get(node, "holidays");
    struct plan *plan = reading->plan;
    int64_t n;
    if (!yaml_to_i64(version, &n) || n != 1)
        return wrong(reading, version ? version : node, "this program reads plans of version: 1");
    if (read_zone(reading, yaml_get(node, "time_zone"), &plan->zone) < 0 ||
        read_names(reading, yaml_get(node, "people") ? yaml_get(node, "people") : node, PLAN_PEOPLE_MAX, &plan->people,
                   &plan->person_count) < 0)
        return -1;
    plan->holidays = holidays && reading->calendars ? calendar_find(reading->calendars, yaml_text(holidays, SLICE(""))) : NULL;
    return holidays && !plan->holidays ? wrong(reading, holidays, "there is no calendar of that name; such as japan") : 0;
}

static int read_plan(struct reading *reading, const struct yaml_node *node)
{
    static const char *const keys[] = {"version", "time_zone", "holidays", "people", "on_call", "policies", "routes",
                                       "quiet_hours", "budget", "drill", NULL};
    struct plan *plan = reading->plan;
    const struct yaml_node *quiet = yaml_get(node, "quiet_hours");
    plan->has_quiet = quiet != NULL;
    if (check_keys(reading, node, keys, "a waking plan") < 0 || read_head(reading, node) < 0 ||
        read_schedules(reading, yaml_get(node, "on_call")) < 0 || read_policies(reading, yaml_get(node, "policies")) < 0 ||
        read_routes(reading, yaml_get(node, "routes")) < 0 ||
        (quiet && read_hours(reading, quiet, "quiet_hours", &plan->quiet) < 0))
        return -1;
    return read_budget(reading, yaml_get(node, "budget")) < 0 ? -1 : read_drill(reading, yaml_get(node, "drill"));
}

int plan_parse(struct slice text, const struct calendars *calendars, struct arena *arena, const struct plan **out,
               struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    struct plan *plan = arena_calloc(arena, sizeof(*plan));
    struct reading reading = {plan, calendars, arena, err};
    *out = NULL;
    if (!plan)
        return err_nomem(err);
    if (text.len > PLAN_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a waking plan has at most %d bytes", PLAN_BYTES_MAX);
    plan->text = arena_copy(arena, text);
    if (!plan->text.ptr)
        return err_nomem(err);
    if (yaml_parse(text, arena, &documents, &count, err) < 0)
        return -1;
    if (count != 1)
        return err_set(err, ERR_CONFIG, "a waking plan is one YAML document");
    if (read_plan(&reading, documents[0]) < 0)
        return -1;
    *out = plan;
    return 0;
}

/* ---- asking ---- */

const struct plan_schedule *plan_schedule_find(const struct plan *plan, struct slice name)
{
    for (size_t i = 0; i < plan->schedule_count; i++)
        if (slice_equal(plan->schedules[i].name, name))
            return &plan->schedules[i];
    return NULL;
}

const struct plan_policy *plan_policy_find(const struct plan *plan, struct slice name)
{
    for (size_t i = 0; i < plan->policy_count; i++)
        if (slice_equal(plan->policies[i].name, name))
            return &plan->policies[i];
    return NULL;
}

bool plan_has_person(const struct plan *plan, struct slice name)
{
    for (size_t i = 0; i < plan->person_count; i++)
        if (slice_equal(plan->people[i], name))
            return true;
    return false;
}

const struct plan_policy *plan_route(const struct plan *plan, enum severity severity, struct slice rule)
{
    for (size_t i = 0; i < plan->route_count; i++) {
        const struct plan_route *route = &plan->routes[i];
        if (severity >= route->least && (!route->rule.len || slice_equal(route->rule, rule)))
            return route->policy;
    }
    return NULL;
}
