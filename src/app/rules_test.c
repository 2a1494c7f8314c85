/*
 * hinomi rules test: tests that stand beside rules and decoders. X.log beside the decoder X.yaml becomes X.json
 * (decode/sample.h). NAME.test.yaml belongs to NAME.yml:
 *
 *   cases:
 *     - name: a transfer of a tenth of the wallet
 *       source: business          decoder; left out: by what the events look like
 *       received: 2026-03-01T00:00:00Z   when the events came in; left out: 2030-01-01
 *       events: [{...}, 'raw line']
 *       until: 2026-03-01T01:00:00Z       the clock goes on to here: absence, silence
 *       findings: 1
 *       expect: [{severity: critical, entities: [hot-1], text: '12.5 XEM'}]
 *
 * Rules run in the engine that servers run. Only findings of the file's own rules count. With --explain each finding is a
 * line of JSON, with the texts of its rule and how many questions (docs/questions.md) it is asked. With --mutate the
 * cases are run again with each wrong version of the rules (app/rule_mutants.h): one that passes all of
 * them was not noticed.
 */
#include "app/offline.h"
#include "app/rule_commands.h"
#include "app/rule_mutants.h"
#include "app/rules.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cut/yaml_json.h"
#include "decode/sample.h"
#include "detect/detector.h"
#include "event/delivery.h"
#include "schedule/question.h"

#include <stdio.h>
#include <unistd.h>

enum { PATH_ROOM = 4200, DEFAULT_RECEIVED_S = 1893456000 }; /* 2030-01-01: a test means the same every day */
#define SUFFIX ".test.yaml"

struct run {
    struct decoders *decoders;
    uint64_t passed, failed;
    bool mutate;
    bool write;  /* samples' expected events anew */
    bool explain;
    struct questions questions; /* with explain */
    bool quiet; /* a wrong version is meant to fail */
    uint64_t mutants, noticed;

    /* the file that is being tested */
    const char *path;
    struct rulebook *book;
    char rule_path[PATH_ROOM];
    struct arena *arena;
};

/* What one case found. */
struct outcome {
    struct run *run;
    struct finding *list;
    const struct rule **rules; /* of the same findings */
    size_t count, size;
};

PRINTF_LIKE(3, 4)
static void fail(struct run *run, struct slice name, const char *format, ...)
{
    va_list args;
    run->failed++;
    if (run->quiet)
        return;
    printf("FAIL  %s: %.*s: ", run->path, SLICE_ARG(name));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static int on_found(void *context, const struct finding *finding, const struct rule *rule,
                    const struct batch *batch, uint32_t row, struct err *err)
{
    struct outcome *outcome = context;
    struct arena *arena = outcome->run->arena;
    (void)batch;
    (void)row;
    if (!slice_is(rule->path, outcome->run->rule_path))
        return 0;
    if (outcome->count == outcome->size) {
        size_t size = outcome->size ? outcome->size * 2 : 16;
        outcome->list = arena_grow(arena, outcome->list, outcome->size * sizeof(*outcome->list),
                                   size * sizeof(*outcome->list));
        outcome->rules = arena_grow(arena, outcome->rules, outcome->size * sizeof(struct rule *), size * sizeof(struct rule *));
        outcome->size = size;
    }
    if (outcome->rules)
        outcome->rules[outcome->count] = rule;
    if (!outcome->list || !outcome->rules || !finding_copy(finding, arena, &outcome->list[outcome->count++]))
        return err_nomem(err);
    return 0;
}

/* ---- events ---- */

static int put_events(const struct yaml_node *events, struct buffer *body, uint32_t *count,
                      struct err *err)
{
    struct buffer line;
    buffer_init(&line, BATCH_ARENA_MAX);
    for (size_t i = 0; i < events->count; i++) {
        const struct yaml_node *event = events->entries[i].value;
        struct json json;
        buffer_clear(&line);
        json_init(&json, &line);
        if (event->kind == YAML_SCALAR)
            buffer_put(&line, event->text);
        else
            yaml_to_json(event, &json);
        delivery_put_record(body, buffer_slice(&line), SLICE(""));
    }
    *count = (uint32_t)events->count;
    bool failed = buffer_failed(body) || buffer_failed(&line);
    buffer_close(&line);
    return failed ? err_nomem(err) : 0;
}

static int walk_delivery(struct run *run, const struct delivery *delivery, struct detector *detector,
                         struct err *err)
{
    struct decode *decode = decode_new(run->decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct decode_place place = {0};
    int more = decode && batch ? 1 : err_nomem(err);
    while (more > 0) {
        more = decode_delivery(decode, delivery, &place, batch, err);
        if (more >= 0 && (decode_finish(batch, err) < 0 || detector_run(detector, batch, err) < 0))
            more = -1;
        batch_reset(batch);
    }
    batch_free(batch);
    decode_free(decode);
    return more;
}

static int run_events(struct run *run, const struct yaml_node *test, struct outcome *outcome,
                      struct err *err)
{
    struct detector_options options = {.rules = run->book->rules, .state = run->book->state,
                                       .found = on_found, .context = outcome};
    struct slice received = yaml_text(yaml_get(test, "received"), SLICE_NONE);
    struct slice until = yaml_text(yaml_get(test, "until"), SLICE_NONE);
    struct delivery delivery = {.framing = FRAMING_RECORDS,
                                .received_ns = DEFAULT_RECEIVED_S * NS_PER_SECOND,
                                .first_seq = 1,
                                .origin = {.source = yaml_text(yaml_get(test, "delivered_by"), SLICE("test")),
                                           .stream = SLICE("main")}};
    struct detector *detector = NULL;
    struct buffer body;
    int64_t until_ns = 0;
    delivery.origin.dataset = yaml_text(yaml_get(test, "source"), SLICE_NONE);
    if (received.ptr && !offline_parse_time(received.ptr, &delivery.received_ns))
        return yaml_err(err, test, "'received' needs a time such as 2026-03-01T00:00:00Z");
    if (until.ptr && !offline_parse_time(until.ptr, &until_ns))
        return yaml_err(err, test, "'until' needs a time such as 2026-03-01T00:00:00Z");
    buffer_init(&body, BATCH_ARENA_MAX);
    int result = put_events(yaml_get(test, "events"), &body, &delivery.event_count, err);
    delivery.body = buffer_slice(&body);
    if (result == 0)
        result = detector_new(&options, &detector, err);
    if (result == 0)
        result = walk_delivery(run, &delivery, detector, err);
    if (result == 0)
        result = detector_tick(detector, until.ptr ? until_ns : detector_stats(detector).watermark_ns, err);
    if (result == 0 && !until.ptr) /* the events of a test are all there are */
        result = detector_finish(detector, err);
    detector_free(detector);
    buffer_close(&body);
    return result;
}

/* ---- what is expected ---- */

static bool has_entity(const struct finding *finding, struct slice value)
{
    for (size_t i = 0; i < finding->entity_count; i++)
        if (slice_equal(finding->entities[i].value, value))
            return true;
    return false;
}

/* NULL, or what the finding lacks. */
static const char *lacks(const struct finding *finding, const struct yaml_node *expect,
                         struct slice *what)
{
    const struct yaml_node *entities = yaml_get(expect, "entities");
    *what = yaml_text(yaml_get(expect, "severity"), SLICE_NONE);
    if (what->ptr && !slice_is(*what, severity_name(finding->severity)))
        return "the severity";
    *what = yaml_text(yaml_get(expect, "rule"), SLICE_NONE);
    if (what->ptr && !slice_equal(*what, finding->rule_name) && !slice_equal(*what, finding->title))
        return "the rule";
    for (size_t i = 0; entities && i < entities->count; i++) {
        *what = entities->entries[i].value->text;
        if (!has_entity(finding, *what))
            return "the entity";
    }
    *what = yaml_text(yaml_get(expect, "text"), SLICE_NONE);
    if (what->ptr && slice_find(finding->explanation_en, *what) < 0 &&
        slice_find(finding->explanation_ja, *what) < 0)
        return "the text";
    return NULL;
}

static void compare(struct run *run, const struct yaml_node *test, struct slice name,
                    const struct outcome *outcome)
{
    const struct yaml_node *expect = yaml_get(test, "expect");
    int64_t wanted = expect ? (int64_t)expect->count : 0;
    yaml_to_i64(yaml_get(test, "findings"), &wanted);
    if ((int64_t)outcome->count != wanted) {
        fail(run, name, "%lld findings were expected, there are %zu", (long long)wanted, outcome->count);
        return;
    }
    for (size_t i = 0; expect && i < expect->count && i < outcome->count; i++) {
        struct slice what;
        const char *missing = lacks(&outcome->list[i], expect->entries[i].value, &what);
        if (missing) {
            fail(run, name, "finding %zu lacks %s '%.*s': %.*s", i + 1, missing, SLICE_ARG(what),
                 SLICE_ARG(outcome->list[i].explanation_en));
            return;
        }
    }
    run->passed++;
}

/* ---- what people would read ---- */

static void put_pair(struct json *json, const char *key, struct slice en, struct slice ja)
{
    json_key(json, key);
    json_open(json, '{');
    json_put_text(json, "en", en.ptr ? en : SLICE(""));
    json_put_text(json, "ja", ja.ptr ? ja : SLICE(""));
    json_close(json, '}');
}

static void explain_one(struct run *run, struct slice name, const struct finding *finding, const struct rule *rule)
{
    struct question_pick picks[QUESTIONS_ASKED_MAX];
    struct buffer line;
    struct json json;
    size_t left, asked = question_pick(&run->questions, finding, picks, QUESTIONS_ASKED_MAX, &left);
    buffer_init(&line, MIB);
    json_init(&json, &line);
    json_open(&json, '{');
    json_put_text(&json, "rule", rule->title);
    json_put_text(&json, "case", name);
    put_pair(&json, "explain", finding->explanation_en, finding->explanation_ja);
    put_pair(&json, "why", rule->why_en, rule->why_ja);
    put_pair(&json, "check", rule->check_en, rule->check_ja);
    put_pair(&json, "do", rule->do_en, rule->do_ja);
    json_put_i64(&json, "entities", (int64_t)finding->entity_count);
    json_put_i64(&json, "evidence", (int64_t)finding->evidence_count);
    json_put_i64(&json, "questions", (int64_t)asked);
    json_put_i64(&json, "questions_left", (int64_t)left);
    json_close(&json, '}');
    if (buffer_failed(&line))
        fail(run, name, "out of memory for its sentences");
    else
        printf("%.*s\n", SLICE_ARG(buffer_slice(&line)));
    buffer_close(&line);
}

static bool is_known_key(struct slice key)
{
    static const char *const keys[] = {"name", "source", "delivered_by", "received", "events", "until", "findings", "expect"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (slice_is(key, keys[i]))
            return true;
    return false;
}

static int check_case(const struct yaml_node *test, struct err *err)
{
    const struct yaml_node *events = yaml_get(test, "events"), *expect = yaml_get(test, "expect");
    if (test->kind != YAML_MAPPING || !events || events->kind != YAML_SEQUENCE)
        return yaml_err(err, test, "a case needs 'events', a list of mappings or lines");
    if (!yaml_get(test, "findings") && !expect)
        return yaml_err(err, test, "a case needs 'findings' (how many) or 'expect' (a list)");
    if (expect && expect->kind != YAML_SEQUENCE)
        return yaml_err(err, expect, "'expect' is a list, one mapping a finding");
    for (size_t i = 0; i < test->count; i++)
        if (!is_known_key(test->entries[i].key->text))
            return yaml_err(err, test->entries[i].key, "there is no '%.*s' in a case",
                            SLICE_ARG(test->entries[i].key->text));
    return 0;
}

static int run_case(struct run *run, const struct yaml_node *test, struct err *err)
{
    struct outcome outcome = {.run = run};
    struct slice name = yaml_text(yaml_get(test, "name"), SLICE("a case without a name"));
    if (check_case(test, err) < 0 || run_events(run, test, &outcome, err) < 0) {
        if (err->code == ERR_NOMEM)
            return -1;
        fail(run, name, "%s", err->text);
        return 0;
    }
    compare(run, test, name, &outcome);
    for (size_t i = 0; run->explain && !run->quiet && i < outcome.count; i++)
        explain_one(run, name, &outcome.list[i], outcome.rules[i]);
    return 0;
}

/* ---- files ---- */

/* The rules of the file alone; where one of them needs others (a correlation, a total of all), those of its folder too. */
static int load_rules(struct run *run, struct err *err)
{
    char folder[PATH_ROOM];
    if (cli_load_rules(run->rule_path, false, &run->book, err) < 0)
        return -1;
    bool whole = true;
    for (size_t i = 0; i < run->book->rules->count; i++)
        whole &= run->book->rules->rules[i]->status == RULE_ACTIVE && run->book->rules->rules[i]->kind != RULE_RISK;
    if (whole)
        return 0;
    rulebook_release(run->book);
    snprintf(folder, sizeof(folder), "%s", run->rule_path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    return cli_load_rules(slash ? folder : ".", false, &run->book, err);
}

/* A rule that is not active cannot be tested: its reason is the failure. */
static void fail_inactive(struct run *run)
{
    for (size_t i = 0; i < run->book->rules->count; i++) {
        const struct rule *rule = run->book->rules->rules[i];
        if (rule->status != RULE_ACTIVE && slice_is(rule->path, run->rule_path))
            fail(run, rule->title.ptr ? rule->title : rule->name, "the rule is %s: %.*s",
                 rule_status_name(rule->status), SLICE_ARG(rule->reason));
    }
}

static int run_document(struct run *run, const struct yaml_node *document, struct err *err)
{
    const struct yaml_node *cases = yaml_get(document, "cases");
    if (!cases || cases->kind != YAML_SEQUENCE || cases->count == 0) {
        fail(run, SLICE("the file"), "'cases' is missing: a list of tests");
        return 0;
    }
    for (size_t i = 0; i < cases->count && !(run->quiet && run->failed); i++)
        if (run_case(run, cases->entries[i].value, err) < 0)
            return -1;
    return 0;
}

/* ---- wrong versions ---- */

/* All cases of a file; with a wrong version of a rule up to the first that fails. */
static int run_documents(struct run *run, const struct yaml_node *const *documents, size_t count, struct err *err)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < count && !(run->quiet && run->failed); i++)
        result = run_document(run, documents[i], err);
    return result;
}

/* 1: the version was run, 0: there is none of this number. */
static int try_mutant(struct run *run, struct rule *rule, size_t n, const struct yaml_node *const *documents,
                      size_t count, struct err *err)
{
    struct run trial = *run;
    struct rule_mutant saved;
    struct buffer said;
    trial.arena = arena_new(BATCH_ARENA_MAX);
    if (!trial.arena)
        return err_nomem(err);
    trial.quiet = true;
    trial.passed = trial.failed = 0;
    buffer_init(&said, MIB);
    int made = rule_mutant_make(rule, n, trial.arena, &saved, &said), result = made < 0 ? err_nomem(err) : 0;
    if (made > 0) {
        result = run_documents(&trial, documents, count, err);
        rule_mutant_undo(rule, &saved);
        run->mutants++;
        run->noticed += trial.failed > 0;
        if (result == 0 && !trial.failed)
            printf("not noticed  %s: %.*s: %.*s\n", run->path, SLICE_ARG(rule->title), SLICE_ARG(buffer_slice(&said)));
    }
    buffer_close(&said);
    arena_free(trial.arena);
    return result < 0 ? -1 : made;
}

static int try_mutants(struct run *run, const struct yaml_node *const *documents, size_t count, struct err *err)
{
    struct rule_set *rules = run->book->rules;
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *rule = rules->rules[i];
        int made = rule->status == RULE_ACTIVE && slice_is(rule->path, run->rule_path);
        for (size_t n = 0; made > 0; n++)
            made = try_mutant(run, rule, n, documents, count, err);
        if (made < 0)
            return -1;
    }
    return 0;
}

/* ---- a file ---- */

/* NAME.yml or NAME.yaml; false when there is neither. */
static bool find_rule(struct run *run)
{
    static const char *const endings[] = {".yml", ".yaml"};
    int stem = (int)(strlen(run->path) - strlen(SUFFIX));
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        snprintf(run->rule_path, sizeof(run->rule_path), "%.*s%s", stem, run->path, endings[i]);
        if (access(run->rule_path, R_OK) == 0)
            return true;
    }
    return false;
}

static int run_file(struct run *run, struct err *err)
{
    const struct yaml_node *const *documents;
    struct slice text;
    struct err why;
    size_t count = 0;
    if (!find_rule(run)) {
        fail(run, SLICE("the file"), "there is no rule of this name beside it");
        return 0;
    }
    if (file_read(run->path, YAML_BYTES_MAX, run->arena, &text, err) < 0 || load_rules(run, err) < 0)
        return -1;
    if (yaml_parse(text, run->arena, &documents, &count, &why) < 0)
        fail(run, SLICE("the file"), "%s", why.text);
    fail_inactive(run);
    uint64_t failed = run->failed;
    int result = run_documents(run, documents, count, err);
    if (result == 0 && run->mutate && run->failed == failed)
        result = try_mutants(run, documents, count, err);
    rulebook_release(run->book);
    return result;
}

/* The decoder file that a sample stands beside; false when it is no sample. */
static bool find_decoder(const char *path, char to[PATH_ROOM])
{
    size_t stem = strlen(path) - 4;
    if (!slice_ends(slice_text(path), SLICE(".log")))
        return false;
    snprintf(to, PATH_ROOM, "%.*s.yaml", (int)stem, path);
    return access(to, R_OK) == 0;
}

/* With the installed decoders; one that is not among them comes with them. */
static int run_sample(struct run *run, const char *path, const char *decoder, struct err *err)
{
    struct decoders *decoders = run->decoders, *own = NULL;
    struct err why;
    err_clear(&why);
    bool installed = slice_starts(slice_text(decoder), slice_text(cli_content("decoders")));
    if (!installed && cli_load_decoders(decoder, &own, &why) < 0) {
        run->failed++;
        printf("FAIL  %s: %s\n", path, why.text);
        return 0;
    }
    decoders = own ? own : decoders;
    int result = run->write ? sample_write(decoders, path, &why) : sample_check(decoders, path, &why);
    decoders_free(own);
    if (result < 0 && why.code == ERR_NOMEM)
        return err_nomem(err);
    run->failed += result < 0;
    run->passed += result == 0;
    if (result < 0)
        printf("FAIL  %s: %s\n", path, why.text);
    else
        printf("%s %s\n", run->write ? "wrote" : "ok   ", path);
    return 0;
}

static int visit(void *context, const char *path, struct err *err)
{
    struct run *run = context;
    struct slice name = slice_text(path);
    char decoder[PATH_ROOM];
    if (find_decoder(path, decoder))
        return run_sample(run, path, decoder, err);
    if (!slice_ends(name, SLICE(SUFFIX)))
        return 0;
    run->path = path;
    run->arena = arena_new(BATCH_ARENA_MAX);
    if (!run->arena)
        return err_nomem(err);
    uint64_t failed = run->failed;
    int result = run_file(run, err);
    if (result == 0 && run->failed == failed)
        printf("ok    %s\n", path);
    arena_free(run->arena);
    return result;
}

int rules_test(int argc, char **argv)
{
    struct cli_words words;
    struct run run = {0};
    struct err err;
    char rules[PATH_ROOM], decoders[PATH_ROOM];
    const struct cli_option options[] = {
        {"--mutate", NULL, &run.mutate}, {"--write", NULL, &run.write}, {"--explain", NULL, &run.explain}};
    int status = cli_parse("rules test", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    snprintf(rules, sizeof(rules), "%s", cli_content("rules"));
    snprintf(decoders, sizeof(decoders), "%s", cli_content("decoders"));
    struct arena *asked = arena_new(64 * MIB);
    int ready = !asked ? err_nomem(&err) : run.explain ? questions_load(cli_content("questions"), NULL, asked, &run.questions, &err) : 0;
    if (ready < 0 || cli_load_decoders(NULL, &run.decoders, &err) < 0) {
        arena_free(asked);
        return cli_fail(&err);
    }
    char *installed[] = {rules, decoders};
    char **paths = words.count ? words.words : installed;
    int result = 0;
    for (int i = 0; result == 0 && i < (words.count ? words.count : 2); i++)
        result = file_walk(paths[i], NULL, visit, &run, &err);
    decoders_free(run.decoders);
    arena_free(asked);
    if (result < 0)
        return cli_fail(&err);
    if (run.mutate)
        printf("%llu of %llu wrong versions were noticed (%.1f %%)\n", (unsigned long long)run.noticed,
               (unsigned long long)run.mutants,
               run.mutants ? 100.0 * (double)run.noticed / (double)run.mutants : 100.0);
    printf("%llu passed, %llu failed\n", (unsigned long long)run.passed, (unsigned long long)run.failed);
    return run.failed ? EXIT_FAILED : EXIT_DONE;
}
