/* What the other side of a channel answers: whatever it is, receipts and errors are printable and short, and a server's answer
 * to the watch is judged. First byte: the kind; second: the status; the rest: header lines, an empty line, body. */
#include "app/watch_judge.h"
#include "base/limits.h"
#include "base/rand.h"
#include "net/mail.h"
#include "net/wire.h"
#include "respond/notify/notifier.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int status;
static struct slice headers, body;

static int fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply, struct err *err)
{
    (void)net, (void)request, (void)err;
    reply->status = status;
    buffer_put(reply->body, slice_sub(body, 0, NOTIFY_ANSWER_BYTES));
    buffer_put(reply->headers, slice_sub(headers, 0, HTTP_HEADER_BYTES_MAX));
    return 0;
}

static int refuse_mail(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err)
{
    (void)net, (void)request;
    *reply = (struct mail_reply){.status = status};
    return err_set(err, ERR_IO, "no");
}

static int refuse_wire(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err)
{
    (void)net, (void)request;
    *out = NULL;
    return err_set(err, ERR_IO, "no");
}

static void want_printable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            abort();
}

static void send_one(const struct notifier *kind, struct arena *arena)
{
    static const struct hin_net net = {.fetch = fetch, .mail = refuse_mail, .wire = refuse_wire};
    static const struct respond_notifier row = {.name = {"x", 1}, .url = {"https://h.example/p", 19}, .secret = {"0123456789abcdef", 16},
                                                .user = {"u", 1}, .password = {"p", 1}, .from = {"a@example.jp", 12}, .to = {"b@example.jp", 12}};
    static const struct notice notice = {.event = {"opened", 6}, .incident = {"INC-1", 5}, .title_en = {"t", 1}, .severity = SEVERITY_HIGH};
    const struct notifier_message message = {.to = &row, .payload = SLICE("{}"), .notice = &notice, .key = SLICE("k"), .arena = arena};
    struct notifier_answer answer = {0};
    struct err err = {0};
    enum notifier_result result = kind->send(&message, &net, rand_real(), &answer, &err);
    if (result != NOTIFIER_SENT && !err.text[0])
        abort();
    want_printable(answer.receipt);
    want_printable(err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct watch_judge judge = {0};
    size_t kinds = 0;
    if (size < 2 || (!arena && !(arena = arena_new(64 * MIB))))
        return 0;
    arena_reset(arena);
    while (notifier_kinds[kinds])
        kinds++;
    static const int statuses[] = {200, 202, 204, 301, 400, 404, 409, 429, 500, 503};
    status = statuses[data[1] % 10];
    struct slice rest = slice_of(data + 2, size - 2);
    ptrdiff_t end = slice_find(rest, SLICE("\n\n"));
    headers = end < 0 ? SLICE("") : slice_sub(rest, 0, (size_t)end);
    body = end < 0 ? rest : slice_from(rest, (size_t)end + 2);
    send_one(notifier_kinds[data[0] % kinds], arena);
    (void)watch_judge(&judge, status, body, INT64_C(1516924800000000000), 0, arena);
    want_printable(judge.en);
    return 0;
}
