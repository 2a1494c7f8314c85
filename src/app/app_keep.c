/*
 * hinomi keep: retention holds, spans of events that retention leaves alone. Works beside a running server,
 * which has a new hold within a second, and without one. To end a hold takes two administrators, who
 * show who they are by their passwords; at the console or the API they are signed in instead.
 */
#include "app/admin.h"
#include "app/listing.h"
#include "state/keeps.h"
#include "state/users.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WAIT_TRIES = 100, WAIT_MS = 100 };

struct keep_command {
    struct admin admin;
    const char *stream, *from, *to, *reason, *user;
    struct slice name;
    bool all;
    enum output_format format;
};

static void list_keep(void *context, const struct keep *keep)
{
    struct listing *listing = context;
    listing_row(listing);
    listing_text(listing, "name", keep->name);
    listing_text(listing, "stream", keep->stream);
    listing_time(listing, "from", keep->from_ns);
    listing_time(listing, "to", keep->to_ns);
    listing_text(listing, "state", keep->ended_ns          ? SLICE("ended")
                                   : keep->wished_by.len   ? SLICE("end wished")
                                   : keep->in_force_ns     ? SLICE("in force")
                                                           : SLICE("from the next start on"));
    listing_text(listing, "by", keep->added_by);
    listing_text(listing, "end_by", keep->ended_ns ? keep->ended_by : keep->wished_by);
    listing_text(listing, "reason", keep->reason);
}

static int list(void *context, struct err *err)
{
    struct keep_command *command = context;
    struct listing listing;
    int result = listing_init(&listing, err);
    if (result == 0)
        result = keeps_list(command->admin.database, clock_real(), command->all, command->admin.arena, list_keep,
                            &listing, err);
    if (result == 0)
        result = listing_print(&listing, command->format, err);
    listing_close(&listing);
    return result;
}

/* ---- adding ---- */

struct asked {
    struct slice name;
    bool in_force;
};

static void ask_keep(void *context, const struct keep *keep)
{
    struct asked *asked = context;
    if (slice_equal(keep->name, asked->name))
        asked->in_force = keep->in_force_ns != 0;
}

/* A running server says in the table that its store has it. */
static int wait_for_server(struct keep_command *command, struct err *err)
{
    struct asked asked = {.name = command->name};
    struct timespec pause = {.tv_nsec = WAIT_MS * NS_PER_MS};
    for (int i = 0; i < WAIT_TRIES; i++) {
        if (!admin_is_served(command->admin.dir)) {
            printf("kept; no server has the folder open, it holds from the next start on\n");
            return 0;
        }
        if (keeps_list(command->admin.database, clock_real(), false, command->admin.arena, ask_keep, &asked, err) < 0)
            return -1;
        if (asked.in_force) {
            printf("kept; in force\n");
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return err_set(err, ERR_CONFLICT, "the hold is written, but the running server has not taken it in %d "
                   "seconds: until it does, it may drop what is old (hinomi keep list)",
                   WAIT_TRIES * WAIT_MS / 1000);
}

static int add(void *context, struct err *err)
{
    struct keep_command *command = context;
    char room[ADMIN_PERSON_MAX];
    struct keep keep = {.name = command->name,
                        .stream = command->stream ? slice_text(command->stream) : SLICE("*"),
                        .reason = command->reason ? slice_text(command->reason) : SLICE(""),
                        .added_by = admin_person(room)};
    if (admin_time("keep", "--from", command->from, &keep.from_ns) ||
        admin_time("keep", "--to", command->to, &keep.to_ns))
        return err_set(err, ERR_CONFIG, "nothing was changed");
    int result = keeps_add(command->admin.database, clock_real(), &keep, err);
    struct slice detail = arena_printf(command->admin.arena, "stream %.*s: %.*s", SLICE_ARG(keep.stream),
                                       SLICE_ARG(keep.reason));
    if (admin_record(command->admin.database, "keep.add", command->name, detail, result, err) < 0)
        return -1;
    return wait_for_server(command, err);
}

/* ---- ending ---- */

static int check_admin(struct keep_command *command, struct err *err)
{
    struct slice password;
    struct user user;
    if (admin_read_secret("Password", false, command->admin.arena, &password, err) < 0 ||
        users_check(command->admin.database, clock_real(), slice_text(command->user), password, command->admin.arena,
                    &user, err) < 0)
        return -1;
    return role_allows(user.role, ROLE_ADMIN)
               ? 0
               : err_set(err, ERR_DENIED, "%s is no administrator; two of these end a hold", command->user);
}

static int remove_keep(void *context, struct err *err)
{
    struct keep_command *command = context;
    enum keep_end end = KEEP_WISHED;
    struct slice reason = command->reason ? slice_text(command->reason) : SLICE("");
    int result = check_admin(command, err);
    if (result == 0)
        result = keeps_end(command->admin.database, clock_real(), command->name, slice_text(command->user), reason,
                           &end, err);
    struct slice detail = arena_printf(command->admin.arena, "as %s: %.*s", command->user, SLICE_ARG(reason));
    if (admin_record(command->admin.database, end == KEEP_ENDED ? "keep.end" : "keep.wish",
                     command->name, detail, result, err) < 0)
        return -1;
    if (end == KEEP_ENDED)
        printf("ended; retention may take these events from now on\n");
    else
        printf("noted; it still holds until another administrator says the same within %d hours\n",
               RETENTION_WISH_HOURS);
    return 0;
}

/* ---- words ---- */

static const struct admin_verb verbs[] = {
    {"list", false, false, list},
    {"add", true, true, add},
    {"remove", true, false, remove_keep},
};

static int check_words(const struct admin_verb *verb, const struct cli_words *words,
                       struct keep_command *command)
{
    if (words->count != 1 + verb->names_one)
        return cli_usage("keep", verb->names_one ? "%s needs one NAME" : "%s takes no name", verb->name);
    if (!command->admin.dir)
        return cli_usage("keep", "--dir needs the data folder of the server");
    if (verb->run == add && (!command->from || !command->to || !command->reason))
        return cli_usage("keep", "add needs --from T, --to T and --reason TEXT");
    if (verb->run == remove_keep && (!command->user || !command->reason))
        return cli_usage("keep", "remove needs --user ADMIN and --reason TEXT");
    if (verb->names_one)
        command->name = slice_text(words->words[1]);
    return 0;
}

int app_keep(int argc, char **argv)
{
    struct keep_command command = {0};
    const char *format = NULL;
    const struct cli_option options[] = {
        {"--dir", &command.admin.dir, NULL},       {"--stream", &command.stream, NULL},
        {"--from", &command.from, NULL},     {"--to", &command.to, NULL},
        {"--reason", &command.reason, NULL}, {"--user", &command.user, NULL},
        {"--all", NULL, &command.all},       {"--format", &format, NULL}};
    struct cli_words words;
    int status = cli_parse("keep", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("keep", format, &command.format);
    if (status)
        return status;
    const struct admin_verb *verb = admin_find_verb(verbs, ARRAY_COUNT(verbs), &words);
    if (!verb)
        return cli_usage("keep", "say add, list or remove");
    if ((status = check_words(verb, &words, &command)) != 0)
        return status;
    return admin_run(&command.admin, verb, 64 * MIB);
}
