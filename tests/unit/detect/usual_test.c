/* Calendars by their rules; what is more than usual, with and without one. */
#include "rules_fixture.h"

#include "base/limits.h"
#include "base/mem.h"
#include "table/calendar.h"

#include <math.h>
#include <sys/stat.h>

/* ---- calendars ---- */

/* The days off of some years as they were proclaimed, Sundays that are none of them left out. */
static const char *const japan[] = {
    "2019: 0101 0114 0211 0321 0429 0430 0501 0502 0503 0504 0505 0506 0715 0811 0812 0916 0923 1014 1022 1103 1104 1123",
    "2020: 0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0723 0724 0810 0921 0922 1103 1123",
    "2021: 0101 0111 0211 0223 0320 0429 0503 0504 0505 0722 0723 0808 0809 0920 0923 1103 1123",
    "2024: 0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922 0923 1014 1103 1104 1123",
    "2025: 0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013 1103 1123 1124",
    "2026: 0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123",
};

static const struct calendar *load_calendar(struct arena *arena, const char *name)
{
    const struct calendars *calendars;
    struct err err;
    if (calendars_load("content/calendars", arena, &calendars, &err) < 0)
        fail_msg("%s", err.text);
    const struct calendar *calendar = calendar_find(calendars, slice_text(name));
    assert_non_null(calendar);
    return calendar;
}

static void holidays_are_as_proclaimed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16 * MIB);
    const struct calendar *calendar = load_calendar(arena, "japan");
    for (size_t i = 0; i < ARRAY_COUNT(japan); i++) {
        int64_t year = strtol(japan[i], NULL, 10);
        for (int64_t day = time_days_from_civil(year, 1, 1); day < time_days_from_civil(year + 1, 1, 1); day++) {
            struct time_parts date;
            char text[16];
            time_split(day * NS_PER_DAY, &date);
            (void)snprintf(text, sizeof(text), " %02d%02d", date.month, date.day);
            bool wanted = strstr(japan[i], text) != NULL, got = calendar_holiday(calendar, day).ptr != NULL;
            if (wanted != got)
                fail_msg("%d%s: %d, proclaimed %d", date.year, text, got, wanted);
        }
    }
    arena_free(arena);
}

static void equinoxes_are_as_published(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16 * MIB);
    const struct calendar *calendar = load_calendar(arena, "japan");
    static const struct {
        int year, march, september;
    } known[] = {{2012, 20, 22}, {2013, 20, 23}, {2014, 21, 23}, {2015, 21, 23}, {2016, 20, 22}, {2022, 21, 23},
                 {2023, 21, 23}, {2024, 20, 22}, {2027, 21, 23}, {2028, 20, 22}, {2029, 20, 23}, {2030, 20, 23}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        struct slice spring = calendar_holiday(calendar, time_days_from_civil(known[i].year, 3, known[i].march));
        struct slice autumn = calendar_holiday(calendar, time_days_from_civil(known[i].year, 9, known[i].september));
        assert_true(slice_is(spring, "春分の日"));
        assert_true(slice_is(autumn, "秋分の日"));
    }
    arena_free(arena);
}

static void a_market_has_days_of_its_own(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16 * MIB);
    const struct calendar *calendar = load_calendar(arena, "tokyo_market");
    assert_non_null(calendar_holiday(calendar, time_days_from_civil(2026, 12, 31)).ptr);
    assert_non_null(calendar_holiday(calendar, time_days_from_civil(2026, 1, 2)).ptr);
    assert_non_null(calendar_holiday(calendar, time_days_from_civil(2026, 5, 6)).ptr);
    assert_null(calendar_holiday(calendar, time_days_from_civil(2026, 5, 7)).ptr);
    arena_free(arena);
}

/* ---- what is usual ---- */

#define ANY "logsource: {product: test}\ndetection:\n  s: {E|gte: 0}\n  condition: s\n"
#define PLAIN "title: t\n" ANY "hinomi: {usual: {key: U, above: 4, at_least: 15, learn: 21d}}\n"
#define JAPAN "title: t\n" ANY "hinomi: {usual: {key: U, calendar: japan, above: 4, at_least: 15, learn: 21d}}\n"

enum { DAYS = 700 };
#define JST_NS (9 * NS_PER_HOUR)

static struct sent *list;
static size_t list_count;

static void add_hour(int64_t hour, int count, uint64_t *seed)
{
    int varied = count + (int)dice(seed, (uint32_t)(count / 5 + 2)) - count / 10;
    for (int i = 0; i < varied; i++)
        list[list_count++] = (struct sent){hour * NS_PER_HOUR - JST_NS + i * 20 * NS_PER_SECOND, 0, 1, 0};
}

/* Customers of an exchange: few while people work, many on Saturdays, Sundays and holidays. */
static void make_days(uint64_t seed, int64_t surge_hour)
{
    struct arena *arena = arena_new(16 * MIB);
    const struct calendar *calendar = load_calendar(arena, "japan");
    int64_t first = time_days_from_civil(2024, 6, 1);
    list_count = 0;
    for (int64_t day = first; day < first + DAYS; day++) {
        struct time_parts date;
        time_split(day * NS_PER_DAY, &date);
        bool off = date.weekday == 0 || date.weekday == 6 || calendar_holiday(calendar, day).ptr;
        for (int64_t hour = day * 24 + 9; hour < day * 24 + 18; hour++)
            add_hour(hour, hour == surge_hour ? 150 : off ? 60 : 20, &seed);
    }
    arena_free(arena);
}

static void world_with_calendar(struct rules_world *world, const char *text)
{
    char path[96];
    struct rule_options options = {.logsource_path = "content/logsources", .ignore_logsource = true,
                                   .calendar_path = "content/calendars"};
    struct err err;
    world_open(world, "title: none\nlogsource: {product: test}\ndetection: {s: {E: 99}, condition: s}\n");
    detector_free(world->detector);
    rule_set_free(world->rules);
    (void)snprintf(path, sizeof(path), "%s/rules.yml", world->dir);
    FILE *file = fopen(path, "w");
    assert_true(file && fputs(text, file) >= 0);
    (void)fclose(file);
    assert_int_equal(rule_set_load(path, &options, &world->rules, &err), 0);
    assert_int_equal(world->rules->rules[0]->status, RULE_ACTIVE);
    assert_int_equal(world_detector(world, &world->detector, &err), 0);
}

static void holidays_are_no_surprise(void **state)
{
    (void)state;
    struct rules_world plain, japan_world;
    int64_t surge = time_days_from_civil(2026, 4, 15) * 24 + 11; /* a Wednesday */
    list = calloc((size_t)DAYS * 9 * 160, sizeof(*list));
    assert_non_null(list);
    make_days(1, surge);
    world_with_calendar(&plain, PLAIN);
    world_with_calendar(&japan_world, JAPAN);
    run_events(plain.detector, list, 0, list_count, 4096);
    run_events(japan_world.detector, list, 0, list_count, 4096);
    size_t found = 0;
    for (size_t i = 0; i < japan_world.count; i++)
        if ((japan_world.found[i].time_ns + JST_NS) / NS_PER_HOUR == surge)
            found++;
    print_message("700 days, 9 hours each: %zu alarms without a calendar, %zu with; %s\n", plain.count, japan_world.count,
                  japan_world.found[0].en);
    assert_int_equal(found, 1);
    assert_true(plain.count > 60);
    assert_true((japan_world.count - found) * 3 <= plain.count);
    world_close(&plain);
    world_close(&japan_world);
}

/* The same by a program with an array of all hours; one key, in order, UTC. */
static size_t alarms_of(const int *counts, int hours)
{
    struct {
        double mean, variance;
        int seen;
    } slots[168] = {{0}};
    size_t alarms = 0;
    for (int hour = 0; hour < hours; hour++) {
        int slot = hour % 168;
        double spread = slots[slot].variance > slots[slot].mean ? slots[slot].variance : slots[slot].mean;
        double limit = slots[slot].mean + 4 * sqrt(spread), count = counts[hour];
        limit = limit > 14 ? limit : 14;
        if (slots[slot].seen >= 3 && count > limit) {
            alarms++;
            count = limit;
        }
        double weight = ++slots[slot].seen < 8 ? 1.0 / slots[slot].seen : 0.125, off = count - slots[slot].mean;
        slots[slot].mean += weight * off;
        slots[slot].variance = (1 - weight) * (slots[slot].variance + weight * off * off);
    }
    return alarms;
}

enum { HOURS = 168 * 12 };

static void make_hours(int *counts, uint64_t seed)
{
    int64_t first = 1767225600 / 3600; /* hour 0 of the array is hour 0 of a week since 1970 */
    first -= first % 168;
    list_count = 0;
    for (int hour = 0; hour < HOURS; hour++) {
        counts[hour] = dice(&seed, 4) ? (int)dice(&seed, 20) : dice(&seed, 40) ? 0 : 90;
        if (hour == 0)
            counts[hour] = 1; /* what is known begins with an event */
        for (int i = 0; i < counts[hour]; i++)
            list[list_count++] = (struct sent){(first + hour) * NS_PER_HOUR + i * NS_PER_SECOND, 0, 1, 0};
    }
}

static void judges_as_an_array_of_all_hours_does(void **state)
{
    (void)state;
    static int counts[HOURS];
    size_t some = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct rules_world world, late, again;
        struct err err;
        make_hours(counts, seed);
        size_t wanted = alarms_of(counts, HOURS);
        world_with_calendar(&world, PLAIN);
        world_with_calendar(&late, PLAIN);
        world_with_calendar(&again, PLAIN);
        run_events(world.detector, list, 0, list_count, 1000);
        assert_int_equal(world.count, wanted);
        for (size_t i = 0; i < list_count; i += 700) { /* with restarts */
            struct buffer bytes;
            run_events(again.detector, list, i, i + 700 < list_count ? i + 700 : list_count, 100);
            buffer_init(&bytes, 16 * MIB);
            detector_save(again.detector, &bytes);
            detector_free(again.detector);
            assert_int_equal(world_detector(&again, &again.detector, &err), 0);
            assert_int_equal(detector_load(again.detector, buffer_slice(&bytes), &err), 0);
            buffer_close(&bytes);
        }
        assert_int_equal(again.count, wanted);
        for (size_t i = 0; i < world.count; i++)
            assert_string_equal(again.found[i].id, world.found[i].id);
        for (size_t i = 3; i < list_count; i += 3) /* out of order by a few events */
            if (list[i].time_ns - list[i - 2].time_ns < NS_PER_HOUR) {
                struct sent swap = list[i];
                list[i] = list[i - 2];
                list[i - 2] = swap;
            }
        run_events(late.detector, list, 0, list_count, 1000);
        assert_int_equal(late.count, wanted);
        assert_int_equal(detector_stats(late.detector).operators.late, 0);
        some += wanted;
        world_close(&world);
        world_close(&late);
        world_close(&again);
    }
    assert_true(some > 20);
}

/* ---- too little ---- */

#define DESK                                                                                                        \
    "calendar: desk\nzone: Asia/Tokyo\nholidays:\n"                                                                 \
    "  - {name: 昭和の日, date: 04-29}\n  - {name: 憲法記念日, date: 05-03}\n  - {name: みどりの日, date: 05-04}\n"         \
    "  - {name: こどもの日, date: 05-05}\n  - {name: 振替休日, date: 05-06}\n  - {name: 年末, date: 12-31}\n"            \
    "  - {name: 元日, date: 01-01}\n  - {name: 年始, date: 01-02}\n"                                                 \
    "  - {name: 半日, date: 12-30, after: 12}\n  - {name: 半日, date: 01-05, after: 12}\n"                           \
    "  - {name: 半日, date: 08-13, after: 12}\n  - {name: 半日, date: 08-14, after: 12}\n"
#define LITTLE "title: t\n" ANY "hinomi: {usual: {key: U, below: 4, learn: 21d}}\n"
#define LITTLE_AT_DESK "title: t\n" ANY "hinomi: {usual: {key: U, calendar: desk, below: 4, learn: 21d}}\n"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_true(file && fputs(text, file) >= 0);
    (void)fclose(file);
}

/* A desk that works from nine to five, not on days off, and on half days until noon; once it falls silent for three
 * hours of an ordinary day. */
static void make_desk(const struct calendar *calendar, int64_t first, int days, int64_t silent_hour)
{
    uint64_t seed = 7;
    list_count = 0;
    for (int64_t day = first; day < first + days; day++) {
        int64_t weekday = (day + 4) % 7;
        for (int hour = 9; hour < 17 && weekday != 0 && weekday != 6; hour++)
            if (!calendar_off(calendar, day, hour).ptr &&
                (day * 24 + hour < silent_hour || day * 24 + hour >= silent_hour + 3))
                add_hour(day * 24 + hour, 40, &seed);
    }
}

static void world_of_desk(struct rules_world *world, const char *text)
{
    char path[96], calendars[80];
    struct err err;
    world_open(world, "title: none\nlogsource: {product: test}\ndetection: {s: {E: 99}, condition: s}\n");
    detector_free(world->detector);
    rule_set_free(world->rules);
    (void)snprintf(calendars, sizeof(calendars), "%s/calendars", world->dir);
    assert_int_equal(mkdir(calendars, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/calendars/desk.yaml", world->dir);
    write_text(path, DESK);
    (void)snprintf(path, sizeof(path), "%s/rules.yml", world->dir);
    write_text(path, text);
    struct rule_options options = {.logsource_path = "content/logsources", .ignore_logsource = true,
                                   .calendar_path = calendars};
    assert_int_equal(rule_set_load(path, &options, &world->rules, &err), 0);
    assert_int_equal(world->rules->rules[0]->status, RULE_ACTIVE);
    assert_int_equal(world_detector(world, &world->detector, &err), 0);
}

static void silence_at_its_hour_is_told_but_no_half_day(void **state)
{
    (void)state;
    struct rules_world plain, desk;
    int64_t first = time_days_from_civil(2025, 1, 6), silent = time_days_from_civil(2026, 4, 15) * 24 + 11;
    size_t found = 0;
    world_of_desk(&plain, LITTLE);
    world_of_desk(&desk, LITTLE_AT_DESK);
    list = calloc((size_t)520 * 9 * 60, sizeof(*list));
    assert_non_null(list);
    make_desk(desk.rules->rules[0]->calendar, first, 520, silent);
    run_events(plain.detector, list, 0, list_count, 4096);
    run_events(desk.detector, list, 0, list_count, 4096);
    for (size_t i = 0; i < desk.count; i++)
        if (desk.found[i].time_ns == (silent + 1) * NS_PER_HOUR - JST_NS)
            found++;
    print_message("520 days with Golden Week and half days: %zu alarms without a calendar, %zu with; %s\n", plain.count,
                  desk.count, desk.count ? desk.found[0].en : "none");
    assert_int_equal(found, 1); /* for all three hours */
    assert_true(plain.count > 6);
    assert_true((desk.count - found) * 3 <= plain.count);
    size_t before = desk.count;
    struct err err; /* nobody says anything any more: the clock goes on */
    int64_t last_ns = list[list_count - 1].time_ns;
    for (int minute = 0; minute < 5 * 24 * 60; minute += 5)
        assert_int_equal(detector_tick(desk.detector, last_ns + minute * NS_PER_MINUTE, &err), 0);
    assert_int_equal(desk.count, before + 1);
    world_close(&plain);
    world_close(&desk);
    free(list);
}

static void learns_from_history_without_findings(void **state)
{
    (void)state;
    static int counts[HOURS];
    struct rules_world world;
    struct err err;
    make_hours(counts, 2);
    world_with_calendar(&world, PLAIN);
    struct batch *batch = batch_new(64 * MIB);
    size_t i = 0;
    while (i < list_count) {
        for (; i < list_count && batch->row_count < 4000; i++)
            put_event(batch, &list[i], i + 1);
        assert_int_equal(detector_learn(world.detector, batch, &err), 0);
        batch_reset(batch);
    }
    assert_int_equal(world.count, 0);
    for (int k = 0; k < 200; k++) {
        struct sent more = {list[list_count - 1].time_ns + NS_PER_HOUR + k * NS_PER_SECOND, 0, 1, 0};
        put_event(batch, &more, list_count + (uint64_t)k + 1);
    }
    assert_int_equal(detector_run(world.detector, batch, &err), 0);
    assert_int_equal(world.count, 1);
    batch_free(batch);
    world_close(&world);
    free(list);
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    struct rules_world world;
    world_with_calendar(&world, JAPAN);
    struct batch *batch = batch_new(16 * MIB);
    for (int i = 0; i < 40; i++) {
        struct sent event = {1767225600 * NS_PER_SECOND + i * 7 * NS_PER_DAY / 8, 0, i % 3, 0};
        put_event(batch, &event, (uint64_t)i + 1);
    }
    live_without_memory(&world, batch);
    batch_free(batch);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holidays_are_as_proclaimed),
        cmocka_unit_test(equinoxes_are_as_published),
        cmocka_unit_test(a_market_has_days_of_its_own),
        cmocka_unit_test(holidays_are_no_surprise),
        cmocka_unit_test(judges_as_an_array_of_all_hours_does),
        cmocka_unit_test(learns_from_history_without_findings),
        cmocka_unit_test(silence_at_its_hour_is_told_but_no_half_day),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
