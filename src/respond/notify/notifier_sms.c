/* A text message: the line, and the link that acknowledges. */
#include "respond/notify/twilio.h"

enum { SMS_CHARS = 300 };

extern const struct notifier notifier_sms;

static struct slice text_of(const struct notifier_message *message)
{
    struct slice words, link = notify_button(message->notice, &words);
    struct slice line = notify_cut(notice_line(message->notice, message->arena), SMS_CHARS, message->arena);
    return link.len ? arena_printf(message->arena, "%.*s\n%.*s", SLICE_ARG(line), SLICE_ARG(link)) : line;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct buffer form;
    (void)rand;
    buffer_init(&form, NOTICE_BYTES_MAX);
    notify_put_form(&form, "Body", text_of(message));
    return twilio_post(message, net, "Messages", notify_keep(&form, message->arena), answer, err);
}

static const struct notifier_option options[] = {TWILIO_OPTIONS};

const struct notifier notifier_sms = {
    .name = "sms",
    .summary = "a text message, by an API of Twilio's shape",
    .details = "The title and the link that acknowledges, in the person's language.",
    .address = "a phone number, +819012345678",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = twilio_check,
    .check_address = notify_check_number,
    .takes_news = notify_has_to,
    .send = post,
};
