#include "proof/audit_file.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "cut/json_tree.h"

#include <stdio.h>

#define AUDIT_FILE_MAX (2 * GIB)
#define LINE_ARENA_MAX (4 * MIB)

void audit_file_put(const struct audit_row *row, struct buffer *to)
{
    char digits[24];
    struct json json;
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)row->time_ns);
    json_init(&json, to);
    json_open(&json, '{');
    json_put_i64(&json, "id", row->id);
    json_put_time(&json, "time", row->time_ns);
    json_put_text(&json, "time_ns", slice_of(digits, (size_t)len));
    json_put_text(&json, "actor", row->actor);
    json_put_text(&json, "via", row->via);
    json_put_text(&json, "peer", row->peer);
    json_put_text(&json, "action", row->action);
    json_put_text(&json, "object", row->object);
    json_put_text(&json, "detail", row->detail);
    json_put_text(&json, "result", row->result);
    json_put_text(&json, "hash", slice_text(row->hash));
    json_close(&json, '}');
    buffer_put_char(to, '\n');
}

/* The time for people must be the one that the hash covers. */
static int check_time(const struct json_node *node, int64_t time_ns, struct err *err)
{
    char text[TIME_TEXT_SIZE];
    struct slice shown;
    size_t len = time_format(time_ns, text);
    if (json_want_text(node, "time", &shown, err) < 0)
        return -1;
    return slice_equal(shown, slice_of(text, len))
               ? 0
               : err_set(err, ERR_CORRUPT, "\"time\" is another than \"time_ns\"");
}

static int read_row(struct slice line, struct arena *arena, struct audit_row *row, struct err *err)
{
    const struct json_node *node;
    struct slice time_ns, hash;
    *row = (struct audit_row){0};
    if (json_tree_parse(line, arena, &node, err) < 0 ||
        json_want_i64(node, "id", &row->id, err) < 0 ||
        json_want_text(node, "time_ns", &time_ns, err) < 0 ||
        json_want_text(node, "actor", &row->actor, err) < 0 ||
        json_want_text(node, "via", &row->via, err) < 0 ||
        json_want_text(node, "peer", &row->peer, err) < 0 ||
        json_want_text(node, "action", &row->action, err) < 0 ||
        json_want_text(node, "object", &row->object, err) < 0 ||
        json_want_text(node, "detail", &row->detail, err) < 0 ||
        json_want_text(node, "result", &row->result, err) < 0 ||
        json_want_text(node, "hash", &hash, err) < 0)
        return -1;
    if (!slice_to_i64(time_ns, &row->time_ns) || hash.len != AUDIT_HASH_SIZE - 1)
        return err_set(err, ERR_CORRUPT, "\"time_ns\" or \"hash\" is none");
    memcpy(row->hash, hash.ptr, hash.len);
    return check_time(node, row->time_ns, err);
}

int audit_file_check_text(struct slice text, struct arena *arena, struct audit_walk *walk,
                          struct err *err)
{
    struct slice line;
    struct audit_row row;
    if (!slice_starts(text, SLICE(AUDIT_FILE_HEAD)))
        return err_set(err, ERR_INPUT, "this is no audit trail of hinomi audit --export");
    text = slice_from(text, sizeof(AUDIT_FILE_HEAD) - 1);
    for (int64_t number = 2; slice_next_line(&text, &line); number++) {
        arena_reset(arena);
        if (read_row(line, arena, &row, err) < 0 || audit_walk_next(walk, &row, err) < 0)
            return err_within(err, "line %lld", (long long)number);
    }
    return audit_walk_end(walk, err);
}

int audit_file_check(const char *path, struct audit_walk *walk, struct err *err)
{
    struct slice text;
    struct arena *file = arena_new(AUDIT_FILE_MAX), *line = arena_new(LINE_ARENA_MAX);
    int result = file && line ? file_read(path, AUDIT_FILE_MAX / 2, file, &text, err)
                              : err_nomem(err);
    if (result == 0 && audit_file_check_text(text, line, walk, err) < 0)
        result = err_within(err, "%s", path);
    arena_free(line);
    arena_free(file);
    return result;
}
