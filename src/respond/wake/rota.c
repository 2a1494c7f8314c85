#include "respond/wake/rota.h"

enum { DAYS_AHEAD = 31, MINUTES_PER_DAY = 1440 };

/* ---- hours of days ---- */

static int64_t local_day(const struct zone *zone, int64_t now_ns)
{
    return time_day(now_ns + zone_offset(zone, now_ns) * NS_PER_SECOND);
}

int64_t plan_local(const struct zone *zone, int64_t day, int64_t minute)
{
    struct time_parts parts;
    int64_t utc_ns = 0;
    day += minute / MINUTES_PER_DAY;
    minute %= MINUTES_PER_DAY;
    time_split(day * NS_PER_DAY, &parts);
    parts.hour = (int)(minute / 60);
    parts.minute = (int)(minute % 60);
    (void)zone_to_utc(zone, &parts, 0, &utc_ns); /* days of a plan are all in range */
    return utc_ns;
}

static bool begins_on(const struct plan_hours *hours, const struct calendar *holidays, int64_t day)
{
    int weekday = (int)((day % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
    return (hours->weekdays >> weekday & 1) &&
           !(hours->without_holidays && holidays && calendar_holiday(holidays, day).len);
}

struct span {
    int64_t from_ns, to_ns;
};

static struct span span_of(const struct plan_hours *hours, const struct zone *zone, int64_t day)
{
    bool whole = hours->from_minute == hours->to_minute;
    int64_t next = hours->to_minute <= hours->from_minute ? MINUTES_PER_DAY : 0;
    return (struct span){plan_local(zone, day, whole ? 0 : hours->from_minute),
                         plan_local(zone, day, whole ? MINUTES_PER_DAY : hours->to_minute + next)};
}

bool plan_within(const struct plan_hours *hours, const struct zone *zone, const struct calendar *holidays,
                 int64_t now_ns, int64_t *changes_ns)
{
    int64_t today = local_day(zone, now_ns);
    for (int64_t day = today - 1; day <= today + DAYS_AHEAD; day++) {
        struct span span = span_of(hours, zone, day);
        if (!begins_on(hours, holidays, day) || span.to_ns <= now_ns)
            continue;
        bool within = span.from_ns <= now_ns;
        *changes_ns = within ? span.to_ns : span.from_ns;
        return within;
    }
    *changes_ns = now_ns + DAYS_AHEAD * NS_PER_DAY;
    return false;
}

int64_t plan_began(const struct plan_hours *hours, const struct zone *zone, const struct calendar *holidays, int64_t now_ns)
{
    int64_t today = local_day(zone, now_ns);
    for (int64_t day = today - 1; day <= today; day++) {
        struct span span = span_of(hours, zone, day);
        if (begins_on(hours, holidays, day) && span.from_ns <= now_ns && now_ns < span.to_ns)
            return span.from_ns;
    }
    return 0;
}

/* ---- turns ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t start_day(const struct plan_rotation *rotation)
{
    return time_days_from_civil(rotation->start.year, rotation->start.month, rotation->start.day);
}

/* When the turn begins; 0 is the first. */
static int64_t turn_begins(const struct plan_rotation *rotation, int64_t turn)
{
    int64_t per_day = rotation->turns_per_day, day = start_day(rotation);
    day += per_day > 1 ? floor_div(turn, per_day) : turn * rotation->every_days;
    int64_t within = per_day > 1 ? turn - floor_div(turn, per_day) * per_day : 0;
    return plan_local(rotation->zone, day,
                      rotation->start.hour * 60 + rotation->start.minute + within * MINUTES_PER_DAY / per_day);
}

static int64_t turn_at(const struct plan_rotation *rotation, int64_t now_ns)
{
    int64_t days = local_day(rotation->zone, now_ns) - start_day(rotation);
    int64_t turn = rotation->turns_per_day > 1 ? (days + 1) * rotation->turns_per_day
                                               : floor_div(days, rotation->every_days) + 1;
    while (turn_begins(rotation, turn) > now_ns)
        turn--;
    return turn;
}

/* ---- a schedule ---- */

struct asked {
    const struct plan *plan;
    const struct plan_schedule *schedule;
    const struct stand_in *stand_ins;
    size_t count;
    int64_t now_ns;
    struct rota_turn turn;
};

static void changes_at(struct asked *asked, int64_t at_ns)
{
    if (at_ns > asked->now_ns && at_ns < asked->turn.to_ns)
        asked->turn.to_ns = at_ns;
}

/* Whether that one has it, as far as the rotation goes. */
static bool covers(struct asked *asked, const struct plan_rotation *rotation, int64_t *turn)
{
    int64_t changes, begins = turn_begins(rotation, 0);
    if (asked->now_ns < begins) {
        changes_at(asked, begins);
        return false;
    }
    if (rotation->has_hours) {
        bool within = plan_within(&rotation->hours, rotation->zone, asked->plan->holidays, asked->now_ns, &changes);
        changes_at(asked, changes);
        if (!within)
            return false;
    }
    *turn = turn_at(rotation, asked->now_ns);
    asked->turn.from_ns = turn_begins(rotation, *turn);
    changes_at(asked, turn_begins(rotation, *turn + 1));
    return true;
}

static bool is_active(struct asked *asked, const struct stand_in *one)
{
    changes_at(asked, one->from_ns);
    changes_at(asked, one->to_ns);
    return one->from_ns <= asked->now_ns && asked->now_ns < one->to_ns;
}

static const struct stand_in *absence_of(struct asked *asked, struct slice person)
{
    const struct stand_in *found = NULL;
    for (size_t i = 0; i < asked->count; i++) {
        const struct stand_in *one = &asked->stand_ins[i];
        if (!one->schedule.len && is_active(asked, one) && slice_equal(one->away, person))
            found = one;
    }
    return found;
}

/* The turn's person, or the next one of the rotation who is not away. */
static void take_from_rotation(struct asked *asked, const struct plan_rotation *rotation, int64_t turn)
{
    for (size_t i = 0; i < rotation->count; i++) {
        int64_t at = (turn + (int64_t)i) % (int64_t)rotation->count;
        struct slice person = rotation->people[at];
        const struct stand_in *absence = absence_of(asked, person);
        if (!absence) {
            asked->turn.person = person;
            return;
        }
        asked->turn.by = absence;
        if (absence->instead.len && !absence_of(asked, absence->instead)) {
            asked->turn.person = absence->instead;
            return;
        }
    }
}

static bool applies(struct asked *asked, const struct stand_in *one)
{
    return one->schedule.len && slice_equal(one->schedule, asked->schedule->name) && is_active(asked, one) &&
           (!one->away.len || slice_equal(one->away, asked->turn.person)) && !absence_of(asked, one->instead);
}

struct rota_turn rota_at(const struct plan *plan, const struct plan_schedule *schedule, const struct stand_in *stand_ins,
                         size_t count, int64_t now_ns)
{
    struct asked asked = {plan, schedule, stand_ins, count, now_ns,
                          {.from_ns = now_ns, .to_ns = now_ns + DAYS_AHEAD * NS_PER_DAY}};
    for (size_t i = 0; i < schedule->count && !asked.turn.person.len; i++) {
        int64_t turn;
        if (covers(&asked, &schedule->rotations[i], &turn))
            take_from_rotation(&asked, &schedule->rotations[i], turn);
    }
    const struct stand_in *latest = NULL;
    for (size_t i = 0; i < count; i++)
        if (applies(&asked, &stand_ins[i]) &&
            (!latest || stand_ins[i].added_ns > latest->added_ns ||
             (stand_ins[i].added_ns == latest->added_ns && stand_ins[i].id > latest->id)))
            latest = &stand_ins[i];
    if (latest) {
        asked.turn.person = latest->instead;
        asked.turn.by = latest;
        asked.turn.from_ns = latest->from_ns > asked.turn.from_ns ? latest->from_ns : asked.turn.from_ns;
    }
    return asked.turn;
}
