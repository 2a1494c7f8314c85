/*
 * hinomi knowledge: what the search language knows by name (docs/knowledge.md). Works beside a running
 * server, which sees a change within a second.
 */
#include "app/admin.h"
#include "app/definitions.h"
#include "app/listing.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "search/know_check.h"
#include "state/knowledge.h"
#include "state/schedules.h"

#include <stdio.h>

struct knowledge_command {
    struct admin admin;
    const char *kind;
    struct slice name; /* of a definition, or a file */
    enum output_format format;
};

static int load(const struct knowledge_command *command, struct knowledge **out, struct err *err)
{
    struct know_builder *builder;
    *out = NULL;
    if (definitions_begin(command->admin.dir, &builder, err) < 0)
        return -1;
    *out = know_builder_done(builder);
    return *out ? 0 : err_nomem(err);
}

static bool is_kind(const struct knowledge_command *command, const struct know_object *object)
{
    return !command->kind || slice_is(slice_text(command->kind), know_kind_name(object->kind));
}

/* ---- of searches that run by themselves ---- */

struct standing {
    const struct know_object *object;
    struct arena *arena;
    struct schedule found;
};

static void take_standing(void *context, const struct schedule *schedule)
{
    struct standing *standing = context;
    const struct know_object *object = standing->object;
    struct slice scope = object->origin == KNOW_OWN ? object->owner : SLICE("");
    if (slice_equal(schedule->search, object->name) && slice_equal(schedule->scope, scope))
        standing->found = *schedule;
}

/* Its schedule as the server keeps it; id 0: the server has not seen it yet. NULL: it has none. */
static const struct know_schedule *schedule_of(const struct knowledge_command *command,
                                               const struct know_object *object, struct schedule *out,
                                               struct err *err)
{
    const struct know_saved_search *saved = object->spec;
    struct standing standing = {.object = object, .arena = command->admin.arena};
    *out = (struct schedule){.state = SLICE("not seen by a server yet")};
    if (object->kind != KNOW_SAVED_SEARCH || !saved->schedule ||
        schedules_list(command->admin.database, command->admin.arena, take_standing, &standing, err) < 0)
        return NULL;
    if (standing.found.id)
        *out = standing.found;
    return saved->schedule;
}

static int64_t next_of(const struct schedule *schedule)
{
    struct due due;
    struct err err;
    int64_t next;
    return slice_is(schedule->state, "on") && due_parse(schedule->plan, &due, &err) == 0 &&
                   due_next(&due, schedule->until_ns, &next)
               ? next
               : 0;
}

static int list_schedule(const struct knowledge_command *command, const struct know_object *object,
                         struct listing *listing, struct err *err)
{
    struct schedule at;
    err_clear(err);
    const struct know_schedule *schedule = schedule_of(command, object, &at, err);
    if (!schedule)
        return err->text[0] ? -1 : 0;
    listing_text(listing, "schedule", schedule->plan);
    listing_text(listing, "state", at.state);
    listing_text(listing, "reason", at.reason);
    listing_time(listing, "next", next_of(&at));
    listing_i64(listing, "runs", at.ran + at.late + at.incomplete);
    listing_i64(listing, "failed", at.failed);
    listing_i64(listing, "missed", at.missed);
    return 0;
}

static void print_run(void *context, const struct schedule_run *run)
{
    char due[TIME_TEXT_SIZE];
    (void)context;
    due[time_format(run->due_ns, due)] = '\0';
    printf("# run: due %s, %s, %lld ms, %lld rows, %lld findings%s%.*s\n", due,
           schedule_outcome_name(run->outcome), (long long)((run->ended_ns - run->started_ns) / NS_PER_MS),
           (long long)run->rows, (long long)run->findings, run->message.len ? ": " : "",
           SLICE_ARG(run->message));
}

/* As comments, so that what is shown can be put again. */
static int show_schedule(const struct knowledge_command *command, const struct know_object *object,
                         struct err *err)
{
    enum { RUNS = 5 };
    struct schedule at;
    char next[TIME_TEXT_SIZE];
    err_clear(err);
    if (!schedule_of(command, object, &at, err))
        return err->text[0] ? -1 : 0;
    next[time_format(next_of(&at), next)] = '\0';
    printf("# schedule: %.*s%s%.*s%s%s\n", SLICE_ARG(at.state), at.reason.len ? ": " : "", SLICE_ARG(at.reason),
           next_of(&at) ? ", next due " : "", next_of(&at) ? next : "");
    printf("# ran %lld, late %lld, incomplete %lld, failed %lld, missed %lld; %lld findings, %lld suppressed\n",
           (long long)at.ran, (long long)at.late, (long long)at.incomplete, (long long)at.failed,
           (long long)at.missed, (long long)at.findings, (long long)at.suppressed);
    return schedules_runs(command->admin.database, at.id, RUNS, command->admin.arena, print_run, NULL, err);
}

/* ---- the verbs ---- */

static int list(void *context, struct err *err)
{
    struct knowledge_command *command = context;
    struct listing listing;
    struct knowledge *set;
    const struct know_object *object;
    if (load(command, &set, err) < 0)
        return -1;
    int result = listing_init(&listing, err);
    for (size_t i = 0; result == 0 && (object = know_at(set, i)); i++) {
        if (!is_kind(command, object))
            continue;
        listing_row(&listing);
        listing_text(&listing, "kind", slice_text(know_kind_name(object->kind)));
        listing_text(&listing, "name", know_title(object, command->admin.arena));
        listing_text(&listing, "origin", slice_text(know_origin_name(object->origin)));
        listing_text(&listing, "place", object->place);
        result = list_schedule(command, object, &listing, err);
    }
    if (result == 0)
        result = listing_print(&listing, command->format, err);
    listing_close(&listing);
    know_release(set);
    return result;
}

static int show(void *context, struct err *err)
{
    struct knowledge_command *command = context;
    struct knowledge *set;
    const struct know_object *object;
    size_t shown = 0;
    if (load(command, &set, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && (object = know_at(set, i)); i++)
        if (is_kind(command, object) &&
            slice_equal(know_title(object, command->admin.arena), command->name)) {
            printf("%s# %.*s\n", shown++ ? "---\n" : "", SLICE_ARG(object->place));
            result = show_schedule(command, object, err);
            printf("%.*s\n", SLICE_ARG(object->text));
        }
    know_release(set);
    if (result < 0)
        return -1;
    return shown ? 0 : err_set(err, ERR_NOT_FOUND, "there is no definition named %.*s",
                               SLICE_ARG(command->name));
}

static int read_definition(struct knowledge_command *command, struct know_object *out, struct err *err)
{
    struct slice text;
    struct knowledge *set;
    char *path = arena_string(command->admin.arena, command->name);
    if (!path)
        return err_nomem(err);
    if (file_read(path, KNOW_TEXT_BYTES_MAX, command->admin.arena, &text, err) < 0)
        return -1;
    if (know_parse(text, command->admin.arena, out, err) < 0)
        return err_within(err, "%s", path);
    if (load(command, &set, err) < 0)
        return -1;
    int result = know_check_object(out, set, err);
    know_release(set);
    return result < 0 ? err_within(err, "%s", path) : 0;
}

static int check(void *context, struct err *err)
{
    struct knowledge_command *command = context;
    struct know_object object;
    if (read_definition(command, &object, err) < 0)
        return -1;
    printf("%s %.*s is right\n", know_kind_name(object.kind), SLICE_ARG(object.name));
    return 0;
}

static int record(struct knowledge_command *command, const char *action, const struct kept_definition *kept,
                  int result, struct err *err)
{
    struct slice what = arena_printf(command->admin.arena, "%.*s %.*s", SLICE_ARG(kept->kind),
                                     SLICE_ARG(kept->name));
    return admin_record(command->admin.database, action, what, SLICE("shared"), result, err);
}

static int put(void *context, struct err *err)
{
    struct knowledge_command *command = context;
    struct know_object object;
    char room[ADMIN_PERSON_MAX];
    if (read_definition(command, &object, err) < 0)
        return -1;
    struct kept_definition kept = {.kind = slice_text(know_kind_name(object.kind)),
                                   .name = know_title(&object, command->admin.arena),
                                   .owner = admin_person(room), .shared = true, .text = object.text};
    return record(command, "knowledge.put", &kept,
                  knowledge_put(command->admin.database, clock_real(), &kept, err), err);
}

static int remove_one(void *context, struct err *err)
{
    struct knowledge_command *command = context;
    struct kept_definition kept = {.kind = slice_text(command->kind), .name = command->name, .shared = true,
                                   .owner = SLICE("")};
    return record(command, "knowledge.remove", &kept,
                  knowledge_remove(command->admin.database, &kept, err), err);
}

static const struct admin_verb verbs[] = {
    {"list", false, false, list}, {"show", true, false, show},
    {"check", true, false, check}, {"put", true, true, put},
    {"remove", true, false, remove_one},
};

int app_knowledge(int argc, char **argv)
{
    struct knowledge_command command = {0};
    const char *format = NULL;
    enum know_kind kind;
    const struct cli_option options[] = {
        {"--dir", &command.admin.dir, NULL}, {"--kind", &command.kind, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    int status = cli_parse("knowledge", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("knowledge", format, &command.format);
    if (status)
        return status;
    const struct admin_verb *verb = admin_find_verb(verbs, ARRAY_COUNT(verbs), &words);
    if (!verb)
        return cli_usage("knowledge", "say list, show, check, put or remove");
    if (words.count != 1 + verb->names_one)
        return cli_usage("knowledge", "%s", verb->run == list                              ? "list takes no name"
                                            : verb->run == check || verb->run == put ? "say one FILE"
                                                                                     : "say one NAME");
    if (!command.admin.dir)
        return cli_usage("knowledge", "--dir needs the data folder of the server");
    if (command.kind ? !know_kind_by_name(slice_text(command.kind), &kind) : verb->run == remove_one)
        return cli_usage("knowledge", "--kind is macro, lookup, data_model, event_type, tag or saved_search");
    command.name = verb->names_one ? slice_text(words.words[1]) : SLICE("");
    return admin_run(&command.admin, verb, 64 * MIB);
}
