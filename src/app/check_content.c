#include "app/check_content.h"

#include "app/cli.h"
#include "app/config.h"
#include "app/definitions.h"
#include "app/rules.h"
#include "base/file.h"
#include "base/limits.h"
#include "decode/sample.h"
#include "detect/rule.h"
#include "app/config.h"
#include "gate/policy_owner.h"
#include "respond/wake/waking_plan.h"
#include "schedule/question.h"
#include "search/know_check.h"
#include "table/state.h"
#include "table/state_define.h"

#include <limits.h>
#include <stdio.h>

struct sample_run {
    struct report *report;
    const struct decoders *decoders;
    unsigned samples, failed;
};

static int run_sample(void *context, const char *path, struct err *err)
{
    struct sample_run *run = context;
    struct err why;
    (void)err;
    run->samples++;
    if (sample_check(run->decoders, path, &why) == 0)
        return 0;
    run->failed++;
    report_line(run->report, REPORT_FAIL, "decoders", "%s", why.text);
    return 0;
}

static void check_decoders(struct report *report)
{
    struct err err;
    struct decoders *decoders;
    if (cli_load_decoders(NULL, &decoders, &err) < 0) {
        report_line(report, REPORT_FAIL, "decoders", "%s", err.text);
        return;
    }
    struct sample_run run = {.report = report, .decoders = decoders};
    if (file_walk(cli_content("decoders"), ".log", run_sample, &run, &err) < 0)
        report_line(report, REPORT_FAIL, "decoders", "%s", err.text);
    else if (run.failed == 0)
        report_line(report, REPORT_OK, "decoders", "%u decoders; %u samples become what stands beside them",
                    decoders->all.count, run.samples);
    decoders_free(decoders);
}

static void report_rules(struct report *report, const struct rule_set *rules)
{
    size_t counts[RULE_REFUSED + 1] = {0};
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];
        counts[rule->status]++;
        if (rule->status != RULE_ACTIVE)
            report_line(report, rule->status == RULE_REFUSED ? REPORT_FAIL : REPORT_WARN, "rules",
                        "%.*s is %s: %.*s", SLICE_ARG(rule->path), rule_status_name(rule->status),
                        SLICE_ARG(rule->reason));
    }
    if (rules->count == 0)
        report_line(report, REPORT_FAIL, "rules", "there is no rule in %s", cli_content("rules"));
    else
        report_line(report, REPORT_OK, "rules", "%zu rules are active, %zu inactive, %zu refused",
                    counts[RULE_ACTIVE], counts[RULE_INACTIVE], counts[RULE_REFUSED]);
}

static void check_rules(struct report *report, const char *dir)
{
    struct err err;
    struct rulebook *book;
    if ((dir ? cli_load_server_rules(dir, &book, &err) : cli_load_rules(NULL, false, &book, &err)) < 0) {
        report_line(report, REPORT_FAIL, "rules and state tables", "%s", err.text);
        return;
    }
    report_rules(report, book->rules);
    report_line(report, REPORT_OK, "state tables", "%u tables fed by %u kinds of events",
                book->state->table_count, book->state->feed_count);
    rulebook_release(book);
}

static void check_policy(struct report *report, const struct config *config)
{
    struct err err;
    const struct policy *policy;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena) {
        report_line(report, REPORT_FAIL, "memory", "out of memory");
        return;
    }
    const char *path = config->policy ? config->policy : cli_content("policy/default.yaml");
    if (policy_load(path, arena, &policy, &err) < 0 ||
        (config->has_policy_owner && policy_owner_check(path, policy, config->policy_owner, &err) < 0))
        report_line(report, REPORT_FAIL, "gate policy", "%s; the gate would hold everything", err.text);
    else {
        bool shadow = config->gate_mode == GATE_MODE_POLICY ? policy->shadow : config->gate_mode == GATE_MODE_SHADOW;
        report_line(report, shadow ? REPORT_WARN : REPORT_OK, "gate policy", "version %.*s, %zu rows%s",
                    SLICE_ARG(policy->version), policy->row_count,
                    shadow ? "; it is in shadow mode: everything is allowed" : "");
    }
    arena_free(arena);
}

static void check_definitions(struct report *report, const char *dir)
{
    struct err err;
    struct know_builder *builder;
    const struct know_object *object;
    size_t count = 0, wrong = 0;
    if (definitions_begin(dir, &builder, &err) < 0) {
        report_line(report, REPORT_FAIL, "definitions", "%s", err.text);
        return;
    }
    struct knowledge *set = know_builder_done(builder);
    for (const struct know_note *note = know_notes(set); note; note = note->next) {
        report_line(report, note->wrong ? REPORT_FAIL : REPORT_OK, "definitions", "%.*s",
                    SLICE_ARG(note->text));
        wrong += note->wrong;
    }
    for (; (object = know_at(set, count)); count++)
        if (know_check_object(object, set, &err) < 0) {
            wrong++;
            report_line(report, REPORT_FAIL, "definitions", "%.*s: %s", SLICE_ARG(object->place), err.text);
        }
    if (!set)
        report_line(report, REPORT_FAIL, "memory", "out of memory");
    else if (wrong == 0)
        report_line(report, REPORT_OK, "definitions",
                    "%zu macros, lookups, data models, event types, tags and saved searches", count);
    know_release(set);
}

static int load_plan(const char *path, struct arena *arena, const struct plan **out, struct err *err)
{
    const struct calendars *calendars;
    struct slice text;
    if (calendars_load(cli_content("calendars"), arena, &calendars, err) < 0 ||
        file_read(path, PLAN_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    return plan_parse(text, calendars, arena, out, err) < 0 ? err_within(err, "%s", path) : 0;
}

void check_waking(struct report *report, const struct config *config)
{
    struct err err;
    const struct plan *plan;
    struct arena *arena = config->waking ? arena_new(2 * PLAN_ARENA_MAX) : NULL;
    if (!config->waking)
        return;
    if (!arena)
        report_line(report, REPORT_FAIL, "memory", "out of memory");
    else if (load_plan(config->waking, arena, &plan, &err) < 0)
        report_line(report, REPORT_FAIL, "waking plan", "%s", err.text);
    else
        report_line(report, REPORT_OK, "waking plan", "%zu people, %zu schedules, %zu policies", plan->person_count,
                    plan->schedule_count, plan->policy_count);
    arena_free(arena);
}

static void check_questions(struct report *report, const char *dir)
{
    struct err err;
    struct questions questions;
    char own[4400] = "";
    struct arena *arena = arena_new(64 * MIB);
    if (dir)
        snprintf(own, sizeof(own), "%.4000s/content/questions", dir);
    if (!arena)
        report_line(report, REPORT_FAIL, "memory", "out of memory");
    else if (questions_load(cli_content("questions"), dir ? own : NULL, arena, &questions, &err) < 0)
        report_line(report, REPORT_FAIL, "questions", "%s", err.text);
    else
        report_line(report, REPORT_OK, "questions", "%zu questions about %zu kinds of entities", questions.count, questions.type_count);
    arena_free(arena);
}

void check_content(struct report *report, const struct config *config, const char *dir)
{
    check_decoders(report);
    check_rules(report, dir);
    check_policy(report, config);
    check_definitions(report, dir);
    check_questions(report, dir);
}
