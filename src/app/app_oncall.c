/*
 * hinomi oncall: a waking plan file before it is in force: whether it can be, and who would be on call when. Swaps and
 * absences are the running server's and are not in it.
 */
#include "app/cli.h"
#include "app/listing.h"
#include "app/offline.h"
#include "base/file.h"
#include "respond/wake/rota.h"

enum { DAYS_DEFAULT = 14, DAYS_MAX = 3660, SHIFTS_MAX = 100000 };

struct oncall {
    const char *at, *from, *days;
    enum output_format format;
    int64_t at_ns, from_ns, to_ns;
    struct arena *arena;
};

static void list_turn(struct listing *listing, struct slice schedule, struct slice person, int64_t from_ns, int64_t to_ns)
{
    listing_row(listing);
    listing_text(listing, "schedule", schedule);
    listing_text(listing, "person", person);
    listing_time(listing, "from", from_ns);
    listing_time(listing, "to", to_ns);
}

/* Turns of one person behind each other are one row. */
static void list_schedule(const struct oncall *oncall, const struct plan *plan, const struct plan_schedule *schedule,
                          struct listing *listing)
{
    int64_t at = oncall->from_ns, began = at;
    struct slice person = rota_at(plan, schedule, NULL, 0, at).person;
    for (int i = 0; i < SHIFTS_MAX && at < oncall->to_ns; i++) {
        at = rota_at(plan, schedule, NULL, 0, at).to_ns;
        struct slice next = rota_at(plan, schedule, NULL, 0, at).person;
        if (at < oncall->to_ns && slice_equal(next, person))
            continue;
        list_turn(listing, schedule->name, person, began, at < oncall->to_ns ? at : oncall->to_ns);
        person = next;
        began = at;
    }
}

static int print(struct oncall *oncall, const struct plan *plan, struct err *err)
{
    struct listing listing;
    int result = listing_init(&listing, err);
    for (size_t i = 0; result == 0 && i < plan->schedule_count; i++)
        if (oncall->at) {
            struct rota_turn turn = rota_at(plan, &plan->schedules[i], NULL, 0, oncall->at_ns);
            list_turn(&listing, plan->schedules[i].name, turn.person, turn.from_ns, turn.to_ns);
        } else {
            list_schedule(oncall, plan, &plan->schedules[i], &listing);
        }
    if (result == 0)
        result = listing_print(&listing, oncall->format, err);
    listing_close(&listing);
    return result;
}

static int read_times(struct oncall *oncall)
{
    int64_t days = DAYS_DEFAULT;
    oncall->from_ns = clock_wall_ns(clock_real());
    if ((oncall->at && !offline_parse_time(oncall->at, &oncall->at_ns)) ||
        (oncall->from && !offline_parse_time(oncall->from, &oncall->from_ns)))
        return cli_usage("oncall", "--at and --from are times such as 2026-01-26T00:00:00Z");
    if (oncall->days && (!slice_to_i64(slice_text(oncall->days), &days) || days < 1 || days > DAYS_MAX))
        return cli_usage("oncall", "--days is a number from 1 to %d", DAYS_MAX);
    oncall->to_ns = oncall->from_ns + days * NS_PER_DAY;
    return 0;
}

static int run(struct oncall *oncall, const char *path, struct err *err)
{
    const struct calendars *calendars;
    const struct plan *plan;
    struct slice text;
    if (calendars_load(cli_content("calendars"), oncall->arena, &calendars, err) < 0 ||
        file_read(path, PLAN_BYTES_MAX, oncall->arena, &text, err) < 0)
        return -1;
    if (plan_parse(text, calendars, oncall->arena, &plan, err) < 0)
        return err_within(err, "%s", path);
    return print(oncall, plan, err);
}

int app_oncall(int argc, char **argv)
{
    struct oncall oncall = {0};
    const char *format = "table";
    const struct cli_option options[] = {
        {"--at", &oncall.at, NULL}, {"--from", &oncall.from, NULL}, {"--days", &oncall.days, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("oncall", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status || (status = read_times(&oncall)))
        return status;
    if (words.count != 1)
        return cli_usage("oncall", "name one file: a waking plan");
    if (!output_format_by_name(slice_text(format), &oncall.format))
        return cli_usage("oncall", "--format is table, json, jsonl or csv");
    oncall.arena = arena_new(PLAN_ARENA_MAX + 16 * MIB);
    if (!oncall.arena)
        err_nomem(&err);
    status = oncall.arena && run(&oncall, words.words[0], &err) == 0 ? EXIT_DONE : cli_fail(&err);
    arena_free(oncall.arena);
    return status;
}
