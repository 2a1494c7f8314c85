/* hinomi user: the people who may sign in. Works beside a running server. */
#include "app/admin.h"
#include "app/listing.h"
#include "state/users.h"

#include <stdio.h>
#include <unistd.h>

struct user_command {
    struct admin admin;
    const char *role;
    struct slice name;
    enum output_format format;
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

static int list(void *context, struct err *err)
{
    struct user_command *command = context;
    struct listing listing;
    int result = listing_init(&listing, err);
    if (result == 0)
        result = users_list(command->admin.database, command->admin.arena, list_user, &listing, err);
    if (result == 0)
        result = listing_print(&listing, command->format, err);
    listing_close(&listing);
    return result;
}

static int add(void *context, struct err *err)
{
    struct user_command *command = context;
    struct slice password;
    if (admin_read_secret("Password", true, command->admin.arena, &password, err) < 0)
        return -1;
    int result = users_add(command->admin.database, clock_real(), command->name, password,
                           role_parse(slice_text(command->role)), err);
    return admin_record(command->admin.database, "user.add", command->name,
                        slice_text(command->role), result, err);
}

static int set_role(void *context, struct err *err)
{
    struct user_command *command = context;
    int result = users_set_role(command->admin.database, command->name,
                                role_parse(slice_text(command->role)), err);
    return admin_record(command->admin.database, "user.role", command->name,
                        slice_text(command->role), result, err);
}

static int set_password(void *context, struct err *err)
{
    struct user_command *command = context;
    struct slice password;
    if (admin_read_secret("New password", true, command->admin.arena, &password, err) < 0)
        return -1;
    int result = users_set_password(command->admin.database, command->name, password, err);
    return admin_record(command->admin.database, "user.password", command->name,
                        slice_text(command->role), result, err);
}

static int disable(void *context, struct err *err)
{
    struct user_command *command = context;
    return admin_record(command->admin.database, "user.disable", command->name, slice_text(command->role),
                        users_set_disabled(command->admin.database, command->name, true, err), err);
}

static int enable(void *context, struct err *err)
{
    struct user_command *command = context;
    return admin_record(command->admin.database, "user.enable", command->name, slice_text(command->role),
                        users_set_disabled(command->admin.database, command->name, false, err), err);
}

static const struct admin_verb verbs[] = {
    {"list", false, false, list},      {"add", true, true, add},
    {"role", true, false, set_role},   {"password", true, false, set_password},
    {"disable", true, false, disable}, {"enable", true, false, enable},
};

static int check_words(const struct admin_verb *verb, const struct cli_words *words,
                       struct user_command *command)
{
    int wanted = 1 + verb->names_one;
    bool needs_role = verb->run == add || verb->run == set_role;
    if (words->count == 3 && needs_role && !command->role) /* role NAME ROLE */
        command->role = words->words[2];
    else if (words->count != wanted)
        return cli_usage("user", verb->names_one ? "%s needs one NAME" : "%s takes no name", verb->name);
    if (!command->admin.dir)
        return cli_usage("user", "--dir needs the data folder of the server");
    if (needs_role && !command->role)
        return cli_usage("user", "%s needs --role ROLE: support, viewer, analyst, responder, engineer, approver, "
                         "admin or auditor", verb->name);
    if (command->role && role_parse(slice_text(command->role)) == ROLE_NONE)
        return cli_usage("user", "'%s' is no role: support, viewer, analyst, responder, engineer, approver, "
                         "admin, auditor", command->role);
    if (verb->names_one)
        command->name = slice_text(words->words[1]);
    return 0;
}

int app_user(int argc, char **argv)
{
    struct user_command command = {0};
    const char *format = NULL;
    const struct cli_option options[] = {
        {"--dir", &command.admin.dir, NULL}, {"--role", &command.role, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    int status = cli_parse("user", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("user", format, &command.format);
    if (status)
        return status;
    const struct admin_verb *verb = admin_find_verb(verbs, ARRAY_COUNT(verbs), &words);
    if (!verb)
        return cli_usage("user", "say list, add, role, password, disable or enable");
    if ((status = check_words(verb, &words, &command)) != 0)
        return status;
    return admin_run(&command.admin, verb, 16 * MIB);
}
