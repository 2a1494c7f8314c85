/* hinomi detect: rules over files, one line a match. hinomi replay: the same engine with what the
 * rules remember, as of event time. hinomi rules check: what every rule is good for. */
#include "app/offline.h"

#include "base/json.h"
#include "base/time.h"
#include "detect/detector.h"
#include "event/schema.h"

#include <stdio.h>

struct hunt {
    struct detector *detector;
    struct buffer line;
    const char *path;
    uint64_t first_record;
    uint64_t matches;
    bool table, findings;
};

static void put_rule(struct json *json, const struct rule *rule)
{
    json_key(json, "rule");
    json_open(json, '{');
    if (rule->id.ptr)
        json_put_text(json, "id", rule->id);
    else
        json_put_text(json, "name", rule->name);
    if (rule->title.ptr)
        json_put_text(json, "title", rule->title);
    json_close(json, '}');
}

static void put_evidence(struct json *json, const struct finding *finding)
{
    json_key(json, "evidence");
    json_open(json, '[');
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (finding->evidence[i].event_id.ptr)
            json_text(json, finding->evidence[i].event_id);
    json_close(json, ']');
}

/* What a correlation grouped by, under the names that its rule uses. */
static void put_groups(struct json *json, const struct finding *finding)
{
    for (size_t i = 0; i < finding->group_count; i++) {
        json_key_slice(json, finding->groups[i].type);
        json_text(json, finding->groups[i].value);
    }
}

static void put_match(struct hunt *hunt, const struct finding *finding, const struct rule *rule, uint32_t row)
{
    struct json json;
    json_init(&json, &hunt->line);
    json_open(&json, '{');
    put_rule(&json, rule);
    json_key(&json, "log");
    json_open(&json, '{');
    json_key(&json, "file");
    json_open(&json, '{');
    json_put_text(&json, "path", slice_text(hunt->path));
    json_close(&json, '}');
    json_close(&json, '}');
    json_key(&json, "hinomi");
    json_open(&json, '{');
    if (row != UINT32_MAX)
        json_put_i64(&json, "record", (int64_t)(hunt->first_record + row));
    if (finding->evidence_seen) {
        json_put_i64(&json, "events", (int64_t)finding->evidence_seen);
        put_evidence(&json, finding);
    }
    json_close(&json, '}');
    put_groups(&json, finding);
    json_close(&json, '}');
}

static void put_finding(struct hunt *hunt, const struct finding *finding, const struct rule *rule)
{
    struct json json;
    json_init(&json, &hunt->line);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", finding->raised_ns);
    put_rule(&json, rule);
    json_put_text(&json, "message", finding->explanation_en);
    json_key(&json, "hinomi");
    json_open(&json, '{');
    json_put_text(&json, "finding", slice_text(finding->id));
    if (finding->catalogue.ptr)
        json_put_text(&json, "catalogue", finding->catalogue);
    json_put_text(&json, "severity", slice_text(severity_name(finding->severity)));
    json_key(&json, "entity");
    json_open(&json, '[');
    for (size_t i = 0; i < finding->entity_count; i++)
        json_text(&json, finding->entities[i].value);
    json_close(&json, ']');
    put_evidence(&json, finding);
    if (finding->evidence_seen)
        json_put_i64(&json, "events", (int64_t)finding->evidence_seen);
    if (finding->follows.ptr)
        json_put_text(&json, "follows", finding->follows);
    if (finding->retracts.ptr)
        json_put_text(&json, "retracts", finding->retracts);
    json_close(&json, '}');
    put_groups(&json, finding);
    json_close(&json, '}');
}

static void put_row(struct hunt *hunt, const struct finding *finding, const struct rule *rule,
                    uint32_t row)
{
    char time[TIME_TEXT_SIZE];
    time_format(finding->raised_ns, time);
    buffer_printf(&hunt->line, "%-24s  %-8s  %.*s  %s", time, severity_name(finding->severity),
                  SLICE_ARG(rule->title), hunt->path ? hunt->path : "");
    if (row != UINT32_MAX)
        buffer_printf(&hunt->line, "#%llu", (unsigned long long)(hunt->first_record + row));
}

static int on_found(void *context, const struct finding *finding, const struct rule *rule,
                    const struct batch *batch, uint32_t row, struct err *err)
{
    struct hunt *hunt = context;
    (void)batch;
    if (finding->follows.ptr && !hunt->findings)
        return 0; /* nothing new matched; replay tells how it went on */
    buffer_clear(&hunt->line);
    if (hunt->table)
        put_row(hunt, finding, rule, row);
    else if (hunt->findings)
        put_finding(hunt, finding, rule);
    else
        put_match(hunt, finding, rule, row);
    buffer_put_char(&hunt->line, '\n');
    hunt->matches++;
    if (buffer_failed(&hunt->line))
        return err_nomem(err);
    if (!cli_write(buffer_slice(&hunt->line)))
        return err_set(err, ERR_CLOSED, "the reader of the output is gone");
    return 0;
}

static int on_batch(void *context, struct batch *batch, const char *path, uint64_t first_record,
                    struct err *err)
{
    struct hunt *hunt = context;
    hunt->path = path;
    hunt->first_record = first_record;
    return detector_run(hunt->detector, batch, err);
}

static void say_inactive(const struct rule_set *rules)
{
    size_t inactive = 0, refused = 0;
    for (size_t i = 0; i < rules->count; i++) {
        inactive += rules->rules[i]->status == RULE_INACTIVE;
        refused += rules->rules[i]->status == RULE_REFUSED;
    }
    if (inactive + refused)
        fprintf(stderr, "hinomi: of %zu rules %zu are inactive and %zu refused; "
                "'hinomi rules check' says why\n", rules->count, inactive, refused);
}

static int run_hunt(struct offline *offline, struct hunt *hunt, const struct rule_set *rules,
                    const struct state_definitions *state, const struct cli_words *words,
                    struct err *err)
{
    struct detector_options options = {.rules = rules, .state = state, .found = on_found,
                                       .context = hunt};
    struct decoders *decoders = NULL;
    if (cli_load_decoders(&decoders, err) < 0)
        return -1;
    int result = detector_new(&options, &hunt->detector, err);
    buffer_init(&hunt->line, 16 * MIB);
    if (result == 0)
        result = offline_run(offline, decoders, words->words, words->count, err);
    if (result == 0) /* graces that end with the last event are over; nothing is known beyond it */
        result = detector_tick(hunt->detector, detector_stats(hunt->detector).watermark_ns, err);
    if (result == 0)
        result = detector_finish(hunt->detector, err);
    buffer_close(&hunt->line);
    detector_free(hunt->detector);
    decoders_free(decoders);
    return result;
}

static int hunt_command(const char *name, int argc, char **argv, bool findings)
{
    struct hunt hunt = {.findings = findings};
    struct offline offline = {.batch = on_batch, .context = &hunt};
    const char *rules_path = NULL, *format = "jsonl", *received = NULL, *actions = NULL;
    struct rule_options rule_options = {0};
    const struct cli_option options[] = {
        {"--rules", &rules_path, NULL},       {"--format", &format, NULL},
        {"--source", &offline.source, NULL},  {"--tz", &offline.zone, NULL},
        {"--received", &received, NULL},      {"--actions", &actions, NULL},
        {"--encoding", &offline.encoding, NULL},
        {"--ignore-logsource", NULL, &rule_options.ignore_logsource},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse(name, argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count == 0)
        return cli_usage(name, "name files or folders, or - for standard input");
    if (strcmp(format, "jsonl") != 0 && strcmp(format, "table") != 0)
        return cli_usage(name, "--format is jsonl or table");
    if (actions)
        return cli_usage(name, "--actions is not available in this version");
    if (received && !offline_parse_time(received, &offline.received_ns))
        return cli_usage(name, "--received needs a time such as 2026-01-26T00:00:00Z");
    status = cli_check_text(name, offline.zone, offline.encoding);
    if (status)
        return status;
    char own_rules[4200], logsources[4200], placeholders[4200], state_path[4200];
    snprintf(own_rules, sizeof(own_rules), "%s", cli_content("rules"));
    snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
    snprintf(placeholders, sizeof(placeholders), "%s", cli_content("placeholders"));
    snprintf(state_path, sizeof(state_path), "%s", cli_content("state"));
    rule_options.logsource_path = logsources;
    rule_options.placeholder_path = placeholders;
    hunt.table = strcmp(format, "table") == 0;
    struct rule_set *rules;
    const struct state_definitions *state;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena || state_definitions_load(state_path, arena, &state, &err) < 0 ||
        rule_set_load(rules_path ? rules_path : own_rules, &rule_options, &rules, &err) < 0) {
        arena_free(arena);
        return cli_fail(&err);
    }
    say_inactive(rules);
    int result = run_hunt(&offline, &hunt, rules, state, &words, &err);
    rule_set_free(rules);
    arena_free(arena);
    cli_flush();
    if (result < 0 && err.code != ERR_CLOSED)
        return cli_fail(&err);
    return offline.files_failed ? EXIT_FAILED : EXIT_DONE;
}

int app_detect(int argc, char **argv)
{
    return hunt_command("detect", argc, argv, false);
}

int app_replay(int argc, char **argv)
{
    return hunt_command("replay", argc, argv, true);
}

/* ---- rules check ---- */

static void put_status(const struct rule *rule, bool table, struct buffer *line)
{
    struct json json;
    if (table) {
        buffer_printf(line, "%-8s  %.*s  %.*s\n", rule_status_name(rule->status),
                      SLICE_ARG(rule->title), SLICE_ARG(rule->reason));
        return;
    }
    json_init(&json, line);
    json_open(&json, '{');
    put_rule(&json, rule);
    json_put_text(&json, "status", slice_text(rule_status_name(rule->status)));
    if (rule->reason.ptr)
        json_put_text(&json, "reason", rule->reason);
    json_put_text(&json, "path", rule->path);
    json_close(&json, '}');
    buffer_put_char(line, '\n');
}

static int check_rules(const char *path, const struct rule_options *options, bool table)
{
    struct rule_set *rules;
    struct err err;
    size_t refused = 0;
    if (rule_set_load(path, options, &rules, &err) < 0)
        return cli_fail(&err);
    struct buffer line;
    buffer_init(&line, 16 * MIB);
    for (size_t i = 0; i < rules->count; i++) {
        buffer_clear(&line);
        put_status(rules->rules[i], table, &line);
        cli_write(buffer_slice(&line));
        refused += rules->rules[i]->status == RULE_REFUSED;
    }
    buffer_close(&line);
    rule_set_free(rules);
    cli_flush();
    return refused ? EXIT_FAILED : EXIT_DONE;
}

int app_rules(int argc, char **argv)
{
    struct rule_options rule_options = {0};
    const char *format = "table";
    const struct cli_option options[] = {
        {"--format", &format, NULL},
        {"--ignore-logsource", NULL, &rule_options.ignore_logsource},
    };
    struct cli_words words;
    int status = cli_parse("rules", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count < 1 || strcmp(words.words[0], "check") != 0)
        return cli_usage("rules", "the only word known here is 'check'");
    char own_rules[4200], logsources[4200], placeholders[4200];
    snprintf(own_rules, sizeof(own_rules), "%s", cli_content("rules"));
    snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
    snprintf(placeholders, sizeof(placeholders), "%s", cli_content("placeholders"));
    rule_options.logsource_path = logsources;
    rule_options.placeholder_path = placeholders;
    return check_rules(words.count > 1 ? words.words[1] : own_rules, &rule_options,
                       strcmp(format, "table") == 0);
}
