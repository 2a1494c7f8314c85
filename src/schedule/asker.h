#pragma once
/*
 * schedule/asker: asks every incident that opens, or becomes graver, the questions that fit it (docs/questions.md).
 *
 *   incidents without answers ─► their gravest finding ─► questions that fit ─► rows that wait ─► ANSWERS_RUNNING_MAX searches ─► answers
 *
 * What is to be asked follows from the rows in SQLite, so nothing is lost when the program ends at any moment. The gravest and
 * newest incident goes first; the searches stand behind those of people.
 *
 * Ownership  asker_open to asker_free; what the configuration points at outlives asker_stop().
 * Threads    ANSWERS_RUNNING_MAX of its own; asker_wake() from any.
 */
#include "schedule/question.h"
#include "schedule/scheduled_run.h"

struct asker;

struct asker_config {
    struct scheduled_parts parts;
    const struct questions *questions;
    /* The newest definitions; know_release() gives them back. */
    struct knowledge *(*knowledge)(void *context);
    /* Waits, a second at most, until what was acknowledged before can be found. */
    void (*settle)(void *context);
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

/* It can be woken from here on, so that it may be opened before there are incidents. NULL: memory is out. */
MUST_USE struct asker *asker_open(void);
MUST_USE int asker_start(struct asker *asker, const struct asker_config *config, struct err *err);
/* Incidents changed: there may be something to ask. Never waits for a search. */
void asker_wake(struct asker *asker);
/* An incident is asked again. ERR_NOT_FOUND, ERR_CONFLICT (closed). */
MUST_USE int asker_again(struct asker *asker, struct slice incident, struct err *err);
void asker_stop(struct asker *asker); /* NULL is fine */
void asker_free(struct asker *asker); /* NULL is fine */
