/* A call that reads the notice twice and asks for the key 1:
 *
 *   <Response><Gather numDigits="1" timeout="10" method="POST" action="answer_link"><Say>...</Say> twice</Gather><Say>good-bye</Say></Response>
 *
 * The other side posts what was pressed (Digits=1) to the answer link. */
#include "respond/notify/twilio.h"

enum { SAY_CHARS = 400 /* twice, and escaped, within the 4,000 characters of Twiml */ };

extern const struct notifier notifier_voice;

static void put_xml(struct buffer *to, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '&': buffer_put_text(to, "&amp;"); break;
        case '<': buffer_put_text(to, "&lt;"); break;
        case '>': buffer_put_text(to, "&gt;"); break;
        case '"': buffer_put_text(to, "&quot;"); break;
        case '\'': buffer_put_text(to, "&apos;"); break;
        default: buffer_put_char(to, text.ptr[i]);
        }
}

static void put_say(struct buffer *to, bool ja, struct slice text)
{
    buffer_printf(to, "<Say language=\"%s\">", ja ? "ja-JP" : "en-US");
    put_xml(to, text);
    buffer_put_text(to, "</Say>");
}

static struct slice said_of(const struct notifier_message *message, bool ja)
{
    const struct notice *notice = message->notice;
    struct notice one = *notice;
    one.language = ja ? SLICE("ja") : SLICE("en");
    struct slice line = notify_cut(notice_line(&one, message->arena), SAY_CHARS, message->arena);
    const char *press = !notice->answer_link.len ? "" : ja ? "。受領するには、1 を押してください。" : ". Press 1 to acknowledge.";
    return arena_printf(message->arena, ja ? "火の見です。%.*s%s" : "This is Hinomi. %.*s%s", SLICE_ARG(line), press);
}

static struct slice twiml_of(const struct notifier_message *message)
{
    struct buffer xml;
    bool ja = twilio_is_ja(message->notice), answers = message->notice->answer_link.len > 0;
    struct slice said = said_of(message, ja);
    buffer_init(&xml, NOTICE_BYTES_MAX);
    buffer_put_text(&xml, "<Response>");
    if (answers) {
        buffer_put_text(&xml, "<Gather numDigits=\"1\" timeout=\"10\" method=\"POST\" action=\"");
        put_xml(&xml, message->notice->answer_link);
        buffer_put_text(&xml, "\">");
    }
    put_say(&xml, ja, said);
    buffer_put_text(&xml, "<Pause length=\"1\"/>");
    put_say(&xml, ja, said);
    if (answers)
        buffer_put_text(&xml, "</Gather>");
    put_say(&xml, ja, ja ? SLICE("電話を切ります。") : SLICE("Good-bye."));
    buffer_put_text(&xml, "</Response>");
    return notify_keep(&xml, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct buffer form;
    (void)rand;
    buffer_init(&form, NOTICE_BYTES_MAX);
    notify_put_form(&form, "Twiml", twiml_of(message));
    notify_put_form(&form, "Timeout", SLICE("30"));
    return twilio_post(message, net, "Calls", notify_keep(&form, message->arena), answer, err);
}

static const struct notifier_option options[] = {TWILIO_OPTIONS};

const struct notifier notifier_voice = {
    .name = "voice",
    .summary = "a phone call, by an API of Twilio's shape",
    .details = "Reads the title twice in the person's language; the key 1 acknowledges: it is posted to the notice's answer link. A receipt says "
               "that the call was placed, not that somebody listened.",
    .address = "a phone number, +819012345678",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = twilio_check,
    .check_address = notify_check_number,
    .takes_news = notify_has_to,
    .send = post,
};
