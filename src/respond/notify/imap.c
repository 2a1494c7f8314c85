#include "respond/notify/imap.h"

#include "base/arena.h"
#include "base/limits.h"

#include <stdlib.h>

/* ---- answers ---- */

/* "... {123}" at the end of a line. */
static bool ends_in_literal(struct slice line, size_t *size, size_t *brace)
{
    uint64_t n;
    size_t at = line.len;
    if (!at || line.ptr[at - 1] != '}')
        return false;
    while (at && line.ptr[at - 1] != '{')
        at--;
    if (!at || !slice_to_u64(slice_sub(line, at, line.len - 1 - at), &n))
        return false;
    *size = n > MAILBOX_ANSWER_BYTES ? MAILBOX_ANSWER_BYTES + 1 : (size_t)n;
    *brace = at - 1;
    return true;
}

int imap_take(struct slice bytes, struct imap_line *out, size_t *used)
{
    size_t at = 0, size, brace;
    *out = (struct imap_line){.literal = SLICE_NONE};
    for (bool first = true;; first = false) {
        ptrdiff_t end = slice_find(slice_from(bytes, at), SLICE("\r\n"));
        if (end < 0)
            return bytes.len - at > MAILBOX_ANSWER_BYTES ? -1 : 0;
        struct slice line = slice_sub(bytes, at, (size_t)end);
        at += (size_t)end + 2;
        bool more = ends_in_literal(line, &size, &brace);
        if (first)
            out->text = more ? slice_sub(line, 0, brace) : line;
        if (!more) {
            *used = at;
            return 1;
        }
        if (size > MAILBOX_ANSWER_BYTES)
            return -1;
        if (bytes.len - at < size)
            return 0;
        if (first)
            out->literal = slice_sub(bytes, at, size);
        at += size;
    }
}

bool imap_read_search(struct slice line, uint32_t *to, size_t max, size_t *count)
{
    struct slice part;
    if (!slice_starts(line, SLICE("* SEARCH")))
        return false;
    line = slice_from(line, 8);
    while (slice_next_part(&line, ' ', &part)) {
        uint64_t n;
        if (part.len && slice_to_u64(part, &n) && n > 0 && n <= UINT32_MAX && *count < max)
            to[(*count)++] = (uint32_t)n;
    }
    return true;
}

/* The next answer, in the arena. */
static int read_line(struct imap *imap, struct imap_line *out, struct err *err)
{
    size_t used;
    int taken;
    while ((taken = imap_take(buffer_slice(&imap->in), out, &used)) == 0)
        if (wire_receive(imap->wire, &imap->in, err) < 0)
            return -1;
    if (taken < 0)
        return err_set(err, ERR_INPUT, "the mail server's answer is too long, or no IMAP");
    bool literal = out->literal.ptr;
    out->text = arena_copy(imap->arena, out->text);
    out->literal = literal ? arena_copy(imap->arena, out->literal) : SLICE_NONE;
    buffer_consume(&imap->in, used);
    return out->text.ptr && (!literal || out->literal.ptr) ? 0 : err_nomem(err);
}

/* ---- commands ---- */

typedef void (*imap_see)(void *context, const struct imap_line *line);

static void see_nothing(void *context, const struct imap_line *line)
{
    (void)context, (void)line;
}

/* Sends "A7 command" and reads until its own answer; what says: for people, without secrets. */
static int command(struct imap *imap, struct slice words, const char *what, imap_see see, void *context, struct err *err)
{
    struct imap_line line;
    struct slice tag = arena_printf(imap->arena, "A%u ", ++imap->tag);
    struct slice all = arena_printf(imap->arena, "%.*s%.*s\r\n", SLICE_ARG(tag), SLICE_ARG(words));
    if (!all.ptr || !words.ptr)
        return err_nomem(err);
    if (wire_send(imap->wire, all, err) < 0)
        return err_within(err, "%s", what);
    for (;;) {
        if (read_line(imap, &line, err) < 0)
            return err_within(err, "%s", what);
        if (slice_starts(line.text, tag))
            break;
        see(context, &line);
    }
    struct slice status = slice_from(line.text, tag.len);
    if (slice_equal_nocase(slice_sub(status, 0, 2), SLICE("OK")))
        return 0;
    status = slice_sub(status, 0, NOTIFY_SAID_MAX);
    for (size_t i = 0; i < status.len; i++)
        if (status.ptr[i] < ' ' || status.ptr[i] > '~')
            status.len = i;
    return err_set(err, ERR_DENIED, "%s: the mail server said: %.*s", what, SLICE_ARG(status));
}

/* "quoted"; -1 for what no string in quotes may have. */
static int put_quoted(struct buffer *to, struct slice text, const char *what, struct err *err)
{
    buffer_put_text(to, " \"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || !text.ptr[i])
            return err_set(err, ERR_CONFIG, "the %s of the mailbox has a line end in it", what);
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buffer_put_char(to, '\\');
        buffer_put_char(to, text.ptr[i]);
    }
    buffer_put_char(to, '"');
    return 0;
}

static int sign_in(struct imap *imap, struct slice user, struct slice password, struct err *err)
{
    struct buffer words;
    buffer_init(&words, 64 * KIB);
    buffer_put_text(&words, "LOGIN");
    int result = put_quoted(&words, user, "user", err) < 0 ? -1 : put_quoted(&words, password, "password", err);
    if (result == 0)
        result = buffer_failed(&words) ? err_nomem(err) : command(imap, buffer_slice(&words), "signing in", see_nothing, NULL, err);
    buffer_close(&words);
    return result;
}

static void see_validity(void *context, const struct imap_line *line)
{
    static const char name[] = "[UIDVALIDITY ";
    ptrdiff_t at = slice_find(line->text, SLICE("[UIDVALIDITY "));
    struct slice number, rest;
    uint64_t n;
    if (at >= 0 && slice_cut(slice_from(line->text, (size_t)at + sizeof(name) - 1), ']', &number, &rest) && slice_to_u64(number, &n))
        *(uint32_t *)context = (uint32_t)n;
}

static int open_folder(struct imap *imap, struct slice folder, struct err *err)
{
    struct buffer words;
    buffer_init(&words, 16 * KIB);
    buffer_put_text(&words, "SELECT");
    int result = put_quoted(&words, folder, "folder", err);
    if (result == 0)
        result = buffer_failed(&words) ? err_nomem(err)
                                       : command(imap, buffer_slice(&words), "opening the folder", see_validity, &imap->validity, err);
    buffer_close(&words);
    return result;
}

int imap_begin(struct imap *imap, struct wire *wire, struct arena *arena, struct slice user, struct slice password,
               struct slice folder, struct err *err)
{
    struct imap_line line;
    *imap = (struct imap){.wire = wire, .arena = arena};
    buffer_init(&imap->in, 2 * MAILBOX_ANSWER_BYTES);
    if (read_line(imap, &line, err) < 0)
        return -1;
    if (!slice_starts(line.text, SLICE("* OK")))
        return err_set(err, ERR_DENIED, "what answers there is no mail server that takes us");
    return sign_in(imap, user, password, err) < 0 ? -1 : open_folder(imap, folder, err);
}

void imap_end(struct imap *imap)
{
    struct err err;
    if (imap->wire && imap->tag)
        (void)!wire_send(imap->wire, SLICE("Z LOGOUT\r\n"), &err);
    wire_close(imap->wire);
    imap->wire = NULL;
    buffer_close(&imap->in);
}

struct numbers {
    uint32_t *to;
    size_t max, *count;
};

static void see_search(void *context, const struct imap_line *line)
{
    struct numbers *numbers = context;
    imap_read_search(line->text, numbers->to, numbers->max, numbers->count);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* "n:*" always has the last mail, even when its number is below n. */
int imap_search_new(struct imap *imap, uint32_t first, uint32_t *to, size_t max, size_t *count, struct err *err)
{
    struct numbers numbers = {to, max, count};
    size_t kept = 0;
    *count = 0;
    if (command(imap, arena_printf(imap->arena, "UID SEARCH UNSEEN UID %u:*", first), "looking for new mails", see_search, &numbers, err) < 0)
        return -1;
    for (size_t i = 0; i < *count; i++)
        if (to[i] >= first)
            to[kept++] = to[i];
    *count = kept;
    qsort(to, kept, sizeof(*to), ascending);
    return 0;
}

static void see_mail(void *context, const struct imap_line *line)
{
    struct slice *mail = context;
    if (line->literal.ptr && slice_find(line->text, SLICE(" FETCH ")) > 0)
        *mail = line->literal;
}

int imap_peek(struct imap *imap, uint32_t uid, struct slice *mail, struct err *err)
{
    *mail = SLICE_NONE;
    return command(imap, arena_printf(imap->arena, "UID FETCH %u (BODY.PEEK[]<0.%zu>)", uid, MAILBOX_MAIL_BYTES), "reading a mail", see_mail, mail,
                   err);
}

int imap_mark_seen(struct imap *imap, uint32_t uid, struct err *err)
{
    return command(imap, arena_printf(imap->arena, "UID STORE %u +FLAGS.SILENT (\\Seen)", uid), "marking a mail as read", see_nothing, NULL, err);
}
