/* hinomi user: the people who may sign in. Works beside a running server. */
#include "app/admin.h"
#include "app/listing.h"
#include "state/users.h"

#include <stdio.h>
#include <unistd.h>

struct user_command {
    const char *dir, *role;
    struct slice name;
    enum output_format format;
    struct database *database;
    struct arena *arena;
};

static void list_user(void *context, const struct user *user)
{
    struct listing *listing = context;
    listing_row(listing);
    listing_text(listing, "name", user->name);
    listing_text(listing, "role", slice_text(role_name(user->role)));
    listing_text(listing, "language", user->language);
    listing_text(listing, "state", user->disabled ? SLICE("disabled") : SLICE("active"));
}

static int list(struct user_command *command, struct err *err)
{
    struct listing listing;
    int result = listing_init(&listing, err);
    if (result == 0)
        result = users_list(command->database, command->arena, list_user, &listing, err);
    if (result == 0)
        result = listing_print(&listing, command->format, err);
    listing_close(&listing);
    return result;
}

/* What was tried is in the trail, whatever came of it. */
static int record(struct user_command *command, const char *action, int result, struct err *err)
{
    struct err why;
    if (admin_audit(command->database, action, command->name, slice_text(command->role),
                    result < 0 ? err : NULL, &why) == 0)
        return result;
    if (result == 0)
        *err = why;
    return -1;
}

static int add(struct user_command *command, struct err *err)
{
    struct slice password;
    if (admin_read_secret("Password", true, command->arena, &password, err) < 0)
        return -1;
    int result = users_add(command->database, clock_real(), command->name, password,
                           role_parse(slice_text(command->role)), err);
    return record(command, "user.add", result, err);
}

static int set_role(struct user_command *command, struct err *err)
{
    int result = users_set_role(command->database, command->name,
                                role_parse(slice_text(command->role)), err);
    return record(command, "user.role", result, err);
}

static int set_password(struct user_command *command, struct err *err)
{
    struct slice password;
    if (admin_read_secret("New password", true, command->arena, &password, err) < 0)
        return -1;
    int result = users_set_password(command->database, command->name, password, err);
    return record(command, "user.password", result, err);
}

static int disable(struct user_command *command, struct err *err)
{
    return record(command, "user.disable",
                  users_set_disabled(command->database, command->name, true, err), err);
}

static int enable(struct user_command *command, struct err *err)
{
    return record(command, "user.enable",
                  users_set_disabled(command->database, command->name, false, err), err);
}

static const struct user_verb {
    const char *name;
    bool names_user, needs_role, makes;
    int (*run)(struct user_command *command, struct err *err);
} verbs[] = {
    {"list", false, false, false, list},
    {"add", true, true, true, add},
    {"role", true, true, false, set_role},
    {"password", true, false, false, set_password},
    {"disable", true, false, false, disable},
    {"enable", true, false, false, enable},
};

static const struct user_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int check_words(const struct user_verb *verb, const struct cli_words *words,
                       struct user_command *command)
{
    int wanted = 1 + verb->names_user;
    if (words->count == 3 && verb->needs_role && !command->role) /* role NAME ROLE */
        command->role = words->words[2];
    else if (words->count != wanted)
        return cli_usage("user", verb->names_user ? "%s needs one NAME" : "%s takes no name", verb->name);
    if (!command->dir)
        return cli_usage("user", "--dir needs the data folder of the server");
    if (verb->needs_role && !command->role)
        return cli_usage("user", "%s needs --role ROLE: viewer, analyst, responder, engineer, approver, "
                         "admin or auditor", verb->name);
    if (command->role && role_parse(slice_text(command->role)) == ROLE_NONE)
        return cli_usage("user", "'%s' is no role: viewer, analyst, responder, engineer, approver, "
                         "admin, auditor", command->role);
    if (verb->names_user)
        command->name = slice_text(words->words[1]);
    return 0;
}

int app_user(int argc, char **argv)
{
    struct user_command command = {0};
    const char *format = NULL;
    const struct cli_option options[] = {
        {"--dir", &command.dir, NULL}, {"--role", &command.role, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("user", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("user", format, &command.format);
    if (status)
        return status;
    const struct user_verb *verb = words.count ? find_verb(words.words[0]) : NULL;
    if (!verb)
        return cli_usage("user", "say list, add, role, password, disable or enable");
    if ((status = check_words(verb, &words, &command)) != 0)
        return status;
    command.arena = arena_new(16 * MIB);
    int result = command.arena ? admin_open(command.dir, verb->makes, &command.database, &err)
                               : err_nomem(&err);
    if (result == 0)
        result = verb->run(&command, &err);
    database_close(command.database);
    arena_free(command.arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
