#pragma once
/*
 * respond/act/playbook: what is done about a kind of incident, step by step: actions, tasks of people, approvals.
 *
 *   playbook: contain-account
 *   rules: [29429436-b567-5af7-a2ea-02fde55b29f8]     an incident with a finding of one of these is offered it
 *   title: {en: ..., ja: ...}
 *   steps:
 *     - approval: {people: 1, role: approver, en: ..., ja: ...}
 *     - action: accounts                  on the entities of the incident that the action takes
 *     - task: {en: ..., ja: ...}
 *
 * A run has its steps copied into SQLite, so a file that changes does not change what was begun. It goes on by itself
 * through actions (also after a restart: an action is asked for under a key of run and step), and waits for people at
 * tasks and approvals. A step that failed waits for a person as well: it is skipped, or the run is stopped.
 *
 * Ownership  Definitions live in the arena.
 */
#include "base/arena.h"
#include "base/json.h"
#include "respond/act/act.h"

enum playbook_kind { PLAYBOOK_ACTION, PLAYBOOK_TASK, PLAYBOOK_APPROVAL };

struct playbook_step {
    enum playbook_kind kind;
    struct slice action;
    struct slice en, ja;
    int64_t people; /* APPROVAL */
    enum role role; /* APPROVAL */
};

struct playbook {
    struct slice name, title_en, title_ja;
    const struct playbook_step *steps;
    size_t count;
    const struct slice *rules; /* ids: an incident with a finding of one is offered this */
    size_t rule_count;
};

struct playbooks {
    const struct playbook *list;
    size_t count;
};

const char *playbook_kind_name(enum playbook_kind kind);
/* Those of a folder's .yaml files, and of another that need not be there (NULL: none), whose playbooks replace the
 * first's of the same name. ERR_CONFIG names file and line. */
MUST_USE int playbooks_load(const char *path, const char *more_path, struct arena *arena, struct playbooks *out, struct err *err);
const struct playbook *playbook_find(const struct playbooks *books, struct slice name);

/* ---- runs ---- */

/* ERR_DENIED when a role may not ask for one of its actions. */
MUST_USE int playbook_check_role(struct act *act, struct slice playbook, enum role role, struct err *err);
/* ERR_NOT_FOUND, ERR_CONFLICT (an action of it is not configured; one of this playbook goes on there already). */
MUST_USE int playbook_start(struct act *act, struct slice playbook, struct slice incident, struct slice by, struct slice via,
                            int64_t *run, struct err *err);

enum playbook_answer { PLAYBOOK_DONE, PLAYBOOK_SKIP, PLAYBOOK_APPROVE };
/* What a person says to the step that waits. ERR_CONFLICT: it is another step's turn, or what is said does not fit. */
MUST_USE int playbook_answer(struct act *act, int64_t run, int64_t step, enum playbook_answer answer, struct slice person,
                             struct slice text, struct err *err);
/* Nothing more is done; undo: what it did is undone. */
MUST_USE int playbook_stop(struct act *act, int64_t run, bool undo, struct slice person, struct err *err);

enum { PLAYBOOK_NAME_SIZE = 24 };
void playbook_run_name(int64_t run, char to[PLAYBOOK_NAME_SIZE]); /* "RUN-3" */
MUST_USE int playbook_parse_run(struct slice name, int64_t *run, struct err *err);
/* The role that an answer to the step takes. */
MUST_USE int playbook_role(struct act *act, int64_t run, int64_t step, enum playbook_answer answer, enum role *role, struct err *err);
MUST_USE int playbook_list_json(struct act *act, struct slice incident, int64_t limit, struct json *json, struct err *err);
MUST_USE int playbook_run_json(struct act *act, int64_t run, struct json *json, struct err *err);

/* By the thread of playbooks: 1 when a run went on by a step, 0, -1. */
MUST_USE int playbook_go_on(struct act *act, struct arena *arena, struct err *err);
