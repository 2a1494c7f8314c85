/* hinomi token: what programs sign in with. Works beside a running server. */
#include "app/admin.h"
#include "app/listing.h"
#include "base/duration.h"
#include "base/time.h"
#include "state/tokens.h"

#include <stdio.h>

struct token_command {
    struct admin admin;
    const char *expires;
    bool all; /* list: revoked ones too */
    struct token token;
    enum output_format format;
    struct listing listing;
};

static void list_token(void *context, const struct token *token)
{
    struct token_command *command = context;
    struct listing *listing = &command->listing;
    bool expired = token->expires_ns && token->expires_ns <= clock_wall_ns(clock_real());
    if (token->revoked && !command->all)
        return;
    listing_row(listing);
    listing_text(listing, "id", token->id);
    listing_text(listing, "name", token->name);
    listing_text(listing, "kind", token->kind);
    listing_text(listing, "role",
                 token->role == ROLE_NONE ? SLICE("") : slice_text(role_name(token->role)));
    listing_text(listing, "stream", token->stream);
    listing_text(listing, "networks", token->networks);
    listing_text(listing, "time_zone", token->zone);
    listing_i64(listing, "events_per_second", token->events_per_second);
    listing_time(listing, "expires", token->expires_ns);
    listing_time(listing, "last_used", token->used_ns);
    listing_text(listing, "state", token->revoked ? SLICE("revoked")
                                   : expired      ? SLICE("expired")
                                                  : SLICE("active"));
}

static int list(void *context, struct err *err)
{
    struct token_command *command = context;
    int result = listing_init(&command->listing, err);
    if (result == 0)
        result = tokens_list(command->admin.database, command->admin.arena, list_token, command, err);
    if (result == 0)
        result = listing_print(&command->listing, command->format, err);
    listing_close(&command->listing);
    return result;
}

static int add(void *context, struct err *err)
{
    struct token_command *command = context;
    char text[TOKEN_TEXT_SIZE] = "";
    struct token *token = &command->token;
    if (!token->stream.len && slice_is(token->kind, "hec"))
        token->stream = SLICE("main");
    int result = tokens_add(command->admin.database, clock_real(), token, text, err);
    struct slice detail = arena_printf(command->admin.arena, "%.*s %.*s", SLICE_ARG(token->kind),
                                       SLICE_ARG(token->name));
    result = admin_record(command->admin.database, "token.add", tokens_id(slice_text(text)), detail, result, err);
    if (result < 0)
        return -1;
    fprintf(stderr, "hinomi: the token, shown this once:\n");
    printf("%s\n", text);
    return 0;
}

static int revoke(void *context, struct err *err)
{
    struct token_command *command = context;
    struct slice id = command->token.id;
    return admin_record(command->admin.database, "token.revoke", id, SLICE(""),
                  tokens_revoke(command->admin.database, id, err), err);
}

/* "90d" from now, or a time. */
static int read_expiry(struct token_command *command)
{
    int64_t ns;
    bool zone;
    struct slice text = slice_text(command->expires);
    if (!text.ptr || time_parse_rfc3339(text, &command->token.expires_ns, &zone))
        return 0;
    if (!duration_parse(text, &ns))
        return cli_usage("token", "--expires is a time such as 2027-01-01T00:00:00Z or a duration such "
                         "as 90d");
    command->token.expires_ns = clock_wall_ns(clock_real()) + ns;
    return 0;
}

static const struct admin_verb verbs[] = {
    {"list", false, false, list},
    {"add", false, true, add},
    {"revoke", true, false, revoke},
};

int app_token(int argc, char **argv)
{
    struct token_command command = {0};
    const char *format = NULL, *kind = NULL, *name = NULL, *role = NULL, *stream = NULL;
    const char *dataset = NULL, *networks = NULL, *zone = NULL, *quota = NULL;
    const struct cli_option options[] = {
        {"--dir", &command.admin.dir, NULL},  {"--format", &format, NULL},
        {"--kind", &kind, NULL},        {"--name", &name, NULL},
        {"--role", &role, NULL},        {"--stream", &stream, NULL},
        {"--dataset", &dataset, NULL},  {"--networks", &networks, NULL},
        {"--tz", &zone, NULL}, {"--events-per-second", &quota, NULL},
        {"--expires", &command.expires, NULL}, {"--all", NULL, &command.all}};
    struct cli_words words;
    int status = cli_parse("token", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("token", format, &command.format);
    if (status == 0)
        status = read_expiry(&command);
    if (status)
        return status;
    const struct admin_verb *verb = admin_find_verb(verbs, ARRAY_COUNT(verbs), &words);
    if (!verb)
        return cli_usage("token", "say list, add or revoke");
    if (words.count != 1 + verb->names_one)
        return cli_usage("token", verb->names_one ? "revoke needs one ID (hinomi token list)"
                                          : "%s takes no further word", verb->name);
    if (!command.admin.dir)
        return cli_usage("token", "--dir needs the data folder of the server");
    if (verb->makes && (!kind || !name))
        return cli_usage("token", "add needs --kind api|hec|gate and --name NAME");
    if (role && role_parse(slice_text(role)) == ROLE_NONE)
        return cli_usage("token", "'%s' is no role", role);
    command.token.id = verb->names_one ? slice_text(words.words[1]) : SLICE_NONE;
    command.token.kind = slice_text(kind);
    command.token.name = slice_text(name);
    command.token.role = role ? role_parse(slice_text(role)) : ROLE_NONE;
    command.token.stream = slice_text(stream);
    command.token.dataset = slice_text(dataset);
    command.token.networks = slice_text(networks);
    command.token.zone = slice_text(zone);
    if (quota && !slice_to_i64(slice_text(quota), &command.token.events_per_second))
        return cli_usage("token", "--events-per-second is a number, or 0 for any number");
    return admin_run(&command.admin, verb, 64 * MIB);
}
