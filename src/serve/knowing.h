#pragma once
/*
 * serve/knowing: what the search language knows by name (know/know.h) while the server runs. A change in a
 * file or in state.db makes a new set, which searches that begin later see; those that run keep theirs.
 *
 * Threads  Any.
 */
#include "base/clock.h"
#include "know/know.h"
#include "state/database.h"

struct knowing;

struct knowing_config {
    struct database *database;
    const char *shipped, *folder;                  /* folders of definitions, copied */
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

/* Wrong definitions are noted and left out. */
MUST_USE int knowing_open(const struct knowing_config *config, struct knowing **out,
                          struct err *err);
void knowing_close(struct knowing *knowing); /* NULL is fine */

/* Those of state.db behind what the builder has. */
MUST_USE int knowing_add_kept(struct know_builder *builder, struct database *database,
                              struct err *err);

/* The newest set; know_release() gives it back. */
MUST_USE struct knowledge *knowing_hold(struct knowing *knowing);
/* All is read again; on failure the old set stays. */
MUST_USE int knowing_reload(struct knowing *knowing, struct err *err);
/* Reads again when something changed; call it every second or so. What fails is noted once. */
void knowing_tick(struct knowing *knowing);
