#include "state/users.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <pthread.h>
#include <sodium.h>

enum { FAILURES_FREE = 4, LOCK_SECONDS_MAX = 900 };

static const char *const role_names[] = {"none",     "support",  "viewer", "analyst", "responder",
                                         "engineer", "approver", "admin",  "auditor"};

const char *role_name(enum role role)
{
    return role_names[role];
}

enum role role_parse(struct slice name)
{
    for (enum role role = ROLE_SUPPORT; role <= ROLE_AUDITOR; role++)
        if (slice_is(name, role_names[role]))
            return role;
    return ROLE_NONE;
}

bool role_allows(enum role have, enum role need)
{
    if (have == need)
        return have != ROLE_NONE;
    if (need == ROLE_APPROVER || need == ROLE_AUDITOR || have == ROLE_NONE)
        return false;
    if (have == ROLE_APPROVER || have == ROLE_AUDITOR)
        return need == ROLE_VIEWER || need == ROLE_SUPPORT;
    return have > need;
}

void secret_hash(struct slice secret, char to[SECRET_TEXT_SIZE])
{
    unsigned char hash[32];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)secret.ptr, secret.len, NULL, 0);
    sodium_bin2hex(to, SECRET_TEXT_SIZE, hash, sizeof(hash));
}

void secret_new(char to[SECRET_TEXT_SIZE])
{
    unsigned char bytes[32];
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(to, SECRET_TEXT_SIZE, bytes, sizeof(bytes));
}

/* At most two argon2 runs at a time: a flood of sign-ins must not take the machine's memory. */
static pthread_mutex_t hashing[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static pthread_mutex_t *take_hashing(void)
{
    for (int i = 0; i < 2; i++)
        if (pthread_mutex_trylock(&hashing[i]) == 0)
            return &hashing[i];
    pthread_mutex_lock(&hashing[0]);
    return &hashing[0];
}

static int hash_password(struct slice password, char to[crypto_pwhash_STRBYTES], struct err *err)
{
    pthread_mutex_t *lock = take_hashing();
    int result = crypto_pwhash_str(to, password.ptr, password.len,
                                   crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                   crypto_pwhash_MEMLIMIT_INTERACTIVE);
    pthread_mutex_unlock(lock);
    return result == 0 ? 0 : err_nomem(err);
}

static bool verify_password(struct slice stored, struct slice password)
{
    pthread_mutex_t *lock = take_hashing();
    char text[crypto_pwhash_STRBYTES] = "";
    stored = slice_sub(stored, 0, sizeof(text) - 1);
    if (stored.len)
        memcpy(text, stored.ptr, stored.len);
    bool right = crypto_pwhash_str_verify(text, password.ptr, password.len) == 0;
    pthread_mutex_unlock(lock);
    return right;
}

int users_count(struct database *database, int64_t *count, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT count(*) FROM users", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *count = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int check_password(struct slice name, struct slice password, struct err *err)
{
    static const char *const common[] = {"password", "123456", "qwerty", "letmein", "hinomi"};
    if (utf8_count(password) < PASSWORD_MIN || password.len > PASSWORD_MAX)
        return err_set(err, ERR_CONFIG, "a password has at least %d characters", PASSWORD_MIN);
    for (size_t i = 0; i < ARRAY_COUNT(common); i++)
        if (slice_starts(password, slice_text(common[i])) && password.len < 16)
            return err_set(err, ERR_CONFIG, "that password is too easy to guess; take another");
    if (slice_equal(name, password))
        return err_set(err, ERR_CONFIG, "a password is not the name");
    return 0;
}

static int check_new(struct slice name, struct slice password, enum role role, struct err *err)
{
    if (name.len == 0 || name.len > USER_NAME_MAX || !utf8_valid(name))
        return err_set(err, ERR_CONFIG, "a name has 1 to %d bytes", USER_NAME_MAX);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7f)
            return err_set(err, ERR_CONFIG, "a name has no spaces or control characters");
    if (check_password(name, password, err) < 0)
        return -1;
    return role == ROLE_NONE ? err_set(err, ERR_CONFIG, "there is no such role") : 0;
}

int users_add(struct database *database, const struct hin_clock *clock, struct slice name,
              struct slice password, enum role role, struct err *err)
{
    char hash[crypto_pwhash_STRBYTES];
    struct query *query;
    if (check_new(name, password, role, err) < 0 || hash_password(password, hash, err) < 0)
        return -1;
    if (query_begin(database, "INSERT INTO users(name,password,role,created_ns) VALUES(?1,?2,?3,?4)",
                    &query, err) < 0)
        return -1;
    query_text(query, 1, name);
    query_text(query, 2, slice_text(hash));
    query_text(query, 3, slice_text(role_name(role)));
    query_i64(query, 4, clock_wall_ns(clock));
    int result = query_step(query, err);
    query_end(query);
    if (result < 0 && err && err->code == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "the name %.*s is taken", SLICE_ARG(name));
    return result < 0 ? -1 : 0;
}

struct stored_user {
    struct user user;
    struct slice password;
    int64_t failures, locked_until_ns;
    bool found;
};

static int read_user(struct database *database, struct slice name, struct arena *arena,
                     struct stored_user *out, struct err *err)
{
    struct query *query;
    *out = (struct stored_user){0};
    if (query_begin(database,
                    "SELECT id,name,role,language,password,failures,locked_until_ns,disabled FROM users "
                    "WHERE name=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, name);
    int result = query_step(query, err);
    if (result == 1) {
        out->found = true;
        out->user.id = query_get_i64(query, 0);
        out->user.name = query_get_text(query, 1, arena);
        out->user.role = role_parse(query_get_text(query, 2, arena));
        out->user.language = query_get_text(query, 3, arena);
        out->password = query_get_text(query, 4, arena);
        out->failures = query_get_i64(query, 5);
        out->locked_until_ns = query_get_i64(query, 6);
        out->user.disabled = query_get_i64(query, 7) != 0;
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int note_attempt(struct database *database, int64_t user, int64_t failures,
                        int64_t locked_until_ns, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE users SET failures=?2, locked_until_ns=?3 WHERE id=?1", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, user);
    query_i64(query, 2, failures);
    query_i64(query, 3, locked_until_ns);
    return query_run(query, err);
}

/* 2, 4, 8 ... seconds after the first few. */
static int64_t lock_ns(int64_t failures)
{
    int64_t over = failures - FAILURES_FREE;
    if (over <= 0)
        return 0;
    int64_t seconds = over < 10 ? INT64_C(1) << over : LOCK_SECONDS_MAX;
    return (seconds < LOCK_SECONDS_MAX ? seconds : LOCK_SECONDS_MAX) * NS_PER_SECOND;
}

int users_check(struct database *database, const struct hin_clock *clock, struct slice name,
                struct slice password, struct arena *arena, struct user *out, struct err *err)
{
    struct stored_user stored;
    int64_t now = clock_wall_ns(clock);
    if (read_user(database, name, arena, &stored, err) < 0)
        return -1;
    if (stored.found && stored.locked_until_ns > now)
        return err_set(err, ERR_DENIED, "too many wrong passwords; try again in %lld seconds",
                       (long long)((stored.locked_until_ns - now) / NS_PER_SECOND + 1));
    char unused[crypto_pwhash_STRBYTES];
    bool right = false;
    if (stored.found)
        right = verify_password(stored.password, password);
    else if (hash_password(password, unused, err) < 0) /* as slow as for a name that is there */
        return -1;
    if (!stored.found || !right || stored.user.disabled) {
        int64_t failures = stored.failures + 1;
        if (stored.found &&
            note_attempt(database, stored.user.id, failures, now + lock_ns(failures), err) < 0)
            return -1;
        return err_set(err, ERR_DENIED, "the name or the password is wrong");
    }
    if (stored.failures && note_attempt(database, stored.user.id, 0, 0, err) < 0)
        return -1;
    *out = stored.user;
    return 0;
}

/* ---- changes by an administrator ---- */

/* Runs within a transaction; -1 when this person is the last who can administer. */
static int keep_an_admin(struct database *database, const struct user *user, struct err *err)
{
    struct query *query;
    if (user->role != ROLE_ADMIN || user->disabled)
        return 0;
    if (query_begin(database, "SELECT count(*) FROM users WHERE role='admin' AND disabled=0 AND id<>?1",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, user->id);
    int result = query_step(query, err);
    int64_t others = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    if (result < 0)
        return -1;
    return others ? 0
                  : err_set(err, ERR_CONFLICT, "%.*s is the last administrator; make another first",
                            SLICE_ARG(user->name));
}

struct user_change {
    const char *sql;    /* ?1 id, ?2 value */
    struct slice value;
    bool may_lose_admin, ends_sessions;
};

static int run_change(struct database *database, const struct user *user,
                      const struct user_change *change, struct err *err)
{
    struct query *query;
    if (change->may_lose_admin && keep_an_admin(database, user, err) < 0)
        return -1;
    if (query_begin(database, change->sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, user->id);
    query_text(query, 2, change->value);
    int result = query_step(query, err);
    query_end(query);
    if (result < 0 || !change->ends_sessions)
        return result < 0 ? -1 : 0;
    if (query_begin(database, "DELETE FROM sessions WHERE user=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, user->id);
    return query_run(query, err);
}

static int change_user(struct database *database, struct slice name,
                       const struct user_change *change, struct err *err)
{
    struct stored_user stored;
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return err_nomem(err);
    int result = database_begin(database, err);
    if (result == 0) {
        result = read_user(database, name, arena, &stored, err);
        if (result == 0 && !stored.found)
            result = err_set(err, ERR_NOT_FOUND, "there is no user %.*s", SLICE_ARG(name));
        if (result == 0)
            result = run_change(database, &stored.user, change, err);
        if (result == 0)
            result = database_commit(database, err);
        else
            database_rollback(database);
    }
    arena_free(arena);
    return result;
}

int users_set_role(struct database *database, struct slice name, enum role role, struct err *err)
{
    struct user_change change = {"UPDATE users SET role=?2 WHERE id=?1",
                                 slice_text(role_name(role)), role != ROLE_ADMIN, false};
    if (role == ROLE_NONE)
        return err_set(err, ERR_CONFIG, "there is no such role");
    return change_user(database, name, &change, err);
}

int users_set_password(struct database *database, struct slice name, struct slice password,
                       struct err *err)
{
    char hash[crypto_pwhash_STRBYTES];
    if (check_password(name, password, err) < 0 || hash_password(password, hash, err) < 0)
        return -1;
    struct user_change change = {
        "UPDATE users SET password=?2, failures=0, locked_until_ns=0 WHERE id=?1",
        slice_text(hash), false, true};
    return change_user(database, name, &change, err);
}

int users_set_disabled(struct database *database, struct slice name, bool disabled,
                       struct err *err)
{
    struct user_change change = {"UPDATE users SET disabled=CAST(?2 AS INTEGER) WHERE id=?1",
                                 disabled ? SLICE("1") : SLICE("0"), disabled, disabled};
    return change_user(database, name, &change, err);
}

int users_set_language(struct database *database, int64_t user, struct slice language,
                       struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE users SET language=?2 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, user);
    query_text(query, 2, language);
    return query_run(query, err);
}

int users_find(struct database *database, struct slice name, struct arena *arena, struct user *out,
               struct err *err)
{
    struct stored_user stored;
    if (read_user(database, name, arena, &stored, err) < 0)
        return -1;
    *out = stored.user;
    return stored.found ? 0 : err_set(err, ERR_NOT_FOUND, "there is no person named %.*s", SLICE_ARG(name));
}

int users_list(struct database *database, struct arena *arena, user_visit visit, void *context,
               struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT id,name,role,language,disabled FROM users ORDER BY name",
                    &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        struct user user = {.id = query_get_i64(query, 0),
                            .name = query_get_text(query, 1, arena),
                            .role = role_parse(query_get_text(query, 2, arena)),
                            .language = query_get_text(query, 3, arena),
                            .disabled = query_get_i64(query, 4) != 0};
        visit(context, &user);
    }
    query_end(query);
    return result;
}

/* ---- sessions ---- */

int sessions_new(struct database *database, const struct hin_clock *clock, const struct user *user,
                 struct session *out, struct err *err)
{
    char hash[SECRET_TEXT_SIZE];
    struct query *query;
    out->user = *user;
    secret_new(out->secret);
    secret_new(out->csrf);
    secret_hash(slice_text(out->secret), hash);
    if (query_begin(database, "INSERT INTO sessions(hash,user,csrf,created_ns,used_ns) "
                    "VALUES(?1,?2,?3,?4,?4)", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(hash));
    query_i64(query, 2, user->id);
    query_text(query, 3, slice_text(out->csrf));
    query_i64(query, 4, clock_wall_ns(clock));
    return query_run(query, err);
}

static int touch(struct database *database, const char *hash, int64_t now, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE sessions SET used_ns=?2 WHERE hash=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(hash));
    query_i64(query, 2, now);
    return query_run(query, err);
}

/* By the hash of its secret; *used_ns: when it last gave a sign of life. */
static int find_session(struct database *database, int64_t now, const char *hash,
                        struct arena *arena, struct session *out, int64_t *used_ns, struct err *err)
{
    struct query *query;
    int64_t created = 0, used = 0;
    *out = (struct session){0};
    if (query_begin(database,
                    "SELECT u.id,u.name,u.role,u.language,s.csrf,s.created_ns,s.used_ns "
                    "FROM sessions s JOIN users u ON u.id=s.user WHERE s.hash=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(hash));
    int result = query_step(query, err);
    if (result == 1) {
        struct slice csrf = query_get_text(query, 4, arena);
        out->user.id = query_get_i64(query, 0);
        out->user.name = query_get_text(query, 1, arena);
        out->user.role = role_parse(query_get_text(query, 2, arena));
        out->user.language = query_get_text(query, 3, arena);
        memcpy(out->csrf, csrf.ptr, csrf.len < SECRET_TEXT_SIZE ? csrf.len : SECRET_TEXT_SIZE - 1);
        created = query_get_i64(query, 5);
        used = query_get_i64(query, 6);
    }
    query_end(query);
    if (result < 0)
        return -1;
    if (result == 0 || now - used > SESSION_IDLE_NS || now - created > SESSION_MAX_NS)
        return err_set(err, ERR_DENIED, "please sign in");
    *used_ns = used;
    return 0;
}

int sessions_look(struct database *database, const struct hin_clock *clock, struct slice secret,
                  struct arena *arena, struct session *out, struct err *err)
{
    char hash[SECRET_TEXT_SIZE];
    int64_t used;
    secret_hash(secret, hash);
    return find_session(database, clock_wall_ns(clock), hash, arena, out, &used, err);
}

int sessions_find(struct database *database, const struct hin_clock *clock, struct slice secret,
                  struct arena *arena, struct session *out, struct err *err)
{
    char hash[SECRET_TEXT_SIZE];
    int64_t now = clock_wall_ns(clock), used;
    secret_hash(secret, hash);
    if (find_session(database, now, hash, arena, out, &used, err) < 0)
        return -1;
    return now - used > NS_PER_MINUTE ? touch(database, hash, now, err) : 0;
}

int sessions_end(struct database *database, struct slice secret, struct err *err)
{
    char hash[SECRET_TEXT_SIZE];
    secret_hash(secret, hash);
    struct slice texts[] = {slice_text(hash)};
    return database_run(database, "DELETE FROM sessions WHERE hash=?1", texts, 1, err);
}
