#include "respond/notify/twilio.h"

static bool is_service(struct slice from)
{
    return slice_starts(from, SLICE("MG")) && notify_is_word(from, "", 34, 34);
}

int twilio_check(const struct respond_notifier *row, struct err *err)
{
    if (!notify_is_word(row->user, "", 2, 64))
        return err_set(err, ERR_CONFIG, "user is the account's SID: letters and digits");
    if (!is_service(row->from) && notify_check_number(row->from, err) < 0)
        return err_within(err, "from");
    if (row->to.len && notify_check_number(row->to, err) < 0)
        return err_within(err, "to");
    return notify_check_url(row, err);
}

bool twilio_is_ja(const struct notice *notice)
{
    return slice_is(notice->language, "ja") || (!notice->language.len && notice->title_ja.len > 0);
}

static struct slice form_of(const struct notifier_message *message, struct slice to, struct slice rest)
{
    struct buffer form;
    buffer_init(&form, NOTICE_BYTES_MAX);
    notify_put_form(&form, "To", to);
    notify_put_form(&form, is_service(message->to->from) ? "MessagingServiceSid" : "From", message->to->from);
    buffer_printf(&form, "&%.*s", SLICE_ARG(rest));
    return notify_keep(&form, message->arena);
}

enum notifier_result twilio_post(const struct notifier_message *message, const struct hin_net *net, const char *what, struct slice rest,
                                 struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    const struct respond_notifier *row = message->to;
    struct slice to, base = row->url;
    if (!notify_find_address(message, &to, err))
        return NOTIFIER_REFUSED;
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    const struct http_fetch_header header = {"Authorization", notify_basic(message, row->user, row->password)};
    const struct notify_http request = {
        arena_printf(message->arena, "%.*s/2010-04-01/Accounts/%.*s/%s.json", SLICE_ARG(base), SLICE_ARG(row->user), what),
        "application/x-www-form-urlencoded", form_of(message, to, rest), &header, 1};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "sid", json_text_of(json_get(said.json, "sid"), SLICE_NONE));
    return result;
}
