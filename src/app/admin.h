#pragma once
/*
 * app/admin: what the commands that look after a data folder share: its state.db, who is at the
 * terminal, the line in the audit trail, a password that is not shown.
 */
#include "app/cli.h"
#include "search/output.h"
#include "state/audit.h"

enum { ADMIN_PATH_MAX = 4400 };

/* DIR/NAME into to; returns to. */
const char *admin_path(const char *dir, const char *name, char to[ADMIN_PATH_MAX]);

/* Opens DIR/state.db, beside a running server if there is one. make: a folder without one gets one;
 * else ERR_NOT_FOUND. */
MUST_USE int admin_open(const char *dir, bool make, struct database **out, struct err *err);

/* A row by the person at this terminal. failure: why it was not done, or NULL when it was. */
MUST_USE int admin_audit(struct database *database, const char *action, struct slice object,
                         struct slice detail, const struct err *failure, struct err *err);

/* The same for what has just been tried: the trail has it whatever came of it. Returns result, or -1 with
 * err when the row could not be written. */
MUST_USE int admin_record(struct database *database, const char *action, struct slice object,
                          struct slice detail, int result, struct err *err);

/* What can be done: the word behind the command's name. */
struct admin_verb {
    const char *name;
    bool names_one; /* a NAME follows */
    bool makes;     /* a folder without a state.db gets one */
    int (*run)(void *command, struct err *err);
};
const struct admin_verb *admin_find_verb(const struct admin_verb *verbs, size_t count,
                                         const struct cli_words *words);

/* What a verb works with; the first member of its command. */
struct admin {
    const char *dir;
    struct database *database;
    struct arena *arena;
};
/* Opens the folder's state.db, runs with an arena of so many bytes, closes. Exit status, after the
 * error's sentence if there was one. */
int admin_run(struct admin *admin, const struct admin_verb *verb, size_t arena_max);

/* Who is at this terminal; room is for one without a name. */
enum { ADMIN_PERSON_MAX = 32 };
struct slice admin_person(char room[ADMIN_PERSON_MAX]);
/* Whether a server has the folder open. Taking the lock for a moment is all that this changes. */
bool admin_is_served(const char *dir);

/* At a terminal asks with prompt (twice with again, which must agree) without echo; otherwise takes
 * the first line of standard input. The text lives in the arena. */
MUST_USE int admin_read_secret(const char *prompt, bool again, struct arena *arena,
                               struct slice *out, struct err *err);

/* --format, --from and --to as commands take them; EXIT_USAGE after a sentence, else 0. Times are
 * absolute or relative ("-24h", "now"); NULL leaves *time_ns alone. */
int admin_format(const char *command, const char *text, enum output_format *out);
int admin_time(const char *command, const char *option, const char *text, int64_t *time_ns);
