/* hinomi rules: what rules there are and what each is good for. */
#include "app/cli.h"
#include "app/listing.h"
#include "app/rule_commands.h"
#include "app/rules.h"
#include "base/json.h"

#include <stdio.h>

/* Of a path, of a server's data folder, or the content folder's own. */
static int load(const char *dir, const struct cli_words *words, bool ignore_logsource, struct rulebook **out,
                struct err *err)
{
    if (dir && words->count)
        return err_set(err, ERR_CONFIG, "name a data folder (--dir) or a path, not both");
    return dir ? cli_load_server_rules(dir, out, err)
               : cli_load_rules(words->count ? words->words[0] : NULL, ignore_logsource, out, err);
}

/* ---- check: a line a rule, with the reason why it is not active ---- */

static void put_status(const struct rule *rule, bool table, struct buffer *line)
{
    struct json json;
    if (table) {
        buffer_printf(line, "%-8s  %.*s  %.*s%s%.*s\n", rule_status_name(rule->status), SLICE_ARG(rule->title),
                      SLICE_ARG(rule->reason), rule->note.ptr ? "note: " : "", SLICE_ARG(rule->note));
        return;
    }
    json_init(&json, line);
    json_open(&json, '{');
    cli_open_rule(&json, rule);
    json_close(&json, '}');
    json_put_text(&json, "status", slice_text(rule_status_name(rule->status)));
    if (rule->reason.ptr)
        json_put_text(&json, "reason", rule->reason);
    if (rule->note.ptr)
        json_put_text(&json, "note", rule->note);
    json_put_text(&json, "path", rule->path);
    json_close(&json, '}');
    buffer_put_char(line, '\n');
}

static int check_command(int argc, char **argv)
{
    const char *format = "table", *dir = NULL;
    bool ignore_logsource = false;
    const struct cli_option options[] = {
        {"--format", &format, NULL},
        {"--dir", &dir, NULL},
        {"--ignore-logsource", NULL, &ignore_logsource},
    };
    struct cli_words words;
    struct rulebook *book;
    struct err err;
    size_t refused = 0;
    int status = cli_parse("rules check", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (load(dir, &words, ignore_logsource, &book, &err) < 0)
        return cli_fail(&err);
    struct buffer line;
    buffer_init(&line, 16 * MIB);
    for (size_t i = 0; i < book->rules->count; i++) {
        buffer_clear(&line);
        put_status(book->rules->rules[i], strcmp(format, "table") == 0, &line);
        cli_write(buffer_slice(&line));
        refused += book->rules->rules[i]->status == RULE_REFUSED;
    }
    buffer_close(&line);
    rulebook_release(book);
    cli_flush();
    return refused ? EXIT_FAILED : EXIT_DONE;
}

/* ---- list: what the rules are about ---- */

static struct slice tactics_and_techniques(const struct rule *rule, struct arena *arena)
{
    struct slice all = SLICE("");
    for (size_t i = 0; i < rule->tag_count; i++)
        if (slice_starts(rule->tags[i], SLICE("attack.")))
            all = arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(all), all.len ? " " : "",
                               SLICE_ARG(slice_from(rule->tags[i], strlen("attack."))));
    return all;
}

static int list_command(int argc, char **argv)
{
    const char *format_name = "table", *level = NULL, *status_name = NULL, *dir = NULL;
    const struct cli_option options[] = {{"--format", &format_name, NULL}, {"--level", &level, NULL},
                                         {"--status", &status_name, NULL}, {"--dir", &dir, NULL}};
    enum output_format format;
    struct cli_words words;
    struct rulebook *book;
    struct listing listing;
    struct err err;
    int status = cli_parse("rules list", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!output_format_by_name(slice_text(format_name), &format))
        return cli_usage("rules list", "--format is table, json, jsonl or csv");
    if (load(dir, &words, false, &book, &err) < 0)
        return cli_fail(&err);
    int result = listing_init(&listing, &err);
    for (size_t i = 0; result == 0 && i < book->rules->count; i++) {
        const struct rule *rule = book->rules->rules[i];
        if ((level && !slice_is_nocase(rule->level, level)) ||
            (status_name && strcmp(rule_status_name(rule->status), status_name) != 0))
            continue;
        listing_row(&listing);
        listing_text(&listing, "status", slice_text(rule_status_name(rule->status)));
        listing_text(&listing, "level", rule->level);
        listing_text(&listing, "title", rule->title);
        listing_text(&listing, "attack", tactics_and_techniques(rule, listing.arena));
        listing_text(&listing, "id", rule->id.ptr ? rule->id : rule->name);
        listing_text(&listing, "author", rule->author.ptr ? rule->author : SLICE(""));
        listing_text(&listing, "path", rule->path);
        listing_text(&listing, "reason", rule->reason.ptr ? rule->reason : SLICE(""));
    }
    if (result == 0) {
        result = listing_print(&listing, format, &err);
        listing_close(&listing);
    }
    rulebook_release(book);
    cli_flush();
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}

static int disable_command(int argc, char **argv)
{
    return rules_tune("disable", argc, argv);
}

static int enable_command(int argc, char **argv)
{
    return rules_tune("enable", argc, argv);
}

static int level_command(int argc, char **argv)
{
    return rules_tune("level", argc, argv);
}

int app_rules(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"check", check_command},      {"list", list_command},       {"test", rules_test},
                    {"backtest", rules_backtest}, {"ledger", rules_ledger},  {"install", rules_install},   {"disable", disable_command},
                    {"enable", enable_command},    {"level", level_command}};
    static const char words[] = "check, list, test, backtest, ledger, install, disable, enable or level";
    if (argc < 1)
        return cli_usage("rules", "say what: %s", words);
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return cli_usage("rules", "there is no '%s'; say %s", argv[0], words);
}
