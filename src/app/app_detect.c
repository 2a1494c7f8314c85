/* hinomi detect: rules over files, one line a match. hinomi replay: the same engine with what the
 * rules remember, as of event time. */
#include "app/hunt_actions.h"
#include "app/hunt_summary.h"
#include "app/offline.h"
#include "app/rules.h"
#include "base/file.h"
#include "detect/detector.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct hunt {
    struct detector *detector;
    struct hunt_output output;
    struct hunt_summary summary;
    struct hunt_actions actions; /* of a replay as lines */
    struct offline *offline;
    const char *path;
    uint64_t first_record;
    int64_t started_ns;
};

static int on_found(void *context, const struct finding *finding, const struct rule *rule,
                    const struct batch *batch, uint32_t row, struct err *err)
{
    struct hunt *hunt = context;
    if (finding->follows.ptr && hunt->output.format != HUNT_FINDINGS)
        return 0; /* nothing new matched; replay tells how it went on */
    struct hunt_place place = {.path = hunt->path,
                               .record = hunt->first_record + row,
                               .has_record = row != UINT32_MAX,
                               .batch = batch,
                               .row = row};
    if (hunt_summary_add(&hunt->summary, finding, rule, &place, err) < 0)
        return -1;
    if (hunt_output_put(&hunt->output, finding, rule, &place, err) < 0)
        return -1;
    return hunt->output.format == HUNT_FINDINGS ? hunt_actions_put(&hunt->actions, finding, rule, err) : 0;
}

static int on_batch(void *context, struct batch *batch, const char *path, uint64_t first_record,
                    struct err *err)
{
    struct hunt *hunt = context;
    hunt->path = path;
    hunt->first_record = first_record;
    cli_progress(false, "%llu files, %llu events, %llu findings; %s",
                 (unsigned long long)hunt->offline->files, (unsigned long long)hunt->offline->events,
                 (unsigned long long)hunt->summary.findings, path);
    if (detector_run(hunt->detector, batch, err) < 0)
        return -1;
    cli_flush(); /* someone may be waiting at the end of a pipe */
    return 0;
}

static void say_summary(const struct hunt *hunt)
{
    struct buffer text;
    const struct offline *offline = hunt->offline;
    double seconds = (double)(clock_mono_ns(clock_real()) - hunt->started_ns) / (double)NS_PER_SECOND;
    buffer_init(&text, 16 * MIB);
    buffer_printf(&text, "%llu events of %llu files in %.1f s; %llu findings\n",
                  (unsigned long long)offline->events, (unsigned long long)offline->files, seconds,
                  (unsigned long long)hunt->summary.findings);
    hunt_summary_print(&hunt->summary, &text);
    fprintf(stderr, "%.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
}

static int run_hunt(struct hunt *hunt, const struct rulebook *book, const struct cli_words *words,
                    struct err *err)
{
    struct detector_options options = {.rules = book->rules, .state = book->state, .found = on_found,
                                       .context = hunt};
    struct decoders *decoders = NULL;
    if (cli_load_decoders(hunt->offline->decoders, &decoders, err) < 0)
        return -1;
    int result = detector_new(&options, &hunt->detector, err);
    if (result == 0)
        result = offline_run(hunt->offline, decoders, words->words, words->count, err);
    if (result == 0) /* graces that end with the last event are over; nothing is known beyond it */
        result = detector_tick(hunt->detector, detector_stats(hunt->detector).watermark_ns, err);
    if (result == 0) /* windows that are open are judged as they stand */
        result = detector_finish(hunt->detector, err);
    if (result == 0)
        result = hunt_output_end(&hunt->output, err);
    detector_free(hunt->detector);
    decoders_free(decoders);
    cli_progress(true, "%llu files", (unsigned long long)hunt->offline->files);
    return result;
}

/* The whole hunt, once the command line is understood. */
static int hunt_files(struct hunt *hunt, enum hunt_format format, bool summary, const char *actions_path,
                      const struct rulebook *book, const struct cli_words *words)
{
    struct err err;
    hunt->started_ns = clock_mono_ns(clock_real());
    int result = hunt_actions_open(&hunt->actions, actions_path, &err);
    if (result == 0)
        result = hunt_output_init(&hunt->output, format, &err);
    if (result == 0)
        result = hunt_summary_init(&hunt->summary, book->rules, &err);
    if (result == 0)
        result = run_hunt(hunt, book, words, &err);
    cli_flush();
    if (result == 0 && summary)
        say_summary(hunt);
    hunt_summary_close(&hunt->summary);
    hunt_output_close(&hunt->output);
    if (hunt_actions_close(&hunt->actions, result == 0 ? &err : NULL) < 0)
        result = -1;
    if (result < 0 && err.code != ERR_CLOSED)
        return cli_fail(&err);
    return hunt->offline->files_failed ? EXIT_FAILED : EXIT_DONE;
}

static bool format_of(const char *name, bool findings, enum hunt_format *out)
{
    static const char *const names[] = {"jsonl", "table", "timeline"};
    static const enum hunt_format formats[] = {HUNT_MATCHES, HUNT_TABLE, HUNT_TIMELINE};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = i == 0 && findings ? HUNT_FINDINGS : formats[i];
            return true;
        }
    return false;
}

static int is_yaml(void *context, const char *path, struct err *err)
{
    (void)err;
    bool *found = context;
    struct slice name = slice_text(path);
    *found |= slice_ends(name, SLICE(".yml")) || slice_ends(name, SLICE(".yaml"));
    return 0;
}

/* As a filter: "detect RULES < LOG" and "detect --rules RULES < LOG" read standard input, when that is a file or a pipe. */
static void read_input(struct cli_words *words, const char **rules_path)
{
    static char dash[] = "-", *input[] = {dash};
    struct stat info;
    struct err err;
    bool rules = words->count == 0 && *rules_path;
    if (words->count > 1 || fstat(STDIN_FILENO, &info) < 0 || !(S_ISREG(info.st_mode) || S_ISFIFO(info.st_mode)))
        return;
    if (words->count == 1 && !*rules_path && file_walk(words->words[0], NULL, is_yaml, &rules, &err) == 0 && rules)
        *rules_path = words->words[0];
    if (rules)
        *words = (struct cli_words){input, 1};
}

static int hunt_command(const char *name, int argc, char **argv, bool findings)
{
    struct offline offline = {.batch = on_batch};
    struct hunt hunt = {.offline = &offline};
    const char *rules_path = NULL, *format_name = "jsonl", *received = NULL, *actions = NULL;
    bool ignore_logsource = false, summary = false;
    const struct cli_option options[] = {
        {"--rules", &rules_path, NULL},       {"--format", &format_name, NULL},
        {"--source", &offline.source, NULL},  {"--tz", &offline.zone, NULL},
        {"--received", &received, NULL},      {"--actions", &actions, NULL},
        {"--encoding", &offline.encoding, NULL},
        {"--decoders", &offline.decoders, NULL},
        {"--ignore-logsource", NULL, &ignore_logsource},
        {"--summary", NULL, &summary},
    };
    struct cli_words words;
    enum hunt_format format;
    offline.context = &hunt;
    int status = cli_parse(name, argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    read_input(&words, &rules_path);
    if (words.count == 0)
        return cli_usage(name, "name files or folders, or - for standard input");
    if (!format_of(format_name, findings, &format))
        return cli_usage(name, "--format is jsonl, table or timeline");
    if (actions && format != HUNT_FINDINGS)
        return cli_usage(name, "--actions is for replay with --format jsonl");
    if (received && !offline_parse_time(received, &offline.received_ns))
        return cli_usage(name, "--received needs a time such as 2026-01-26T00:00:00Z");
    status = cli_check_text(name, offline.zone, offline.encoding);
    if (status)
        return status;
    struct rulebook *book;
    struct err err;
    if (cli_load_rules(rules_path, ignore_logsource, &book, &err) < 0)
        return cli_fail(&err);
    cli_say_inactive(book);
    bool for_people = format == HUNT_TABLE || format == HUNT_TIMELINE;
    status = hunt_files(&hunt, format, summary || for_people, actions, book, &words);
    rulebook_release(book);
    return status;
}

int app_detect(int argc, char **argv)
{
    return hunt_command("detect", argc, argv, false);
}

int app_replay(int argc, char **argv)
{
    return hunt_command("replay", argc, argv, true);
}
