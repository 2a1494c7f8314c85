#include "app/admin.h"

#include "base/io.h"
#include "base/time_modifier.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_LINE_MAX = 4096 };

const char *admin_path(const char *dir, const char *name, char to[ADMIN_PATH_MAX])
{
    snprintf(to, ADMIN_PATH_MAX, "%.4000s/%s", dir, name);
    return to;
}

int admin_open(const char *dir, bool make, struct database **out, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    *out = NULL;
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium cannot start");
    if (make && io_make_dirs(io_real(), dir, err) < 0)
        return -1;
    if (!make && access(admin_path(dir, "state.db", path), F_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "there is no state.db in %s; --dir names the data folder of "
                       "a server", dir);
    return database_open(admin_path(dir, "state.db", path), out, err);
}

struct slice admin_person(char room[ADMIN_PERSON_MAX])
{
    const struct passwd *person = getpwuid(getuid());
    snprintf(room, ADMIN_PERSON_MAX, "uid %u", (unsigned)getuid());
    return slice_text(person ? person->pw_name : room);
}

bool admin_is_served(const char *dir)
{
    char path[ADMIN_PATH_MAX];
    int fd = open(admin_path(dir, "lock", path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool served = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return served;
}

int admin_audit(struct database *database, const char *action, struct slice object,
                struct slice detail, const struct err *failure, struct err *err)
{
    char room[ADMIN_PERSON_MAX];
    struct audit_row row = {.actor = admin_person(room),
                            .via = SLICE("terminal"),
                            .peer = SLICE(""),
                            .action = slice_text(action),
                            .object = object,
                            .detail = detail,
                            .result = failure ? slice_text(failure->text) : SLICE("ok")};
    return audit_add(database, clock_real(), &row, err);
}

int admin_record(struct database *database, const char *action, struct slice object,
                 struct slice detail, int result, struct err *err)
{
    struct err why;
    if (admin_audit(database, action, object, detail, result < 0 ? err : NULL, &why) == 0)
        return result;
    if (result == 0)
        *err = why;
    return -1;
}

/* ---- verbs ---- */

const struct admin_verb *admin_find_verb(const struct admin_verb *verbs, size_t count,
                                         const struct cli_words *words)
{
    for (size_t i = 0; words->count && i < count; i++)
        if (strcmp(verbs[i].name, words->words[0]) == 0)
            return &verbs[i];
    return NULL;
}

int admin_run(struct admin *admin, const struct admin_verb *verb, size_t arena_max)
{
    struct err err;
    admin->arena = arena_new(arena_max);
    int result = admin->arena ? admin_open(admin->dir, verb->makes, &admin->database, &err)
                              : err_nomem(&err);
    if (result == 0)
        result = verb->run(admin, &err);
    database_close(admin->database);
    arena_free(admin->arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}

/* ---- secrets ---- */

static int read_line(struct arena *arena, struct slice *out, struct err *err)
{
    char line[SECRET_LINE_MAX];
    size_t len = 0;
    ssize_t got;
    while (len < sizeof(line) && (got = read(STDIN_FILENO, line + len, 1)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read the password");
        if (line[len] == '\n')
            break;
        len++;
    }
    if (len == sizeof(line))
        return err_set(err, ERR_LIMIT, "the password is longer than %d bytes", SECRET_LINE_MAX - 1);
    if (len && line[len - 1] == '\r')
        len--;
    *out = arena_copy(arena, slice_of(line, len));
    sodium_memzero(line, sizeof(line));
    return out->ptr ? 0 : err_nomem(err);
}

static int ask(const char *prompt, struct arena *arena, struct slice *out, struct err *err)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return err_set_errno(err, errno, "cannot ask at this terminal");
    silent = before;
    silent.c_lflag &= (tcflag_t)~ECHO;
    fprintf(stderr, "%s: ", prompt);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    int result = read_line(arena, out, err);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return result;
}

int admin_read_secret(const char *prompt, bool again, struct arena *arena, struct slice *out,
                      struct err *err)
{
    struct slice second;
    if (!isatty(STDIN_FILENO))
        return read_line(arena, out, err);
    if (ask(prompt, arena, out, err) < 0)
        return -1;
    if (!again)
        return 0;
    if (ask("The same again", arena, &second, err) < 0)
        return -1;
    return slice_equal(*out, second) ? 0
                                     : err_set(err, ERR_CONFIG, "the two differ; nothing was changed");
}

/* ---- options ---- */

int admin_format(const char *command, const char *text, enum output_format *out)
{
    *out = OUTPUT_TABLE;
    if (!text || output_format_by_name(slice_text(text), out))
        return 0;
    return cli_usage(command, "--format is table, json, jsonl or csv, not '%s'", text);
}

int admin_time(const char *command, const char *option, const char *text, int64_t *time_ns)
{
    struct err err;
    if (!text || time_modifier_read(slice_text(text), clock_wall_ns(clock_real()), NULL, time_ns,
                                    &err) == 0)
        return 0;
    return cli_usage(command, "%s: %s", option, err.text);
}
