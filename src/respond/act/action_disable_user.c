/*
 * An account is disabled by whoever keeps accounts, and asked for afterwards: done is what the verify_url confirms, since
 * an answer of 200 often only means that the wish was taken.
 */
#include "respond/act/act_body.h"
#include "respond/act/act_http.h"

extern const struct action_kind action_disable_user;

static int check(const struct act_settings *row, struct err *err)
{
    if (!row->verify_url.len || !row->verify_contains.len)
        return err_set(err, ERR_CONFIG, "it needs a verify_url, and verify_contains: what its answer has once the account is disabled");
    if (http_fetch_check(row->verify_url, row->allow_private, err) < 0)
        return -1;
    return act_http_check(row, err);
}

static int tell(const struct act_work *work, struct json *json, struct err *err)
{
    if (act_http_tell(work, json, err) < 0)
        return -1;
    json_put_text(json, "verify_url", work->settings->verify_url);
    json_put_text(json, work->undo ? "until_it_lacks" : "until_it_has", work->settings->verify_contains);
    return 0;
}

static enum action_result verify(const struct act_work *work, struct err *err)
{
    struct action_answer ignored = {0};
    struct buffer text;
    struct slice body = act_body_fill(SLICE_NONE, work);
    buffer_init(&text, HTTP_FETCH_REPLY_MAX + 1);
    enum action_result result = ACTION_AGAIN;
    if (!body.ptr)
        err_nomem(err);
    else
        result = act_http_ask(work, work->settings->verify_url, body, &text, &ignored, err);
    bool has = slice_find(buffer_slice(&text), work->settings->verify_contains) >= 0;
    buffer_close(&text);
    if (result != ACTION_DONE) {
        err_within(err, "it was taken, but could not be verified");
        return ACTION_AGAIN; /* it may well have been done */
    }
    if (has != work->undo)
        return ACTION_DONE;
    err_set(err, ERR_IO, "it was taken, but the account is %s", work->undo ? "still disabled" : "not disabled");
    return ACTION_AGAIN;
}

static enum action_result run(const struct act_work *work, struct action_answer *answer, struct err *err)
{
    enum action_result result = act_http_run(work, answer, err);
    return result == ACTION_DONE ? verify(work, err) : result;
}

const struct action_kind action_disable_user = {
    .name = "disable_user",
    .summary = "a webhook to the identity provider, verified by asking it",
    .check = check,
    .tell = tell,
    .run = run,
};
