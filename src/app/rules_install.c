/*
 * hinomi rules install: a pack of rules as it comes, into DATA/content/rules/packs/NAME, where a server finds
 * it. What an update changes is shown; what the site decided about rules (rule-tuning.yaml, its own rules
 * and filters) lies elsewhere and stays.
 *
 *   source ─► packs/.NAME.new ─► compare with packs/NAME ─► take its place
 */
#include "app/admin.h"
#include "app/copying.h"
#include "app/pack_compare.h"
#include "app/pack_read.h"
#include "app/rule_commands.h"
#include "app/rules.h"
#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/time.h"
#include "detect/tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64, LISTED_MAX = 20, PATH_ROOM = CLI_RULES_PATH_MAX + PACK_NAME_MAX };
#define ARENA_BYTES_MAX (4 * GIB)

struct install {
    struct admin admin; /* must be first */
    const char *source, *name;
    bool dry_run;
    char packs[CLI_RULES_PATH_MAX], target[CLI_RULES_PATH_MAX + 128], staging[CLI_RULES_PATH_MAX + 128];
    struct pack_counts counts;
    struct pack_difference difference;
    struct buffer text;
};

/* ---- into the staging folder ---- */

static int make_parents(const char *path, struct err *err)
{
    char folder[PATH_ROOM];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    *slash = '\0';
    return io_make_dirs(io_real(), folder, err);
}

static int put_file(void *context, struct slice name, struct slice bytes, struct err *err)
{
    struct install *install = context;
    const struct hin_io *io = io_real();
    char path[PATH_ROOM];
    snprintf(path, sizeof(path), "%s/%.*s", install->staging, SLICE_ARG(name));
    if (make_parents(path, err) < 0)
        return -1;
    int fd = io->open(io->context, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot create %s", path);
    int result = io_write_all(io, fd, bytes, 0, path, err);
    io->close(io->context, fd);
    return result;
}

/* Where it came from, beside the rules. */
static int put_origin(struct install *install, struct err *err)
{
    struct buffer text;
    struct json json;
    char person[ADMIN_PERSON_MAX];
    buffer_init(&text, MIB);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "source", slice_text(install->source));
    json_put_time(&json, "installed", clock_wall_ns(clock_real()));
    json_put_text(&json, "by", admin_person(person));
    json_put_i64(&json, "rule_files", (int64_t)install->counts.rules);
    json_close(&json, '}');
    buffer_put_char(&text, '\n');
    int result = put_file(install, SLICE("pack.json"), buffer_slice(&text), err);
    buffer_close(&text);
    return result;
}

/* ---- what it is worth here ---- */

/* Each reason once, with how often it comes. */
static void say_reasons(const struct rule_set *rules, struct buffer *to)
{
    size_t listed = 0, left = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];
        if (rule->status == RULE_ACTIVE)
            continue;
        if (listed++ < LISTED_MAX)
            buffer_printf(to, "  %s: %.*s: %.*s\n", rule_status_name(rule->status), SLICE_ARG(rule->title),
                          SLICE_ARG(rule->reason));
        else
            left++;
    }
    if (left)
        buffer_printf(to, "  and %zu more; 'hinomi rules check' lists all\n", left);
}

static int say_status(struct install *install, struct err *err)
{
    struct rulebook *book;
    size_t counts[RULE_REFUSED + 1] = {0};
    if (cli_load_rules(install->staging, false, &book, err) < 0)
        return -1;
    for (size_t i = 0; i < book->rules->count; i++)
        counts[book->rules->rules[i]->status]++;
    buffer_printf(&install->text, "%s: %llu rule files, %zu rules: %zu active, %zu inactive, %zu refused; %llu other files left out\n",
                  install->name, (unsigned long long)install->counts.rules, book->rules->count,
                  counts[RULE_ACTIVE], counts[RULE_INACTIVE], counts[RULE_REFUSED],
                  (unsigned long long)install->counts.left_out);
    say_reasons(book->rules, &install->text);
    rulebook_release(book);
    return 0;
}

/* What the site said of rules that this pack changes or no longer has. */
static int say_tuned(struct install *install, const struct pack_rules *before, const struct pack_rules *after,
                     struct err *err)
{
    char path[CLI_RULES_PATH_MAX];
    struct tuning tuning;
    if (tuning_read(cli_rule_tuning(install->admin.dir, path), install->admin.arena, &tuning, err) < 0)
        return -1;
    for (size_t i = 0; i < tuning.count; i++) {
        const struct tuning_entry *entry = &tuning.entries[i];
        if (pack_has(after, entry->rule))
            buffer_printf(&install->text, "  tuned here, and stays so: %.*s%s%s%.*s\n", SLICE_ARG(entry->rule),
                          entry->enabled ? "" : " is switched off", entry->level.ptr ? " level " : "",
                          SLICE_ARG(entry->level.ptr ? entry->level : SLICE("")));
        else if (pack_has(before, entry->rule))
            buffer_printf(&install->text, "  tuned here, and no longer in the pack (the entry is kept): %.*s\n",
                          SLICE_ARG(entry->rule));
    }
    return 0;
}

static int say_changes(struct install *install, struct err *err)
{
    struct pack_rules before, after;
    if (pack_rules_read(install->target, install->admin.arena, &before, err) < 0 ||
        pack_rules_read(install->staging, install->admin.arena, &after, err) < 0 ||
        pack_compare(&before, &after, &install->difference, &install->text, err) < 0 ||
        say_tuned(install, &before, &after, err) < 0)
        return -1;
    const struct pack_difference *d = &install->difference;
    buffer_printf(&install->text, "%zu added, %zu changed, %zu removed, %zu as before\n", d->added, d->changed,
                  d->removed, d->same);
    return 0;
}

/* ---- taking its place ---- */

static int remove_folder(const char *path, struct err *err)
{
    if (!file_is_dir(path))
        return 0;
    if (copying_remove(path, err) < 0)
        return -1;
    return rmdir(path) == 0 || errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot remove %s", path);
}

/* A server that looks at the folder in between sees the old pack, none, or the new one. */
static int swap(struct install *install, struct err *err)
{
    const struct hin_io *io = io_real();
    char old[sizeof(install->target) + 8];
    snprintf(old, sizeof(old), "%s/.%s.old", install->packs, install->name);
    if (copying_sync(install->staging, err) < 0 || remove_folder(old, err) < 0)
        return -1;
    bool there = file_is_dir(install->target);
    if (there && io->rename(io->context, install->target, old) < 0)
        return err_set_errno(err, errno, "cannot rename %s", install->target);
    if (io->rename(io->context, install->staging, install->target) < 0) {
        int reason = errno;
        if (there)
            (void)!io->rename(io->context, old, install->target);
        return err_set_errno(err, reason, "cannot rename %s", install->staging);
    }
    if (io->fsync_dir(io->context, install->packs) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", install->packs);
    return remove_folder(old, err);
}

static int install_pack(struct install *install, struct err *err)
{
    if (remove_folder(install->staging, err) < 0 || io_make_dirs(io_real(), install->staging, err) < 0 ||
        pack_read(install->source, put_file, install, &install->counts, err) < 0)
        return -1;
    if (install->counts.rules == 0)
        return err_set(err, ERR_INPUT, "%s has no rule (.yml, .yaml) in it", install->source);
    if (put_origin(install, err) < 0 || say_status(install, err) < 0 || say_changes(install, err) < 0)
        return -1;
    return install->dry_run ? 0 : swap(install, err);
}

static int run(void *command, struct err *err)
{
    struct install *install = command;
    struct err why;
    int result = install_pack(install, err);
    if (remove_folder(install->staging, &why) < 0 && result == 0)
        result = (*err = why, -1);
    const struct pack_difference *d = &install->difference;
    struct slice detail = arena_printf(install->admin.arena, "%s: %zu added, %zu changed, %zu removed",
                                       install->source, d->added, d->changed, d->removed);
    if (!install->dry_run && admin_record(install->admin.database, "rules.install", slice_text(install->name),
                                          detail.ptr ? detail : SLICE(""), result, err) < 0)
        return -1;
    if (result == 0)
        printf("%.*s%s\n", SLICE_ARG(buffer_slice(&install->text)),
               install->dry_run ? "nothing was changed (--dry-run)" : "installed; a server takes them within seconds");
    return result;
}

/* ---- words ---- */

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!(name[i] == '-' || name[i] == '_' || (name[i] == '.' && i) || (name[i] >= '0' && name[i] <= '9') ||
              ((name[i] | 32) >= 'a' && (name[i] | 32) <= 'z')))
            return false;
    return len > 0 && len <= NAME_MAX_BYTES;
}

/* The source's own name without what says that it is an archive. */
static void name_of(const char *source, char to[NAME_MAX_BYTES + 1])
{
    struct slice path = slice_text(source), part, name = SLICE("");
    while (slice_next_part(&path, '/', &part))
        name = part.len ? part : name;
    ptrdiff_t dot = slice_find(name, SLICE(".tar"));
    if (dot < 0)
        dot = slice_find(name, SLICE(".zip"));
    if (dot < 0)
        dot = slice_find(name, SLICE(".tgz"));
    name = slice_sub(name, 0, dot > 0 ? (size_t)dot : name.len);
    snprintf(to, NAME_MAX_BYTES + 1, "%.*s", SLICE_ARG(name));
}

int rules_install(int argc, char **argv)
{
    static const struct admin_verb verb = {.name = "install", .makes = true, .run = run};
    struct install install = {0};
    char name[NAME_MAX_BYTES + 1];
    const struct cli_option options[] = {{"--dir", &install.admin.dir, NULL},
                                         {"--name", &install.name, NULL},
                                         {"--dry-run", NULL, &install.dry_run}};
    struct cli_words words;
    int status = cli_parse("rules install", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!install.admin.dir || words.count != 1)
        return cli_usage("rules install", "name the data folder (--dir DATA) and one folder or archive");
    install.source = words.words[0];
    if (access(install.source, R_OK) != 0)
        return cli_usage("rules install", "%s cannot be read", install.source);
    if (!install.name) {
        name_of(install.source, name);
        install.name = name;
    }
    if (!is_name(install.name))
        return cli_usage("rules install", "a pack's name has letters, digits, - _ and . and at most %d of them; give one with --name",
                         NAME_MAX_BYTES);
    char own[CLI_RULES_PATH_MAX];
    snprintf(install.packs, sizeof(install.packs), "%.4200s/packs", cli_own_rules(install.admin.dir, own));
    snprintf(install.target, sizeof(install.target), "%s/%s", install.packs, install.name);
    snprintf(install.staging, sizeof(install.staging), "%s/.%s.new", install.packs, install.name);
    buffer_init(&install.text, 256 * MIB);
    status = admin_run(&install.admin, &verb, ARENA_BYTES_MAX);
    buffer_close(&install.text);
    return status;
}
