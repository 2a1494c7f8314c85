#include "respond/act/act_http.h"

#include "respond/act/act_body.h"
#include "respond/notify/signature.h"

#include <stdio.h>

static struct slice url_of(const struct act_work *work)
{
    return work->undo ? work->settings->undo_url : work->settings->url;
}

static struct slice body_of(const struct act_work *work)
{
    const struct act_settings *row = work->settings;
    return act_body_fill(work->undo && row->undo_body.len ? row->undo_body : row->body, work);
}

int act_http_check(const struct act_settings *row, struct err *err)
{
    if (row->secret.len < SIGNATURE_SECRET_MIN)
        return err_set(err, ERR_CONFIG, "it needs a secret of %d bytes or more, with which the receiver checks the signature",
                       SIGNATURE_SECRET_MIN);
    if (!row->undo_url.len)
        return err_set(err, ERR_CONFIG, "it needs an undo_url: what cannot be undone is not done by a machine");
    return http_fetch_check(row->url, row->allow_private, err) < 0 ||
                   http_fetch_check(row->undo_url, row->allow_private, err) < 0 || act_body_check(row->body, err) < 0
               ? -1
               : act_body_check(row->undo_body, err);
}

int act_http_tell(const struct act_work *work, struct json *json, struct err *err)
{
    struct slice body = body_of(work);
    if (!body.ptr)
        return err_nomem(err);
    json_put_text(json, "method", SLICE("POST"));
    json_put_text(json, "url", url_of(work));
    json_key(json, "headers");
    json_open(json, '{');
    json_put_text(json, "Content-Type", SLICE("application/json"));
    json_put_text(json, "Idempotency-Key", work->key);
    json_close(json, '}');
    json_put_text(json, "body", body);
    return 0;
}

/* 4xx: it says that it did not; but for those that ask for patience. What is undone and not there is undone. */
static enum action_result judge(const struct act_work *work, int status, struct err *err)
{
    if ((status >= 200 && status < 300) || (work->undo && (status == 404 || status == 410)))
        return ACTION_DONE;
    err_set(err, ERR_IO, "the answer was HTTP %d%s", status,
            status >= 300 && status < 400 ? "; redirects are not followed" : "");
    return status >= 300 && status < 500 && status != 408 && status != 409 && status != 429 ? ACTION_REFUSED : ACTION_AGAIN;
}

enum action_result act_http_ask(const struct act_work *work, struct slice url, struct slice body, struct buffer *answer_body,
                                struct action_answer *answer, struct err *err)
{
    char signature[SIGNATURE_SIZE];
    signature_make(work->settings->secret, SLICE_NONE, body, work->now_ns, work->rand, signature);
    const struct http_fetch_header headers[] = {
        {"Content-Type", SLICE("application/json")},
        {"Idempotency-Key", work->key},
        {"X-Hinomi-Signature", slice_text(signature)},
    };
    const struct http_fetch_request request = {
        .method = "POST", .url = url, .headers = headers, .header_count = ARRAY_COUNT(headers), .body = body,
        .allow_private = work->settings->allow_private,
    };
    struct http_fetch_reply reply = {.body = answer_body};
    if (http_fetch(work->net, &request, &reply, err) < 0)
        return err->code == ERR_CONFIG || err->code == ERR_DENIED ? ACTION_REFUSED : ACTION_AGAIN;
    answer->wait_s = reply.retry_after_s;
    snprintf(answer->receipt, sizeof(answer->receipt), "HTTP %d", reply.status);
    return judge(work, reply.status, err);
}

enum action_result act_http_run(const struct act_work *work, struct action_answer *answer, struct err *err)
{
    struct slice body = body_of(work);
    if (!body.ptr) {
        err_nomem(err);
        return ACTION_AGAIN;
    }
    return act_http_ask(work, url_of(work), body, NULL, answer, err);
}
