#pragma once
/*
 * state/users: people who sign in, and their sessions. Passwords are argon2id
 * (libsodium, INTERACTIVE); session secrets are 256 random bits of which only a
 * hash is kept.
 *
 * Sources  RELIABILITY sec/A1, A3, A4 as in docs/security.md; OWASP ASVS 5.0 chapters 6 and 7.
 * Threads  Any. Checking a password takes tens of milliseconds: not on an event loop.
 */
#include "base/clock.h"
#include "state/database.h"

enum role {
    ROLE_NONE,
    ROLE_SUPPORT,
    ROLE_VIEWER,
    ROLE_ANALYST,
    ROLE_RESPONDER,
    ROLE_ENGINEER,
    ROLE_APPROVER,
    ROLE_ADMIN,
    ROLE_AUDITOR,
};

const char *role_name(enum role role);
enum role role_parse(struct slice name); /* ROLE_NONE when it is none */
/* Whether a holder of have may do what is asked of need: support < viewer < analyst < responder < engineer <
 * admin; approver and auditor are viewers with a task of their own, and admin cannot approve. */
bool role_allows(enum role have, enum role need);

enum { USER_NAME_MAX = 64, PASSWORD_MIN = 12, PASSWORD_MAX = 1024, SECRET_TEXT_SIZE = 65 };
#define SESSION_IDLE_NS (30 * NS_PER_MINUTE)
#define SESSION_MAX_NS (12 * NS_PER_HOUR)

struct user {
    int64_t id;
    struct slice name;
    enum role role;
    struct slice language; /* "ja", "en" or none */
    bool disabled;         /* may not sign in */
};

MUST_USE int users_count(struct database *database, int64_t *count, struct err *err);
/* ERR_CONFIG says what is wrong with the name or the password, ERR_CONFLICT that the name is taken. */
MUST_USE int users_add(struct database *database, const struct hin_clock *clock, struct slice name,
                       struct slice password, enum role role, struct err *err);
/* ERR_DENIED for a wrong name or password (not told apart, and as slow) and while locked. */
MUST_USE int users_check(struct database *database, const struct hin_clock *clock,
                         struct slice name, struct slice password, struct arena *arena,
                         struct user *out, struct err *err);
/* Changes to a person by name: ERR_NOT_FOUND when there is none. The last administrator who may sign in
 * can neither lose the role nor be disabled (ERR_CONFLICT). A new password and disabling end all
 * sessions; a new password also ends the lock after wrong ones. */
MUST_USE int users_set_role(struct database *database, struct slice name, enum role role,
                            struct err *err);
MUST_USE int users_set_password(struct database *database, struct slice name, struct slice password,
                                struct err *err);
MUST_USE int users_set_disabled(struct database *database, struct slice name, bool disabled,
                                struct err *err);
MUST_USE int users_set_language(struct database *database, int64_t user, struct slice language,
                                struct err *err);
/* ERR_NOT_FOUND when there is nobody of that name. */
MUST_USE int users_find(struct database *database, struct slice name, struct arena *arena,
                        struct user *out, struct err *err);
typedef void (*user_visit)(void *context, const struct user *user);
MUST_USE int users_list(struct database *database, struct arena *arena, user_visit visit,
                        void *context, struct err *err);

struct session {
    struct user user;
    char secret[SECRET_TEXT_SIZE]; /* only after sessions_new */
    char csrf[SECRET_TEXT_SIZE];
};
MUST_USE int sessions_new(struct database *database, const struct hin_clock *clock,
                          const struct user *user, struct session *out, struct err *err);
/* ERR_DENIED when it is unknown, idle for 30 minutes or older than 12 hours. */
MUST_USE int sessions_find(struct database *database, const struct hin_clock *clock,
                           struct slice secret, struct arena *arena, struct session *out,
                           struct err *err);
/* The same, but it is no sign of life. */
MUST_USE int sessions_look(struct database *database, const struct hin_clock *clock,
                           struct slice secret, struct arena *arena, struct session *out,
                           struct err *err);
MUST_USE int sessions_end(struct database *database, struct slice secret, struct err *err);

/* 64 hexadecimal digits of a keyed hash, for secrets that have full entropy already. */
void secret_hash(struct slice secret, char to[SECRET_TEXT_SIZE]);
void secret_new(char to[SECRET_TEXT_SIZE]); /* 256 random bits in hex */
