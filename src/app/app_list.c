/* The list of subcommands, and the help made from it. */
#include "app/cli.h"

#include "collect/collector_help.h"
#include "respond/notify/notifier_row.h"
#include "search/help.h"

#include <stdio.h>
#include <string.h>

const struct command_line command_lines[] = {
    {"serve", "[--config FILE] [--dir DATA] [--allow-root]",
     "the server: console and API on :7171, HTTP ingest on :7180, syslog on :5514 and :6514",
     app_serve},
    {"demo", "[--dir DATA] [--speed N] [--days N] [--port N] [--allow-root]",
     "a server with a synthetic exchange and the January night", app_demo},
    {"import", "--dir DATA [--source NAME] [--tz ZONE] [--encoding NAME] FILE...\n"
     "        --dir DATA --exported FILE...", "load files, or what hinomi export wrote, into a store",
     app_import},
    {"export", "--dir DATA [--from T] [--to T] [--stream S] [--format ndjson|csv|parquet|raw] [--out FILE] [SEARCH]",
     "events in open formats; ndjson is exact, and import --exported takes it back", app_export},
    {"decode", "[--source NAME] [--tz ZONE] [--encoding NAME] [--decoders PATH] [--explain] FILE...",
     "events as ECS JSON, one a line; --explain tells what each step did",
     app_decode},
    {"decoders", "[--decoders PATH] [--format text|json] [NAME...]", "the decoders, and the names of sources that they answer to",
     app_decoders},
    {"recognise", "[--source NAME] [--decoders PATH] [--format text|json] FILE...",
     "what files are: decoder, encoding, time zone, records, and what is not understood", app_recognise},
    {"detect", "--rules FILE|DIR [--format jsonl|table|timeline] [--summary] [--ignore-logsource] FILE|DIR...",
     "rules over files: one line a match, a table, or a timeline as CSV; as a filter: detect FILE|DIR < LOG", app_detect},
    {"replay", "--rules DIR [--format jsonl|table|timeline] FILE...",
     "the time machine: findings as of event time", app_replay},
    {"rules", "check [--format jsonl|table] [--dir DATA | FILE|DIR]\n"
     "        list [--level L] [--status S] [--format table|json|jsonl|csv] [--dir DATA | FILE|DIR]\n"
     "        install --dir DATA [--name PACK] [--dry-run] FOLDER|ARCHIVE\n"
     "        ledger --dir DATA [--verify] [--format table|json|jsonl|csv]\n"
     "        disable|enable --dir DATA --reason TEXT ID;  level --dir DATA --reason TEXT ID LEVEL|own\n"
     "        test [--mutate] [--explain] [--write] [FILE|DIR...]\n"
     "        backtest --dir DATA [--from T] [--to T] [--tz ZONE] [--against FILE|DIR] [--examples N]\n"
     "                 [--format table|jsonl] [FILE|DIR]",
     "which rules are active and why others are not; the tests beside them; what they would have found", app_rules},
    {"search", "[--dir DATA | --data FILE [--data-dir DIR]] [--format table|json|jsonl|csv] [--from T] [--to T]\n"
     "        [--content DIR] [--macros FILE] [--explain | --estimate] SPL\n"
     "        --tail --url URL [--token-file FILE] [--ca FILE] [--tz ZONE] SPL",
     "ask a store or a file; with --tail a server: what it stores from now on, until Ctrl-C", app_search},
    {"check", "[--config FILE] [--dir DATA] [--content DIR]",
     "what would stop a server from starting, or make it work wrongly", app_check},
    {"verify", "--dir DATA", "reads every byte of a data folder against its checksums", app_verify},
    {"ledger", "--dir DATA [--from T] [--to T] [--by source|minute] [--format table|json|jsonl|csv]",
     "received = stored + quarantined, per source and minute", app_ledger},
    {"audit", "--dir DATA [--from T] [--to T] [--user NAME] [--action A] [--format F]\n"
     "        --dir DATA --verify [--head HASH] | --export FILE",
     "who did what; proves that no row was changed; writes the trail to a file", app_audit},
    {"backup", "--dir DATA [--copy] TARGET",
     "a data folder as it is now, while a server may run; TARGET is empty or not there yet", app_backup},
    {"restore", "SOURCE --dir DATA", "a backup, checked as a whole, becomes a new data folder",
     app_restore},
    {"watch", "URL [--config FILE] [--webhook URL] [--every 20s] [--after 2] [--again 5m] [--ca FILE] [--state FILE] [--once] [--test]",
     "the outside heartbeat: tells when a Hinomi is gone or degraded, and when it is back", app_watch},
    {"oncall", "[--at T | --from T --days N] [--format table|json|jsonl|csv] PLAN",
     "whether a waking plan can be put in force, and who would be on call when", app_oncall},
    {"user", "list|add|role|password|disable|enable --dir DATA [--role ROLE] [--format F] [NAME]",
     "the people who may sign in; passwords are asked for or read from standard input", app_user},
    {"keep", "add|list|remove --dir DATA [--stream S] [--from T] [--to T] [--reason TEXT] [--user ADMIN] [--all]\n"
     "        [--format F] [NAME]",
     "retention holds: spans of events that stay whatever their age; two people end one", app_keep},
    {"knowledge", "list|show|check|put|remove --dir DATA [--kind KIND] [--format F] [FILE|NAME]",
     "macros, lookups, data models, event types, tags and saved searches of the search language", app_knowledge},
    {"token", "list|add|revoke --dir DATA [--kind api|hec|gate] [--name NAME] [--role ROLE] [--stream S]\n"
     "        [--dataset D] [--networks CIDR,...] [--tz ZONE] [--events-per-second N] [--expires TIME|DURATION] [--all] [--format F] [ID]",
     "what programs sign in with; the secret is shown once", app_token},
    {"approve", "--key FILE [--policy FILE] [--known FILE] [--break-glass --reason TEXT] [--yes] HOLDFILE | --new-key FILE [--name NAME]",
     "judge what the gate holds and sign that it may go, away from the server", app_approve},
    {"gate", "decide|explain --socket PATH|--dir DATA REQUEST.json\n"
     "        bench --socket PATH|--dir DATA [--connections N] [--batch N] [--seconds N] [--rate FRAMES] [--asset A]\n"
     "        whatif --policy FILE [--against FILE] [--rules PATH] [--labels FILE] [--hold-minutes N] [--stop-minutes N] [--json]\n"
     "               FILES | --dir DATA [--from TIME] [--to TIME] [--learn-days N]",
     "asks the gate of a running server over its socket, or what it would answer and why; bench measures, on a gate of its own; whatif says what a policy would have held of a history", app_gate},
    {"version", "", "the version", app_version},
    {"help", "[COMMAND] | search [NAME] | collect [KIND] | notify [KIND]",
     "this text; what a command or function of searches does; what takes events in, what reaches people, and their options", app_help},
    {NULL, NULL, NULL, NULL},
};

int app_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("hinomi " HINOMI_VERSION);
    return EXIT_DONE;
}

/* hinomi help search [NAME | --json]: the language (search/help.h). */
static int help_search(const char *name)
{
    struct buffer text;
    const char *nearest = NULL;
    bool found = true;
    buffer_init(&text, 16 * MIB);
    if (!name) {
        help_list(&text);
    } else if (strcmp(name, "--json") == 0) {
        struct json json;
        json_init(&json, &text);
        help_json(&json);
        buffer_put_char(&text, '\n');
    } else {
        found = help_name(slice_text(name), &text, &nearest);
    }
    cli_write(buffer_slice(&text));
    bool done = cli_flush() && !buffer_failed(&text);
    buffer_close(&text);
    if (!found)
        fprintf(stderr, "hinomi help: a search has no command or function \"%s\" (did you mean %s?)\n",
                name, nearest ? nearest : "stats");
    return !found ? EXIT_USAGE : done ? EXIT_DONE : EXIT_FAILED;
}

/* What can be added to the configuration: hinomi help collect [KIND | --json], hinomi help notify the same. */
static const struct topic {
    const char *word, *what;
    void (*list)(struct buffer *to);
    bool (*kind)(struct slice name, struct buffer *to);
    void (*json)(struct json *json);
} topics[] = {{"collect", "collector", collector_help_list, collector_help_kind, collector_help_json},
              {"notify", "notifier", notifier_help_list, notifier_help_kind, notifier_help_json}};

static int help_topic(const struct topic *topic, const char *name)
{
    struct buffer text;
    struct json json;
    bool found = true;
    buffer_init(&text, 16 * MIB);
    if (!name) {
        topic->list(&text);
    } else if (strcmp(name, "--json") == 0) {
        json_init(&json, &text);
        topic->json(&json);
        buffer_put_char(&text, '\n');
    } else {
        found = topic->kind(slice_text(name), &text);
    }
    cli_write(buffer_slice(&text));
    bool done = cli_flush() && !buffer_failed(&text);
    buffer_close(&text);
    if (!found)
        fprintf(stderr, "hinomi help: there is no kind of %s \"%s\" (hinomi help %s lists them)\n", topic->what, name, topic->word);
    return !found ? EXIT_USAGE : done ? EXIT_DONE : EXIT_FAILED;
}

static void print_usage(const struct command_line *command)
{
    printf("  hinomi %s %s\n        %s\n", command->name, command->usage, command->summary);
}

int app_help(int argc, char **argv)
{
    bool search = argc > 0 && strcmp(argv[0], "search") == 0;
    if (search && argc > 1)
        return help_search(argv[1]);
    for (size_t i = 0; argc > 0 && i < ARRAY_COUNT(topics); i++)
        if (strcmp(argv[0], topics[i].word) == 0)
            return help_topic(&topics[i], argc > 1 ? argv[1] : NULL);
    puts("Hinomi: see, wake, brake.\n");
    for (const struct command_line *command = command_lines; command->name; command++)
        if (argc == 0 || strcmp(argv[0], command->name) == 0)
            print_usage(command);
    puts("\nExit status: 0 done, 1 failed, 2 wrong usage. Manual: docs/ in the source.");
    if (!search)
        return EXIT_DONE;
    putchar('\n');
    fflush(stdout);
    return help_search(NULL);
}
