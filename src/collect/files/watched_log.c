#include "collect/files/watched_log.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdio.h>

enum {
    ANSWER_NONE,
    ANSWER_STORED,
    ANSWER_NOT,
    JUDGE_BYTES_MAX = 64 * 1024,
    SEARCHES_MIN = 4, /* before a file is given up */
};
#define RETRY_NS (NS_PER_SECOND / 50)
#define RETRY_FAILED_NS NS_PER_SECOND
#define RESTS_NS NS_PER_SECOND               /* what stands whole is taken, though more may belong to it */
#define MISSING_NS (10 * NS_PER_SECOND)      /* a packing program has so long */
#define ROTATED_IDLE_NS (5 * NS_PER_MINUTE)  /* whoever writes it may not have heard of the rotation */
#define DELETED_IDLE_NS NS_PER_MINUTE
#define CROWDED_IDLE_NS (10 * NS_PER_SECOND) /* when there are many of them */
#define PACKING_IDLE_NS NS_PER_MINUTE        /* a packed file that does not grow so long is damaged */

PRINTF_LIKE(2, 3) static void say(struct watched_log *log, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log->watch->problem(log->watch, text);
}

/* ---- the cursor ---- */

static int load_files(struct watched_log *log, struct slice cursor, struct err *err)
{
    struct file_place place;
    struct watched_file *file;
    size_t count;
    if (file_cursor_count(&cursor, &log->since_ns, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (file_cursor_next(&cursor, &place, err) < 0 ||
            watched_log_add(log, NULL, NULL, log->count, &file, err) < 0)
            return -1;
        struct slice state = place.text_state;
        if (state.len && text_cut_load(&file->cut, &state) < 0)
            return err_set(err, ERR_CORRUPT, "how far its files were read is damaged");
        place.text_state = SLICE_NONE;
        file->place = place;
        file->at_end = place.at_end;
        file->current = place.current;
        if (log->since_ns == SINCE_UNKNOWN && i + 1 == count)
            log->since_ns = place.started_ns;
    }
    return 0;
}

static void drop_files(struct watched_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        watched_file_free(log->files[i]);
    log->count = 0;
}

int watched_log_open(struct log_watch *watch, const char *path, struct watched_log **out, struct err *err)
{
    struct watched_log *log = *out = mem_calloc(1, sizeof(*log));
    struct slice name = slice_text(path);
    if (!log)
        return err_nomem(err);
    log->watch = watch;
    log->path = mem_strdup(path, name.len);
    buffer_init(&log->undo_text, 64 * KIB);
    arena_reset(watch->arena);
    struct slice cursor = watch->host->cursor(watch->host->context, watch->settings->name, name, watch->arena);
    if (!cursor.ptr && watch->start)
        cursor = watch->start(watch, name);
    log->fresh = !cursor.ptr;
    log->since_ns = SINCE_UNKNOWN;
    struct err why;
    if (log->path && cursor.ptr && load_files(log, cursor, &why) < 0) {
        say(log, "%s is read from its beginning: %s", path, why.text);
        drop_files(log);
        log->since_ns = SINCE_UNKNOWN;
        log->fresh = true;
    }
    if (log->path)
        return 0;
    watched_log_free(log);
    *out = NULL;
    return err_nomem(err);
}

void watched_log_free(struct watched_log *log)
{
    if (!log)
        return;
    drop_files(log);
    mem_free(log->files);
    buffer_close(&log->undo_text);
    mem_free(log->path);
    mem_free(log);
}

struct slice watched_log_cursor(struct watched_log *log)
{
    struct buffer *to = &log->watch->cursor, state;
    buffer_clear(to);
    buffer_init(&state, 64 * KIB);
    file_cursor_begin(to, log->since_ns, log->count);
    for (size_t i = 0; i < log->count; i++) {
        struct file_place place = log->files[i]->place;
        place.at_end = log->files[i]->at_end && !log->files[i]->left;
        place.current = log->files[i]->current;
        buffer_clear(&state);
        if (!place.finished)
            text_cut_save(&log->files[i]->cut, &state);
        place.text_state = buffer_slice(&state);
        file_cursor_put(to, &place);
    }
    buffer_close(&state);
    return buffer_slice(to);
}

/* ---- giving ---- */

static void save_undo(struct watched_log *log, struct watched_file *file)
{
    log->undo_file = file;
    log->undo = file->place;
    buffer_clear(&log->undo_text);
    text_cut_save(&file->cut, &log->undo_text);
}

/* What was not stored is read again. */
static void go_back(struct watched_log *log, int64_t wait_ns)
{
    struct watched_file *file = log->undo_file;
    const struct line_join *join = file->cut.lines.join;
    struct slice state = buffer_slice(&log->undo_text);
    text_cut_close(&file->cut);
    text_cut_init(&file->cut, log->watch->encoding);
    file->cut.lines.join = join;
    bool loaded = text_cut_load(&file->cut, &state) == 0;
    if (!loaded)
        say(log, "%s: out of memory; its lines may be cut in another way", log->path);
    file->place = log->undo;
    watched_evtx_end(file);
    if (file->packed)
        watched_file_close(file);
    file->left = log->dirty = true;
    log->retry_ns = log->watch->now_ns + wait_ns;
}

static void on_done(void *context, const struct sink_ack *ack)
{
    struct watched_log *log = context;
    bool stored = ack->result == SINK_STORED || ack->result == SINK_DUPLICATE;
    struct log_watch *watch = log->watch;
    if (!stored)
        snprintf(log->why, sizeof(log->why), "%s", ack->err ? ack->err->text : "it could not be stored");
    __atomic_store_n(&log->answer, stored ? ANSWER_STORED : ANSWER_NOT, __ATOMIC_RELEASE);
    watch->wake(watch);
}

bool watched_log_answered(struct watched_log *log)
{
    int answer = __atomic_load_n(&log->answer, __ATOMIC_ACQUIRE);
    if (!log->waiting || answer == ANSWER_NONE)
        return false;
    log->waiting = false;
    if (answer == ANSWER_STORED) {
        log->fresh = false;
    } else {
        say(log, "%s: what was read could not be stored and is read again: %s", log->path, log->why);
        go_back(log, RETRY_FAILED_NS);
    }
    return true;
}

/* True: under way. */
static bool give(struct watched_log *log, struct delivery *out)
{
    struct log_watch *watch = log->watch;
    struct delivery delivery = watch->delivery;
    struct err err;
    delivery.origin.path = slice_text(log->path);
    delivery.received_ns = clock_wall_ns(watch->host->sink->clock);
    delivery.framing = out->framing;
    delivery.event_count = out->event_count;
    delivery.body = out->body;
    delivery.cursor = watched_log_cursor(log);
    log->answer = ANSWER_NONE;
    log->waiting = true;
    bool whole = !buffer_failed(&watch->cursor) && !buffer_failed(&watch->records);
    if (!whole)
        err_nomem(&err);
    if (whole && sink_take(watch->host->sink, &delivery, on_done, log, &err) == 0)
        return true;
    log->waiting = false;
    watch->flushing = true;
    if (err.code != ERR_LIMIT)
        say(log, "%s: what was read could not be stored and is read again: %s", log->path, err.text);
    go_back(log, err.code == ERR_LIMIT ? RETRY_NS : RETRY_FAILED_NS);
    return false;
}

/* ---- reading ---- */

static enum text_more what_follows(const struct watched_log *log, const struct watched_file *file)
{
    int64_t still = log->watch->now_ns - file->grown_ns, unfinished = log->watch->unfinished_ns;
    bool complete = file->packed    ? !watched_file_ends_early(file) || still > PACKING_IDLE_NS
                    : file->deleted ? still > DELETED_IDLE_NS
                                    : !file->current && still > ROTATED_IDLE_NS;
    if (file->at_end && (complete || (unfinished && still > unfinished)))
        return TEXT_ENDS;
    return file->at_end && still > RESTS_NS ? TEXT_RESTS : TEXT_GOES_ON;
}

/* How lines of it make records, told by what is there so far. */
static void judge_lines(struct watched_log *log, struct watched_file *file)
{
    const struct collector_host *host = log->watch->host;
    size_t there = file->size < JUDGE_BYTES_MAX ? (size_t)file->size : JUDGE_BYTES_MAX;
    if (log->watch->join || !host->line_rule || file->fd < 0 || file->cut.encoding || there < 2 * file->judged ||
        (file->judged && there < KIB) || !there || file->judged >= JUDGE_BYTES_MAX)
        return;
    struct file_place start = {0};
    struct watched_file probe = {.fd = file->fd, .place = start, .path = file->path};
    struct slice head;
    struct err err;
    if (watched_file_read(&probe, there, &log->watch->text, &head, &err) != 1)
        return;
    bool joins = host->line_rule(host->context, log->watch->settings->dataset, head, &file->join);
    file->cut.lines.join = joins ? &file->join : NULL;
    file->judged = there;
}

/* 1: a delivery, 0: nothing for now, -1; 2: the file was emptied. */
static int cut_text(struct watched_log *log, struct watched_file *file, struct delivery *out, struct err *err)
{
    struct log_watch *watch = log->watch;
    size_t want = file->cut.delivery_bytes + 1;
    for (;;) {
        struct slice text;
        size_t used = 0;
        uint64_t size = file->size;
        int got = watched_file_read(file, want, &watch->text, &text, err);
        if (got <= 0)
            return got < 0 ? -1 : 2;
        if (file->size != size)
            file->grown_ns = watch->now_ns;
        save_undo(log, file);
        enum text_more more = what_follows(log, file);
        bool open_line = more == TEXT_ENDS && !file->packed && file->current && !file->deleted && text.len &&
                         text.ptr[text.len - 1] != '\n';
        int given = text.len ? text_cut_next(&file->cut, text, more, &watch->records, out, &used) : 0;
        if (used)
            watched_file_take(file, text, used);
        if (open_line && used == text.len)
            file->cut.in_part = true; /* if it goes on after all, that is another part of it */
        if (given && out->event_count)
            return 1;
        if (!used && (file->at_end || want >= text_cut_wants(&file->cut)))
            return 0;
        want = used ? want : text_cut_wants(&file->cut);
        *out = (struct delivery){0};
    }
}

static int read_file(struct watched_log *log, struct watched_file *file, struct delivery *out, struct err *err)
{
    uint64_t missing = 0;
    if (file->kind != KIND_EVENT_LOG)
        return cut_text(log, file, out, err);
    save_undo(log, file);
    int got = watched_evtx_next(file, file->cut.delivery_bytes, &log->watch->records, out, &missing, err);
    if (missing)
        say(log, "%s: %llu records are missing by their numbers before record %llu: overwritten before they were read, "
                 "or left out when the file was exported", file->path, (unsigned long long)missing,
            (unsigned long long)file->place.record_id);
    log->watch->gaps += missing;
    if (got <= 0)
        watched_evtx_end(file);
    return got;
}

/* 1 when it is open. */
static int have_open(struct watched_log *log, struct watched_file *file, struct err *err)
{
    if (watched_file_is_open(file))
        return 1;
    if (!file->path || file->missing || (file->kind == KIND_PACKED && log->watch->open.packed >= PACKED_OPEN_MAX))
        return 0;
    if (log->watch->open.files >= 2 * FILES_OPEN_MAX) { /* until others were answered, and closed */
        log->dirty = true;
        return 0;
    }
    int fits = watched_file_open(file, file->path, err);
    if (fits == 0 && file->other && !file->current) { /* it has another name by now */
        file->missing = log->again = true;
        file->missing_ns = log->watch->now_ns;
    }
    log->again |= fits == 0; /* another file: the next look sees it */
    return fits ? fits : !file->other ? 2 : 0;
}

/* All of a packed file was given, or what there is of it so far. */
static void end_packed(struct watched_log *log, struct watched_file *file)
{
    bool early = watched_file_ends_early(file);
    file->place.finished = !early || log->watch->now_ns - file->grown_ns > PACKING_IDLE_NS;
    if (early && file->place.finished)
        say(log, "%s: the compressed data is damaged or ends early; what came before was read", file->path);
    watched_file_close(file);
    file->left = false;
}

/* True: a delivery is under way. */
static bool step_file(struct watched_log *log, struct watched_file *file)
{
    struct delivery out = {0};
    struct err err;
    int got = have_open(log, file, &err);
    if (got == 0)
        return false; /* later */
    if (got == 1) {
        judge_lines(log, file);
        file->used_ns = log->watch->now_ns;
        got = read_file(log, file, &out, &err);
    }
    if (got == 2) {
        watched_log_emptied(log, file);
        return false;
    }
    if (got < 0) {
        say(log, "%s", err.text);
        log->retry_ns = log->watch->now_ns + RETRY_FAILED_NS;
        return false;
    }
    if (got == 1) {
        file->left = file->kind != KIND_TEXT || !file->at_end || file->place.offset != file->size;
        return give(log, &out);
    }
    file->left = !file->at_end || file->kind == KIND_PACKED;
    if (file->packed && file->at_end && got == 0)
        end_packed(log, file);
    return false;
}

bool watched_log_step(struct watched_log *log)
{
    if (log->waiting || log->retry_ns > log->watch->now_ns)
        return false;
    log->dirty = false;
    for (size_t i = 0; i < log->count && !log->watch->flushing; i++) {
        struct watched_file *file = log->files[i];
        if (file->left && !file->missing && !file->place.finished && step_file(log, file)) {
            log->dirty = true;
            return true;
        }
        log->dirty |= log->retry_ns > log->watch->now_ns;
    }
    return false;
}

void watched_log_skip(struct watched_log *log)
{
    struct watched_file *file = log->count ? log->files[log->count - 1] : NULL;
    struct delivery out = {0};
    struct slice text;
    struct err err;
    if (!file || have_open(log, file, &err) != 1)
        return;
    if (file->kind == KIND_EVENT_LOG) {
        while (read_file(log, file, &out, &err) == 1)
            out = (struct delivery){0};
        return;
    }
    do { /* the last line that is whole ends there */
        size_t used;
        if (watched_file_read(file, MIB, &log->watch->text, &text, &err) != 1 || !text.len)
            return;
        const char *end = memrchr(text.ptr, '\n', text.len);
        used = end ? (size_t)(end - text.ptr) + 1 : file->at_end ? 0 : text.len;
        if (used)
            watched_file_take(file, text, used);
    } while (!file->at_end);
}

/* ---- now and then ---- */

void watched_log_remove(struct watched_log *log, size_t at)
{
    watched_file_free(log->files[at]);
    log->count--;
    memmove(log->files + at, log->files + at + 1, (log->count - at) * sizeof(struct watched_file *));
}

static void give_up(struct watched_log *log, struct watched_file *file)
{
    if ((file->place.offset || file->place.head.len) && file->doubtful)
        say(log, "%s: the file that was read up to byte %llu is gone, also as a copy or packed; what was written behind "
                 "that, if anything was, is lost", log->path, (unsigned long long)file->place.offset);
    file->place.finished = true;
    file->missing = false;
}

static void tick_file(struct watched_log *log, struct watched_file *file)
{
    int64_t now = log->watch->now_ns;
    struct stat info;
    if (file->missing && now - file->missing_ns > MISSING_NS && file->searched >= SEARCHES_MIN)
        give_up(log, file);
    if (file->place.finished || file->missing)
        return;
    if (!file->current && file->fd >= 0 && fstat(file->fd, &info) == 0 && (uint64_t)info.st_size != file->size) {
        file->size = (uint64_t)info.st_size;
        file->grown_ns = now;
        file->left = true;
    }
    bool plain = file->kind == KIND_TEXT || file->kind == KIND_UNKNOWN;
    bool pending = (plain && file->size > file->place.offset) || file->kind == KIND_PACKED;
    file->left |= pending && (now - file->grown_ns > RESTS_NS);
    log->dirty |= file->left;
    int64_t idle = file->deleted                      ? DELETED_IDLE_NS
                   : log->count > FILES_UNFINISHED_KEPT ? CROWDED_IDLE_NS
                                                        : ROTATED_IDLE_NS;
    if (!file->current && !pending && !file->left && now - file->grown_ns > idle) {
        file->place.finished = true;
        watched_file_close(file);
    }
}

/* The oldest ones, that are gone or would not be taken for new any more. */
static void forget_finished(struct watched_log *log)
{
    size_t finished = 0;
    for (size_t i = log->count; i > 0; i--) {
        const struct watched_file *file = log->files[i - 1];
        if (!file->place.finished || ++finished <= FILES_FINISHED_KEPT)
            continue;
        if (file->nameless || (file->modified_ns && file->modified_ns < log->since_ns))
            watched_log_remove(log, i - 1);
    }
}

void watched_log_tick(struct watched_log *log)
{
    if (log->waiting)
        return;
    for (size_t i = 0; i < log->count; i++)
        tick_file(log, log->files[i]);
    forget_finished(log);
}

bool watched_log_is_searching(const struct watched_log *log)
{
    bool searching = log->waits || log->full;
    for (size_t i = 0; i < log->count; i++)
        searching |= log->files[i]->missing;
    return searching;
}

bool watched_log_is_over(const struct watched_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        if (!log->files[i]->place.finished)
            return false;
    return log->gone && !log->waiting;
}
