/* What each kind of notifier puts on the way, byte for byte, against a network of the test's own; how it judges answers; and
 * that words of an attacker do nothing in it. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cut/yaml.h"
#include "net/mail.h"
#include "net/wire.h"
#include "respond/notify/notifier_row.h"

#include <stdio.h>

/* ---- a network of our own ---- */

static struct {
    char method[8], url[512], headers[4096], body[64 * 1024];
    size_t body_len;
    int status;
    const char *answer, *answer_headers;
    int64_t retry_after_s;
    bool dead;
    struct mail_reply mail;
    char from[128], to[128];
    int requests;
} there;

static int fake_fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply, struct err *err)
{
    (void)net;
    int at = 0;
    there.requests++;
    assert_true(request->known_ports && request->timeout_ms == NOTIFY_TIMEOUT_MS);
    snprintf(there.method, sizeof(there.method), "%s", request->method);
    snprintf(there.url, sizeof(there.url), "%.*s", SLICE_ARG(request->url));
    for (size_t i = 0; i < request->header_count; i++)
        at += snprintf(there.headers + at, sizeof(there.headers) - (size_t)at, "%s: %.*s\n", request->headers[i].name, SLICE_ARG(request->headers[i].value));
    assert_true(request->body.len < sizeof(there.body));
    memcpy(there.body, request->body.ptr, request->body.len);
    there.body[request->body.len] = '\0';
    there.body_len = request->body.len;
    if (there.dead)
        return err_set(err, ERR_IO, "127.0.0.1: connection refused");
    reply->status = there.status;
    reply->retry_after_s = there.retry_after_s;
    buffer_put_text(reply->body, there.answer);
    buffer_put_text(reply->headers, there.answer_headers);
    return 0;
}

static int fake_mail(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err)
{
    (void)net;
    there.requests++;
    snprintf(there.url, sizeof(there.url), "%.*s", SLICE_ARG(request->url));
    snprintf(there.from, sizeof(there.from), "%.*s", SLICE_ARG(request->from));
    snprintf(there.to, sizeof(there.to), "%.*s", SLICE_ARG(request->to));
    assert_true(request->message.len < sizeof(there.body));
    memcpy(there.body, request->message.ptr, request->message.len);
    there.body[request->message.len] = '\0';
    *reply = there.mail;
    return there.mail.status == 250 ? 0 : err_set(err, ERR_IO, "the mail server said: %s", there.mail.line);
}

static int wire_keep(struct wire *wire, struct slice bytes, struct err *err)
{
    (void)wire, (void)err;
    memcpy(there.body + there.body_len, bytes.ptr, bytes.len);
    there.body_len += bytes.len;
    there.body[there.body_len] = '\0';
    return 0;
}

static void wire_end(struct wire *wire)
{
    (void)wire;
}

static int fake_wire(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err)
{
    static struct wire wire = {.send = wire_keep, .close = wire_end};
    (void)net, (void)err;
    there.requests++;
    there.body_len = 0;
    snprintf(there.url, sizeof(there.url), "%.*s", SLICE_ARG(request->url));
    *out = &wire;
    return 0;
}

static const struct hin_net net = {.fetch = fake_fetch, .mail = fake_mail, .wire = fake_wire};

/* ---- one message ---- */

static struct arena *arena;
static struct err why;
static struct notifier_answer answered;

static int set_up(void **state)
{
    (void)state;
    memset(&there, 0, sizeof(there));
    there.status = 200;
    there.answer = there.answer_headers = "";
    there.mail = (struct mail_reply){250, "250 2.0.0 Ok: queued as 4Q"};
    arena = arena_new(16 * MIB);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int try_row(const char *text, struct respond_notifier *row)
{
    const struct yaml_node *const *documents;
    size_t count;
    assert_int_equal(yaml_parse(slice_text(text), arena, &documents, &count, &why), 0);
    return notifier_row_read(documents[0], arena, row, &why);
}

static struct notice notice_of(const char *event)
{
    static const struct entity about[] = {{{"wallet", 6}, {"NC3B", 4}}, {{"account", 7}, {"u7", 2}}};
    return (struct notice){.event = slice_text(event), .incident = SLICE("INC-7"), .title_en = SLICE("Coins leave"),
                           .title_ja = SLICE("送金の異常"), .text_en = SLICE("5 XEM left."), .text_ja = SLICE("5 XEM が出ました。"),
                           .severity = SEVERITY_CRITICAL, .entities = about, .entity_count = 2, .entity_total = 2,
                           .link = SLICE("https://siem.example/#/incidents?id=INC-7"), .sent_ns = INT64_C(1516924800) * NS_PER_SECOND};
}

static enum notifier_result tell(const char *text, const struct notice *notice, const char *address)
{
    struct respond_notifier row;
    struct rand_seeded seeded;
    rand_seeded_init(&seeded, 1);
    if (try_row(text, &row) < 0)
        fail_msg("%s", why.text);
    struct slice to = address ? slice_text(address) : SLICE_NONE;
    const struct notifier *kind = notifier_find(row.kind);
    if (address)
        assert_int_equal(kind->check_address(to, &why), 0);
    const struct notifier_message message = {.to = &row, .address = to, .payload = SLICE("{\"a\":1}"), .notice = notice,
                                             .key = SLICE("0f3c"), .now_ns = INT64_C(1516924802) * NS_PER_SECOND, .arena = arena};
    answered = (struct notifier_answer){0};
    err_clear(&why);
    there.headers[0] = '\0';
    return kind->send(&message, &net, &seeded.rand, &answered, &why);
}

static void has(const char *part)
{
    if (!strstr(there.body, part))
        fail_msg("%s is not in: %s", part, there.body);
}

static void has_not(const char *part)
{
    if (strstr(there.body, part))
        fail_msg("%s is in: %s", part, there.body);
}

static void header_has(const char *part)
{
    if (!strstr(there.headers, part))
        fail_msg("%s is not in: %s", part, there.headers);
}

#define WEBHOOK "{kind: webhook, name: w, url: 'https://h.example/x', secret: 0123456789abcdef}"
#define SLACK "{kind: slack, name: s, url: 'https://hooks.slack.example/services/T/B/x'}"
#define SLACK_BOT "{kind: slack, name: s, secret: xoxb-1, to: C024BE7LH}"
#define TEAMS "{kind: teams, name: t, url: 'https://prod.logic.example/workflows/1?sig=2'}"
#define DISCORD "{kind: discord, name: d, url: 'https://discord.example/api/webhooks/1/x'}"
#define LINE "{kind: line, name: l, secret: tok, to: Cabcdef0123456789abcdef0123456789}"
#define NTFY "{kind: ntfy, name: n, url: 'https://ntfy.example/soc', secret: tk_1}"
#define PAGER "{kind: pagerduty, name: p, secret: 0123456789abcdef0123456789abcdef}"
#define OPSGENIE "{kind: opsgenie, name: o, secret: key, to: soc}"
#define SMS "{kind: sms, name: m, user: AC01, password: tok, from: '+815012345678', to: '+819011112222'}"
#define VOICE "{kind: voice, name: v, user: AC01, password: tok, from: '+815012345678', to: '+819011112222'}"
#define MAIL "{kind: mail, name: e, url: 'smtps://mail.example', from: hinomi@example.jp, to: soc@example.jp, user: u, password: p}"
#define SYSLOG "{kind: syslog, name: y, url: 'tls://log.example:6514'}"

static void a_webhook_signs_with_two_keys_while_they_change(void **state)
{
    (void)state;
    struct notice notice = notice_of("opened");
    char first[100];
    assert_int_equal(tell(WEBHOOK, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.body, "{\"a\":1}");
    header_has("Idempotency-Key: 0f3c\n");
    header_has("X-Hinomi-Signature: v1,1516924802,");
    const char *mac = strrchr(there.headers, ',');
    snprintf(first, sizeof(first), "%.65s", mac);
    assert_int_equal(tell("{kind: webhook, name: w, url: 'https://h.example/x', secret: 0123456789abcdef, secret_next: fedcba9876543210}", &notice,
                          NULL), NOTIFIER_SENT);
    header_has(first); /* the old one, then the new */
    assert_int_equal(strlen(strrchr(there.headers, ',')), 1 + 64 + 1);
    assert_ptr_not_equal(strstr(there.headers, first), strrchr(there.headers, ','));
}

static void slack_gets_plain_texts_and_a_button(void **state)
{
    (void)state;
    struct notice notice = notice_of("page");
    notice.answer_link = SLICE("https://siem.example/a/x");
    notice.language = SLICE("en");
    assert_int_equal(tell(SLACK, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.body,
        "{\"text\":\"[critical] INC-7 Coins leave\",\"parse\":\"none\",\"link_names\":false,\"unfurl_links\":false,\"blocks\":["
        "{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"emoji\":false,\"text\":\"[critical] INC-7 Coins leave\"}},"
        "{\"type\":\"section\",\"text\":{\"type\":\"plain_text\",\"emoji\":false,\"text\":\"Coins leave\\n5 XEM left.\\nAbout: wallet NC3B, account u7\\n"
        "Acknowledge: https://siem.example/a/x\\nDetails: https://siem.example/#/incidents?id=INC-7\\n\"}},"
        "{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"text\":{\"type\":\"plain_text\",\"emoji\":false,\"text\":\"Acknowledge\"},"
        "\"url\":\"https://siem.example/a/x\"}]}]}");
    there.answer = "{\"ok\":true,\"ts\":\"1503435956.000247\"}";
    assert_int_equal(tell(SLACK_BOT, &notice, "U024BE7LH"), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://slack.com/api/chat.postMessage");
    has("{\"channel\":\"U024BE7LH\",");
    header_has("Authorization: Bearer xoxb-1\n");
    assert_string_equal(answered.receipt, "ts 1503435956.000247");
    there.answer = "{\"ok\":false,\"error\":\"channel_not_found\"}";
    assert_int_equal(tell(SLACK_BOT, &notice, NULL), NOTIFIER_REFUSED);
    assert_string_equal(why.text, "Slack refused it: channel_not_found");
    there.answer = "{\"ok\":false,\"error\":\"ratelimited\"}";
    assert_int_equal(tell(SLACK_BOT, &notice, NULL), NOTIFIER_AGAIN);
}

static void teams_gets_a_card(void **state)
{
    (void)state;
    struct notice notice = notice_of("closed");
    notice.language = SLICE("ja");
    there.status = 202;
    there.answer_headers = "HTTP/1.1 202 Accepted\r\nx-ms-workflow-run-id: 0858\r\n";
    assert_int_equal(tell(TEAMS, &notice, NULL), NOTIFIER_SENT);
    has("{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.card.adaptive\",\"content\":"
        "{\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body\":["
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"[重大] INC-7 (終了) 送金の異常\",\"weight\":\"bolder\",\"size\":\"large\"}]}");
    has("\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"開く\",\"url\":\"https://siem.example/#/incidents?id=INC-7\"}]");
    assert_string_equal(answered.receipt, "workflow run 0858");
}

static void discord_mentions_nobody(void **state)
{
    (void)state;
    struct notice notice = notice_of("opened");
    notice.title_en = SLICE("@everyone <@1> [x](https://evil.example) **b** `c` || d");
    notice.language = SLICE("en");
    there.answer = "{\"id\":\"1191\"}";
    assert_int_equal(tell(DISCORD, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://discord.example/api/webhooks/1/x?wait=true");
    has("\"allowed_mentions\":{\"parse\":[]}");
    has("\\\\@everyone \\\\<\\\\@1\\\\> \\\\[x\\\\]\\\\(https\\\\[\\\\:\\\\]//evil.example\\\\) \\\\*\\\\*b\\\\*\\\\* \\\\`c\\\\` \\\\|\\\\| d");
    has("Details: https://siem.example/#/incidents?id=INC-7");
    assert_string_equal(answered.receipt, "message 1191");
}

static void line_is_sent_once(void **state)
{
    (void)state;
    struct notice notice = notice_of("page");
    char first[sizeof(there.headers)];
    there.answer_headers = "HTTP/1.1 200 OK\r\nX-Line-Request-Id: 91d1\r\n";
    assert_int_equal(tell(LINE, &notice, "U0123456789abcdef0123456789abcdef"), NOTIFIER_SENT);
    assert_string_equal(answered.receipt, "request 91d1");
    has("{\"to\":\"U0123456789abcdef0123456789abcdef\",\"messages\":[{\"type\":\"text\",\"text\":\"[critical] INC-7 送金の異常 / Coins leave\\n");
    snprintf(first, sizeof(first), "%s", there.headers);
    header_has("X-Line-Retry-Key: ");
    there.status = 409;
    there.answer_headers = "HTTP/1.1 409 Conflict\r\nX-Line-Accepted-Request-Id: 91d1\r\n";
    assert_int_equal(tell(LINE, &notice, "U0123456789abcdef0123456789abcdef"), NOTIFIER_SENT);
    assert_string_equal(there.headers, first);
    assert_string_equal(answered.receipt, "request 91d1");
}

static void ntfy_rings_for_a_page(void **state)
{
    (void)state;
    struct notice notice = notice_of("page");
    notice.severity = SEVERITY_MEDIUM;
    notice.answer_link = SLICE("https://siem.example/a/x");
    notice.language = SLICE("en");
    there.answer = "{\"id\":\"sPs71M8A2T\"}";
    assert_int_equal(tell(NTFY, &notice, "sato-phone"), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://ntfy.example/");
    has("{\"topic\":\"sato-phone\",\"title\":\"[medium] INC-7 Coins leave\",\"message\":");
    has("\"priority\":5,\"click\":\"https://siem.example/#/incidents?id=INC-7\",\"actions\":[{\"action\":\"view\",\"label\":\"Acknowledge\","
        "\"url\":\"https://siem.example/a/x\"}]}");
    header_has("Authorization: Bearer tk_1\n");
    assert_string_equal(answered.receipt, "message sPs71M8A2T");
    notice.event = SLICE("opened");
    assert_int_equal(tell(NTFY, &notice, NULL), NOTIFIER_SENT);
    has("{\"topic\":\"soc\",");
    has("\"priority\":3,");
}

static void pagerduty_goes_with_the_incident(void **state)
{
    (void)state;
    static const char *const events[][2] = {{"opened", "trigger"}, {"severity", "trigger"}, {"page", "trigger"}, {"acknowledged", "acknowledge"},
                                            {"closed", "resolve"}};
    char head[200];
    there.status = 202;
    there.answer = "{\"status\":\"success\",\"dedup_key\":\"hinomi:INC-7\"}";
    for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
        struct notice notice = notice_of(events[i][0]);
        assert_int_equal(tell(PAGER, &notice, NULL), NOTIFIER_SENT);
        snprintf(head, sizeof(head), "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":\"%s\",\"dedup_key\":\"hinomi:INC-7\"", events[i][1]);
        has(head);
        assert_string_equal(answered.receipt, "dedup_key hinomi:INC-7");
    }
    assert_string_equal(there.url, "https://events.pagerduty.com/v2/enqueue");
    struct notice drill = notice_of("drill");
    assert_int_equal(tell(PAGER, &drill, NULL), NOTIFIER_SENT);
    has("\"dedup_key\":\"hinomi:0f3c\"");
    has("\"severity\":\"critical\"");
}

static void opsgenie_goes_with_the_incident(void **state)
{
    (void)state;
    struct notice notice = notice_of("opened");
    there.status = 202;
    there.answer = "{\"requestId\":\"43a29c5c\"}";
    assert_int_equal(tell(OPSGENIE, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://api.opsgenie.com/v2/alerts");
    header_has("Authorization: GenieKey key\n");
    has("\"alias\":\"hinomi:INC-7\"");
    has("\"priority\":\"P1\",\"source\":\"Hinomi\",\"responders\":[{\"type\":\"team\",\"name\":\"soc\"}]}");
    assert_string_equal(answered.receipt, "request 43a29c5c");
    notice.event = SLICE("closed");
    assert_int_equal(tell(OPSGENIE, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://api.opsgenie.com/v2/alerts/hinomi%3AINC-7/close?identifierType=alias");
}

static void sms_and_voice_are_forms(void **state)
{
    (void)state;
    struct notice notice = notice_of("page");
    notice.language = SLICE("en");
    notice.answer_link = SLICE("https://siem.example/a/x?k=1&l=2");
    notice.title_en = SLICE("<Hangup/> & \"coins\"");
    there.status = 201;
    there.answer = "{\"sid\":\"SM90c6\",\"status\":\"queued\"}";
    assert_int_equal(tell(SMS, &notice, "+819033334444"), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://api.twilio.com/2010-04-01/Accounts/AC01/Messages.json");
    header_has("Content-Type: application/x-www-form-urlencoded\n");
    header_has("Authorization: Basic QUMwMTp0b2s=\n");
    assert_string_equal(there.body, "To=%2B819033334444&From=%2B815012345678&Body=%5Bcritical%5D%20INC-7%20%3CHangup%2F%3E%20%26%20%22coins%22%0A"
                                    "https%3A%2F%2Fsiem.example%2Fa%2Fx%3Fk%3D1%26l%3D2");
    assert_string_equal(answered.receipt, "sid SM90c6");
    assert_int_equal(tell(VOICE, &notice, NULL), NOTIFIER_SENT);
    assert_string_equal(there.url, "https://api.twilio.com/2010-04-01/Accounts/AC01/Calls.json");
    has("To=%2B819011112222&");
    has("Twiml=%3CResponse%3E%3CGather%20numDigits%3D%221%22%20timeout%3D%2210%22%20method%3D%22POST%22%20"
        "action%3D%22https%3A%2F%2Fsiem.example%2Fa%2Fx%3Fk%3D1%26amp%3Bl%3D2%22%3E%3CSay%20language%3D%22en-US%22%3E");
    has("%26lt%3BHangup%2F%26gt%3B%20%26amp%3B%20%26quot%3Bcoins%26quot%3B"); /* text, not a word of TwiML */
    has_not("%3CHangup");
    const char *first = strstr(there.body, "Press%201");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "Press%201")); /* twice */
    notice.language = SLICE("ja");
    assert_int_equal(tell(VOICE, &notice, NULL), NOTIFIER_SENT);
    has("language%3D%22ja-JP%22");
    there.status = 400;
    there.answer = "{\"code\":21211,\"message\":\"The 'To' number is not valid\\r\\nX: y\"}";
    assert_int_equal(tell(SMS, &notice, NULL), NOTIFIER_REFUSED);
    assert_string_equal(why.text, "the answer was HTTP 400: The 'To' number is not valid  X: y");
}

static void a_mail_is_whole(void **state)
{
    (void)state;
    struct notice notice = notice_of("page");
    notice.language = SLICE("en");
    notice.reply_token = SLICE("tok12345");
    assert_int_equal(tell(MAIL, &notice, "sato@example.jp"), NOTIFIER_SENT);
    assert_string_equal(there.url, "smtps://mail.example");
    assert_string_equal(there.from, "hinomi@example.jp");
    assert_string_equal(there.to, "sato@example.jp");
    const char *id = strstr(there.body, "Message-ID: <");
    assert_non_null(id);
    char want[2048], uuid[37];
    snprintf(uuid, sizeof(uuid), "%s", id + 13);
    snprintf(want, sizeof(want),
             "Date: Fri, 26 Jan 2018 00:00:00 +0000\r\nFrom: Hinomi <hinomi@example.jp>\r\nTo: <sato@example.jp>\r\n"
             "Subject: [critical] INC-7 Coins leave\r\n [HIN:tok12345]\r\nMessage-ID: <%s@example.jp>\r\nReferences: <INC-7@example.jp>\r\n"
             "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\nQ29pbnMgbGVhdmUKNSBYRU0gbGVmdC4KQWJvdXQ6IHdhbGxldCBOQzNCLCBhY2NvdW50IHU3CkRl\r\n", uuid);
    has(want);
    assert_string_equal(answered.receipt, "250 2.0.0 Ok: queued as 4Q");
    notice.language = SLICE("ja");
    assert_int_equal(tell(MAIL, &notice, NULL), NOTIFIER_SENT);
    has("Subject: =?UTF-8?B?W+mHjeWkp10gSU5DLTcg6YCB6YeR44Gu55Ww5bi4?=\r\n [HIN:tok12345]\r\n");
    there.mail = (struct mail_reply){451, "451 try later"};
    assert_int_equal(tell(MAIL, &notice, NULL), NOTIFIER_AGAIN);
    there.mail = (struct mail_reply){550, "550 no such user"};
    assert_int_equal(tell(MAIL, &notice, NULL), NOTIFIER_REFUSED);
    there.mail = (struct mail_reply){0, ""};
    assert_int_equal(tell(MAIL, &notice, NULL), NOTIFIER_AGAIN);
}

static void syslog_is_one_frame(void **state)
{
    (void)state;
    struct notice notice = notice_of("opened");
    size_t length = 0;
    int digits = 0;
    notice.incident = SLICE("INC-7\"]\n<34>1");
    notice.title_en = SLICE("a\nb\r\n<34>1 - - forged");
    notice.language = SLICE("en");
    assert_int_equal(tell(SYSLOG, &notice, NULL), NOTIFIER_SENT);
    assert_int_equal(sscanf(there.body, "%zu %n", &length, &digits), 1);
    assert_int_equal(length, there.body_len - (size_t)digits);
    assert_int_equal(strncmp(there.body + digits, "<106>1 2018-01-26T00:00:00Z ", 28), 0);
    has(" opened [hinomi@32473 incident=\"INC-7\\\"\\] <34>1\" severity=\"critical\" key=\"0f3c\" ");
    has("] \xef\xbb\xbf[critical] INC-7");
    has_not("\n");
    has_not("\r");
}

/* ---- what every kind does ---- */

static const char *const rows[] = {WEBHOOK, SLACK, TEAMS, DISCORD, LINE, NTFY, PAGER, OPSGENIE, SMS, VOICE};

static void answers_are_judged_alike(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum notifier_result result;
    } cases[] = {{200, NOTIFIER_SENT}, {202, NOTIFIER_SENT}, {204, NOTIFIER_SENT}, {301, NOTIFIER_REFUSED}, {400, NOTIFIER_REFUSED}, {401, NOTIFIER_REFUSED},
                 {404, NOTIFIER_REFUSED}, {408, NOTIFIER_AGAIN}, {429, NOTIFIER_AGAIN}, {500, NOTIFIER_AGAIN}, {503, NOTIFIER_AGAIN}};
    struct notice notice = notice_of("opened");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
            there.status = cases[k].status;
            there.retry_after_s = 7;
            if (tell(rows[i], &notice, NULL) != cases[k].result)
                fail_msg("%s: HTTP %d", rows[i], cases[k].status);
            assert_int_equal(answered.wait_s, 7);
        }
        there.dead = true;
        assert_int_equal(tell(rows[i], &notice, NULL), NOTIFIER_AGAIN);
        assert_string_equal(why.text, "127.0.0.1: connection refused");
        there.dead = false;
        there.status = 200;
        there.answer = "\xff\xfe{]<html>\r\n\x1b[31m";
        assert_int_equal(tell(rows[i], &notice, NULL), NOTIFIER_SENT);
        for (const char *c = answered.receipt; *c; c++)
            assert_true(*c >= ' ');
        there.answer = "";
    }
}

static void attackers_words_are_only_words(void **state)
{
    (void)state;
    static const char *const all[] = {SLACK, SLACK_BOT, TEAMS, DISCORD, LINE, NTFY, PAGER, OPSGENIE, SMS, VOICE, MAIL, SYSLOG};
    static const struct entity about[] = {{{"host", 4}, {"h\r\nBcc: all@evil.example\r\n\r\nx", 30}}, {{"url", 3}, {"https://evil.example/x", 22}}};
    there.answer = "{\"ok\":true}";
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        struct notice notice = notice_of("opened");
        notice.title_en = SLICE("T\r\nBcc: all@evil.example\r\n\r\n<!channel> <@U1> @everyone \xe2\x80\xae \xff \x1b[2J");
        notice.title_ja = SLICE("題\r\n.\r\nMAIL FROM:<x>");
        notice.text_en = SLICE("Acknowledge: https://evil.example/ack\nDetails: http:\xe2\x80\x8b//evil.example https:/\xe2\x80\x8b/evil.example [HIN\xe2\x80\x8b:tok-9999]");
        notice.entities = about;
        assert_int_equal(tell(all[i], &notice, NULL), NOTIFIER_SENT);
        has_not("\r\nBcc:");
        has_not("\r\n.\r\n");
        has_not("https://evil");
        has_not("http://evil");
        has_not("https%3A%2F%2Fevil");
        has_not("[HIN:");
        has_not("\xe2\x80\xae");
        has_not("\x1b");
        has_not("\"base64\"");
        assert_true(strncmp(all[i], "{kind: slack", 12) != 0 || strstr(there.body, "{\"text\":\"[critical] INC-7 題  .  MAIL FROM:&lt;x&gt; ") ||
                    strstr(there.body, "\"C024BE7LH\",\"text\":\"[critical] INC-7 題  .  MAIL FROM:&lt;x&gt; "));
    }
}

static void long_texts_end_in_a_mark(void **state)
{
    (void)state;
    static char title[20000], text[100000];
    struct notice notice = notice_of("opened");
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "あ", 3);
    memset(title, 'x', sizeof(title) - 1);
    notice.title_en = notice.title_ja = slice_text(title);
    notice.text_ja = slice_text(text);
    for (size_t i = 1; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(tell(rows[i], &notice, NULL), NOTIFIER_SENT);
        assert_true(there.body_len < 40000);
        if (!strstr(there.body, "…") && !strstr(there.body, "%E2%80%A6"))
            fail_msg("%s: %s", rows[i], there.body);
    }
}

static void memory_may_be_out(void **state)
{
    (void)state;
    struct notice notice = notice_of("opened");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct respond_notifier row;
        struct rand_seeded seeded;
        rand_seeded_init(&seeded, 1);
        assert_int_equal(try_row(rows[i], &row), 0);
        enum notifier_result result = NOTIFIER_AGAIN;
        for (int n = 0; result != NOTIFIER_SENT && n < 400; n++) {
            struct arena *own = arena_new(1 * MIB);
            struct notifier_message message = {.to = &row, .payload = SLICE("{}"), .notice = &notice, .key = SLICE("k"), .arena = own};
            if (strcmp(rows[i], SLACK_BOT) == 0)
                message.address = SLICE("U024BE7LH");
            mem_fail_after(n);
            result = notifier_find(row.kind)->send(&message, &net, &seeded.rand, &answered, &why);
            mem_fail_after(-1);
            arena_free(own);
        }
        assert_int_equal(result, NOTIFIER_SENT);
    }
}

static void rows_say_what_is_wrong(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{kind: smoke, name: x}", "line 1: there is no kind of notifier 'smoke'; there are webhook, mail, slack, teams, discord, line, ntfy, pagerduty, opsgenie, sms, voice, syslog"},
        {"{kind: teams, name: x}", "line 1: a notifier of kind teams needs url: of the workflow's webhook; it is a secret: file:PATH and env:NAME are read"},
        {"{kind: teams, url: 'https://a.example/'}", "line 1: a notifier needs a name"},
        {"{kind: teams, name: x, urll: y}", "line 1: a notifier of kind teams has no option 'urll'; did you mean 'url'?; docs/reference/notifiers.md lists them"},
        {"{kind: teams, name: x, url: 'http://a.example/'}", "line 1: notifier x: only https URLs are asked; http needs allow_private"},
        {"{kind: teams, name: x, url: 'https://a.example:22/'}", "line 1: notifier x: port 22 is not asked: without allow_private only 443, 8443"},
        {"{kind: webhook, name: x, url: 'https://a.example/', secret: short}", "line 1: notifier x: a webhook needs a secret of 16 bytes or more, with which the receiver checks the signature"},
        {"{kind: mail, name: x, url: 'smtp://m.example', from: 'a b@example.jp'}", "line 1: notifier x: from: \"a b@example.jp\" is no mail address such as sato@example.jp"},
        {"{kind: mail, name: x, url: 'https://m.example', from: a@example.jp}", "line 1: notifier x: only smtps URLs are asked, not https"},
        {"{kind: sms, name: x, user: AC1, password: t, from: '090'}", "line 1: notifier x: from: \"090\" is no phone number; it is written such as +819012345678, without spaces"},
        {"{kind: syslog, name: x, url: 'udp://l.example:514'}", "line 1: notifier x: only tls URLs are asked; udp needs allow_private"},
        {"{kind: syslog, name: x, url: 'tls://l.example'}", "line 1: notifier x: \"tls://l.example\" has no port; it is a URL such as tls://host:6514"},
        {"{kind: pagerduty, name: x, secret: k}", "line 1: notifier x: a PagerDuty integration key has 32 letters and digits"},
        {"{kind: slack, name: x, to: C1}", "line 1: notifier x: `to` needs a bot's token as secret; an incoming webhook has its channel in its URL"},
        {"{kind: teams, name: x, url: 'env:HINOMI_NO_SUCH'}", "line 1: url: there is no environment variable HINOMI_NO_SUCH"},
        {"{kind: teams, name: x, url: 'https://a.example/', least: loud}", "line 1: least: low, medium, high or critical is needed"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct respond_notifier row;
        assert_int_equal(try_row(cases[i][0], &row), -1);
        assert_string_equal(why.text, cases[i][1]);
    }
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *address;
        bool fits;
    } cases[] = {
        {"mail", "sato@example.jp", true}, {"mail", "a.b+c@x.example.jp", true}, {"mail", "sato", false}, {"mail", "a@b\r\nRCPT TO:<x@y.z>", false},
        {"mail", "<a@b.example>", false}, {"mail", "a@b.example,c@d.example", false}, {"mail", "@example.jp", false}, {"mail", "a@localhost", false},
        {"sms", "+819012345678", true}, {"sms", "09012345678", false}, {"sms", "+81 90", false}, {"sms", "+0123456789", false},
        {"voice", "+14155552671", true}, {"voice", "+123456789012345678", false},
        {"slack", "U024BE7LH", true}, {"slack", "#general", false}, {"slack", "X024BE7LH", false},
        {"line", "U0123456789abcdef0123456789abcdef", true}, {"line", "U01", false}, {"line", "X0123456789abcdef0123456789abcdef", false},
        {"ntfy", "sato_phone-1", true}, {"ntfy", "a/b", false}, {"ntfy", "", false},
        {"opsgenie", "sato@example.jp", true}, {"opsgenie", "sato", false},
        {"pagerduty", "0123456789abcdef0123456789abcdef", true}, {"pagerduty", "x", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        bool fits = notifier_find(slice_text(cases[i].kind))->check_address(slice_text(cases[i].address), &why) == 0;
        if (fits != cases[i].fits)
            fail_msg("%s %s: %d", cases[i].kind, cases[i].address, fits);
    }
    for (size_t i = 0; notifier_kinds[i]; i++) /* whoever takes addresses says what they are */
        assert_true((notifier_kinds[i]->check_address != NULL) == (notifier_kinds[i]->address != NULL));
}

static void nobody_to_tell_is_a_mistake(void **state)
{
    (void)state;
    static const char *const some[] = {"{kind: mail, name: e, url: 'smtps://m.example', from: a@example.jp}", "{kind: line, name: e, secret: t}",
                                       "{kind: ntfy, name: e, url: 'https://ntfy.example'}",
                                       "{kind: sms, name: e, user: AC1, password: t, from: '+815012345678'}", "{kind: slack, name: e, secret: xoxb-1}"};
    struct notice notice = notice_of("opened");
    static const char *const places[] = {WEBHOOK, SLACK, SLACK_BOT, TEAMS, DISCORD, LINE, NTFY, PAGER, OPSGENIE, SMS, VOICE, MAIL, SYSLOG};
    struct respond_notifier row;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        assert_true(try_row(places[i], &row) == 0 && notifier_takes_news(&row));
    for (size_t i = 0; i < ARRAY_COUNT(some); i++) {
        assert_true(try_row(some[i], &row) == 0 && !notifier_takes_news(&row));
        assert_int_equal(tell(some[i], &notice, NULL), NOTIFIER_REFUSED);
        assert_non_null(strstr(why.text, "only persons with an address there can be told"));
    }
    assert_int_equal(there.requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_webhook_signs_with_two_keys_while_they_change),
        TEST(slack_gets_plain_texts_and_a_button),
        TEST(teams_gets_a_card),
        TEST(discord_mentions_nobody),
        TEST(line_is_sent_once),
        TEST(ntfy_rings_for_a_page),
        TEST(pagerduty_goes_with_the_incident),
        TEST(opsgenie_goes_with_the_incident),
        TEST(sms_and_voice_are_forms),
        TEST(a_mail_is_whole),
        TEST(syslog_is_one_frame),
        TEST(answers_are_judged_alike),
        TEST(attackers_words_are_only_words),
        TEST(long_texts_end_in_a_mark),
        TEST(memory_may_be_out),
        TEST(rows_say_what_is_wrong),
        TEST(addresses_are_checked),
        TEST(nobody_to_tell_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
