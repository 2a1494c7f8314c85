/* hinomi audit: who did what, from the trail in state.db; proves its chain; writes it to a file. */
#include "app/admin.h"
#include "app/listing.h"
#include "base/io.h"
#include "proof/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { EXPORT_FLUSH = 1024 * 1024 };

struct audit_command {
    const char *dir, *export_path, *head;
    bool verify;
    struct audit_filter filter;
    enum output_format format;
    struct database *database;
    struct listing listing;
    struct audit_walk walk;
    struct buffer lines; /* of an export */
    int fd;
    off_t written;
};

static int list_row(void *context, const struct audit_row *row, struct err *err)
{
    struct audit_command *command = context;
    struct listing *listing = &command->listing;
    (void)err;
    listing_row(listing);
    listing_i64(listing, "id", row->id);
    listing_time(listing, "time", row->time_ns);
    listing_text(listing, "actor", row->actor);
    listing_text(listing, "via", row->via);
    listing_text(listing, "peer", row->peer);
    listing_text(listing, "action", row->action);
    listing_text(listing, "object", row->object);
    listing_text(listing, "detail", row->detail);
    listing_text(listing, "result", row->result);
    return 0;
}

static int list(struct audit_command *command, struct err *err)
{
    int result = listing_init(&command->listing, err);
    if (result == 0)
        result = audit_each(command->database, &command->filter, list_row, command, err);
    if (result == 0)
        result = listing_print(&command->listing, command->format, err);
    listing_close(&command->listing);
    return result;
}

/* ---- proof ---- */

static void say_head(const struct audit_walk *walk)
{
    printf("%lld rows, unbroken; head %s\n", (long long)walk->rows, walk->rows ? walk->hash : "none");
}

static int walk_row(void *context, const struct audit_row *row, struct err *err)
{
    struct audit_command *command = context;
    return audit_walk_next(&command->walk, row, err);
}

static int prove(struct audit_command *command, struct err *err)
{
    struct audit_filter all = {0};
    if (audit_each(command->database, &all, walk_row, command, err) < 0 ||
        audit_walk_end(&command->walk, err) < 0)
        return -1;
    say_head(&command->walk);
    return 0;
}

/* ---- export ---- */

static int flush_lines(struct audit_command *command, struct err *err)
{
    struct slice bytes = buffer_slice(&command->lines);
    if (buffer_failed(&command->lines))
        return err_nomem(err);
    if (io_write_all(io_real(), command->fd, bytes, command->written, command->export_path, err) < 0)
        return -1;
    command->written += (off_t)bytes.len;
    buffer_clear(&command->lines);
    return 0;
}

static int export_row(void *context, const struct audit_row *row, struct err *err)
{
    struct audit_command *command = context;
    if (audit_walk_next(&command->walk, row, err) < 0)
        return -1;
    audit_file_put(row, &command->lines);
    return command->lines.len < EXPORT_FLUSH ? 0 : flush_lines(command, err);
}

static int write_export(struct audit_command *command, struct err *err)
{
    struct audit_filter all = {0};
    command->fd = open(command->export_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (command->fd < 0)
        return err_set_errno(err, errno, "cannot create %s", command->export_path);
    buffer_init(&command->lines, 4 * EXPORT_FLUSH);
    buffer_put_text(&command->lines, AUDIT_FILE_HEAD);
    int result = audit_each(command->database, &all, export_row, command, err);
    if (result == 0)
        result = flush_lines(command, err);
    if (result == 0 && fdatasync(command->fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", command->export_path);
    close(command->fd);
    buffer_close(&command->lines);
    if (result == 0)
        say_head(&command->walk);
    return result;
}

int app_audit(int argc, char **argv)
{
    struct audit_command command = {0};
    const char *from = NULL, *to = NULL, *format = NULL, *user = NULL, *action = NULL;
    const struct cli_option options[] = {
        {"--dir", &command.dir, NULL},   {"--from", &from, NULL},
        {"--to", &to, NULL},             {"--format", &format, NULL},
        {"--user", &user, NULL},         {"--action", &action, NULL},
        {"--verify", NULL, &command.verify}, {"--head", &command.head, NULL},
        {"--export", &command.export_path, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("audit", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status || (status = admin_format("audit", format, &command.format)) ||
        (status = admin_time("audit", "--from", from, &command.filter.from_ns)) ||
        (status = admin_time("audit", "--to", to, &command.filter.to_ns)))
        return status;
    if (words.count)
        return cli_usage("audit", "'%s' is one word too many", words.words[0]);
    if (!command.dir)
        return cli_usage("audit", "--dir needs the data folder of the server");
    command.filter.actor = slice_text(user);
    command.filter.action = slice_text(action);
    command.walk.wanted = command.head;
    int result = admin_open(command.dir, false, &command.database, &err);
    if (result == 0)
        result = command.verify || command.head ? prove(&command, &err)
                 : command.export_path          ? write_export(&command, &err)
                                                : list(&command, &err);
    database_close(command.database);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
