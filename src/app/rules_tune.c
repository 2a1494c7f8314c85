/* hinomi rules disable, enable and level: what a site decides about rules that others wrote
 * (detect/tuning.h). Each change is in the audit trail. */
#include "app/admin.h"
#include "app/rule_commands.h"
#include "app/rules.h"
#include "base/io.h"
#include "base/time.h"
#include "detect/tuning.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define ARENA_BYTES_MAX (2 * GIB)

struct tune {
    struct admin admin; /* must be first */
    const char *verb, *reason, *level;
    struct slice rule; /* id, or title of a rule without one */
};

/* The rule as the site has it; what is not there can only be tuned by its id of before. */
static int find_rule(struct tune *tune, const struct tuning *tuning, struct err *err)
{
    struct rulebook *book;
    if (cli_load_server_rules(tune->admin.dir, &book, err) < 0)
        return -1;
    bool found = false;
    for (size_t i = 0; i < book->rules->count && !found; i++)
        found = slice_equal(book->rules->rules[i]->name, tune->rule);
    for (size_t i = 0; i < tuning->count && !found; i++)
        found = slice_equal(tuning->entries[i].rule, tune->rule);
    rulebook_release(book);
    return found ? 0
                 : err_set(err, ERR_NOT_FOUND, "there is no rule '%.*s' here; 'hinomi rules list --dir %s' lists their ids",
                           SLICE_ARG(tune->rule), tune->admin.dir);
}

static struct tuning_entry *entry_of(struct tuning *tuning, struct slice rule)
{
    for (size_t i = 0; i < tuning->count; i++)
        if (slice_equal(tuning->entries[i].rule, rule))
            return &tuning->entries[i];
    struct tuning_entry *entry = &tuning->entries[tuning->count++];
    *entry = (struct tuning_entry){.rule = rule, .enabled = true};
    return entry;
}

static int change(struct tune *tune, struct tuning *tuning, struct err *err)
{
    struct arena *arena = tune->admin.arena;
    struct tuning_entry *more = arena_array(arena, tuning->count + 1, sizeof(*more));
    char now[TIME_TEXT_SIZE], person[ADMIN_PERSON_MAX];
    if (!more)
        return err_nomem(err);
    if (tuning->count)
        memcpy(more, tuning->entries, tuning->count * sizeof(*more));
    tuning->entries = more;
    struct tuning_entry *entry = entry_of(tuning, tune->rule);
    size_t len = time_format(clock_wall_ns(clock_real()) / NS_PER_SECOND * NS_PER_SECOND, now);
    if (tune->level)
        entry->level = strcmp(tune->level, "own") == 0 ? SLICE_NONE : slice_text(tune->level);
    else
        entry->enabled = strcmp(tune->verb, "enable") == 0;
    entry->reason = slice_text(tune->reason);
    entry->by = arena_copy(arena, admin_person(person));
    entry->at = arena_copy(arena, slice_of(now, len));
    return entry->by.ptr && entry->at.ptr ? 0 : err_nomem(err);
}

static int write_back(const char *path, const struct tuning *tuning, struct err *err)
{
    struct buffer text;
    buffer_init(&text, YAML_BYTES_MAX);
    tuning_write(tuning, &text);
    int result = buffer_failed(&text)
                     ? err_set(err, ERR_LIMIT, "%s would have more than %zu bytes", path, (size_t)YAML_BYTES_MAX)
                     : io_replace_file(io_real(), path, buffer_slice(&text), err);
    buffer_close(&text);
    return result;
}

static int tune_rule(struct tune *tune, const char *path, struct err *err)
{
    struct tuning tuning;
    if (tuning_read(path, tune->admin.arena, &tuning, err) < 0 || find_rule(tune, &tuning, err) < 0 ||
        change(tune, &tuning, err) < 0)
        return -1;
    return write_back(path, &tuning, err);
}

/* Two commands at once take turns: the folder is locked while the file is read and written. */
static int run(void *command, struct err *err)
{
    struct tune *tune = command;
    char path[CLI_RULES_PATH_MAX], folder[ADMIN_PATH_MAX], action[32];
    admin_path(tune->admin.dir, "content", folder);
    if (io_make_dirs(io_real(), folder, err) < 0)
        return -1;
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0)
        flock(lock, LOCK_EX);
    int result = tune_rule(tune, cli_rule_tuning(tune->admin.dir, path), err);
    if (lock >= 0)
        close(lock);
    snprintf(action, sizeof(action), "rules.%s", tune->verb);
    struct slice detail = arena_printf(tune->admin.arena, "%s%s%s", tune->level ? tune->level : "",
                                       tune->level ? ": " : "", tune->reason);
    if (admin_record(tune->admin.database, action, tune->rule, detail.ptr ? detail : SLICE(""), result, err) < 0)
        return -1;
    printf("noted; a server takes it within seconds\n");
    return 0;
}

int rules_tune(const char *verb, int argc, char **argv)
{
    const struct admin_verb one = {.name = verb, .makes = true, .run = run};
    struct tune tune = {.verb = verb};
    const struct cli_option options[] = {{"--dir", &tune.admin.dir, NULL}, {"--reason", &tune.reason, NULL}};
    bool level = strcmp(verb, "level") == 0;
    struct cli_words words;
    char command[32];
    snprintf(command, sizeof(command), "rules %s", verb);
    int status = cli_parse(command, argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!tune.admin.dir || words.count != (level ? 2 : 1))
        return cli_usage(command, level ? "name the data folder (--dir DATA), a rule's id and its level, or 'own'"
                                        : "name the data folder (--dir DATA) and a rule's id");
    if (!tune.reason || !*tune.reason)
        return cli_usage(command, "say why: --reason TEXT");
    tune.rule = slice_text(words.words[0]);
    tune.level = level ? words.words[1] : NULL;
    if (level && strcmp(tune.level, "own") != 0 && !tuning_is_level(slice_text(tune.level)))
        return cli_usage(command, "a level is informational, low, medium, high or critical, or 'own' for the rule's");
    return admin_run(&tune.admin, &one, ARENA_BYTES_MAX);
}
