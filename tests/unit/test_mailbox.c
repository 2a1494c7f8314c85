/* Mails that answer notices: found in every dress, programs' own left out, and marked as read only when they were taken. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "net/wire.h"
#include "respond/notify/mail_reply.h"
#include "respond/notify/mailbox.h"

#include <stdio.h>
#include <stdlib.h>

static struct slice read_corpus(const char *name, char *to, size_t size)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/fuzz/corpus/fuzz_mail_reply/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(to, 1, size, file);
    fclose(file);
    return slice_of(to, len);
}

static void the_mark_is_found_in_every_dress(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool found, automatic;
    } cases[] = {{"subject", true, false}, {"words", true, false},     {"quoted", true, false}, {"base64", true, false},
                 {"multipart", true, false}, {"away", true, true},     {"bounce", true, true},  {"nested", false, false},
                 {"cut", false, false}};
    static char text[64 * 1024];
    struct arena *arena = arena_new(64 * MIB);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct mail_reply_found found;
        mail_reply_read(read_corpus(cases[i].name, text, sizeof(text)), arena, &found);
        if (slice_is(found.token, "tok-12345_AB") != cases[i].found || found.automatic != cases[i].automatic)
            fail_msg("%s: token \"%.*s\", automatic %d", cases[i].name, SLICE_ARG(found.token), found.automatic);
        if (cases[i].found && !cases[i].automatic)
            assert_true(slice_is(found.from, "sato@example.jp"));
    }
    arena_free(arena);
}

static void what_is_no_mark_is_none(void **state)
{
    (void)state;
    static const char *const mails[] = {"Subject: [HIN:short]\r\n\r\n", "Subject: [HIN:with space1]\r\n\r\n", "Subject: [HIN:tok12345\r\n\r\n", "",
                                        "\r\n", "Subject: [HIN:]\r\n\r\n[HIN:a\"b'c;d(e)]", "Content-Type: image/png\r\n\r\n[HIN:tok12345]"};
    struct arena *arena = arena_new(4 * MIB);
    for (size_t i = 0; i < ARRAY_COUNT(mails); i++) {
        struct mail_reply_found found;
        mail_reply_read(slice_text(mails[i]), arena, &found);
        assert_int_equal(found.token.len, 0);
    }
    arena_free(arena);
}

/* ---- a mail server of our own ---- */

struct server {
    struct wire wire;
    const char *mails[8]; /* by UID from 1 */
    bool seen[8];
    char out[8192];
    size_t out_len, out_at;
    unsigned validity;
    int signed_in, piece; /* bytes that come at a time */
    bool refuses, breaks;
};

static struct server server;

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(server.out + server.out_len, sizeof(server.out) - server.out_len, format, args);
    va_end(args);
    assert_true(len > 0 && server.out_len + (size_t)len < sizeof(server.out));
    server.out_len += (size_t)len;
}

static void answer_search(unsigned first)
{
    say("* SEARCH");
    for (unsigned i = 1; i < 8; i++)
        if (server.mails[i] && !server.seen[i] && i >= first)
            say(" %u", i);
    say("\r\n");
}

static int server_send(struct wire *wire, struct slice bytes, struct err *err)
{
    char line[1024], tag[16];
    unsigned n = 0;
    (void)wire;
    snprintf(line, sizeof(line), "%.*s", SLICE_ARG(bytes));
    assert_int_equal(sscanf(line, "%15s", tag), 1);
    const char *words = line + strlen(tag) + 1;
    if (server.breaks && strncmp(words, "UID FETCH", 9) == 0)
        return err_set(err, ERR_IO, "it broke off");
    if (strncmp(words, "LOGIN", 5) == 0) {
        assert_string_equal(words, "LOGIN \"hinomi\" \"p\\\"w\\\\\"\r\n");
        server.signed_in++;
        if (server.refuses) {
            say("%s NO [AUTHENTICATIONFAILED] wrong\r\n", tag);
            return 0;
        }
    } else if (strncmp(words, "SELECT", 6) == 0) {
        assert_string_equal(words, "SELECT \"Answers\"\r\n");
        say("* 3 EXISTS\r\n* OK [UIDVALIDITY %u] ok\r\n", server.validity);
    } else if (sscanf(words, "UID SEARCH UNSEEN UID %u:*", &n) == 1) {
        answer_search(n);
    } else if (sscanf(words, "UID FETCH %u", &n) == 1) {
        assert_non_null(strstr(words, "BODY.PEEK[]<0."));
        say("* %u FETCH (UID %u BODY[]<0> {%zu}\r\n%s)\r\n", n, n, strlen(server.mails[n]), server.mails[n]);
    } else if (sscanf(words, "UID STORE %u +FLAGS.SILENT (\\Seen)", &n) == 1) {
        server.seen[n] = true;
    }
    say("%s OK done\r\n", tag);
    return 0;
}

static int server_receive(struct wire *wire, struct buffer *to, struct err *err)
{
    (void)wire;
    size_t len = server.out_len - server.out_at;
    if (!len)
        return err_set(err, ERR_CLOSED, "closed");
    if (server.piece && len > (size_t)server.piece)
        len = (size_t)server.piece;
    buffer_put(to, slice_of(server.out + server.out_at, len));
    server.out_at += len;
    return 0;
}

static void server_close(struct wire *wire)
{
    (void)wire;
    server.out_len = server.out_at = 0;
}

static int connect_server(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err)
{
    (void)net, (void)request, (void)err;
    say("* OK ready\r\n");
    *out = &server.wire;
    return 0;
}

static const struct hin_net net = {.wire = connect_server};

static struct {
    char text[512];
    enum mailbox_result result;
} told;

static enum mailbox_result on_reply(void *context, struct slice token, struct slice from)
{
    (void)context;
    size_t len = strlen(told.text);
    snprintf(told.text + len, sizeof(told.text) - len, "%.*s by %.*s;", SLICE_ARG(token), SLICE_ARG(from));
    return told.result;
}

static const struct mailbox_config config = {
    .url = {"imaps://mail.example/Answers", 28}, .user = {"hinomi", 6}, .password = {"p\"w\\", 4}, .net = &net, .reply = on_reply};

static int set_up(void **state)
{
    (void)state;
    memset(&server, 0, sizeof(server));
    memset(&told, 0, sizeof(told));
    server.wire = (struct wire){server_send, server_receive, server_close};
    server.validity = 7;
    server.mails[1] = "From: shop@example.jp\r\nSubject: offer\r\n\r\nA9 OK [HIN:no]\r\n";
    server.mails[2] = "From: Sato <sato@example.jp>\r\nSubject: Re: x [HIN:tok-1234]\r\n\r\n* 9 FETCH {5}\r\nA4 OK\r\n";
    server.mails[3] = "From: ito@example.jp\r\nSubject: Away [HIN:tok-5678]\r\nAuto-Submitted: auto-replied\r\n\r\n";
    return 0;
}

static void what_was_taken_is_marked_and_nothing_else(void **state)
{
    (void)state;
    struct mailbox_place place = {0};
    struct err err;
    for (server.piece = 0; server.piece < 4; server.piece++) {
        place = (struct mailbox_place){0};
        memset(server.seen, 0, sizeof(server.seen));
        told.text[0] = '\0';
        int taken = mailbox_round(&config, &place, &err);
        if (taken < 0)
            fail_msg("%s", err.text);
        assert_int_equal(taken, 1);
        assert_string_equal(told.text, "tok-1234 by sato@example.jp;");
        assert_true(!server.seen[1] && server.seen[2] && !server.seen[3]);
    }
    assert_int_equal(place.next, 4);
    assert_int_equal(mailbox_round(&config, &place, &err), 0); /* looked at once */
    server.validity = 8; /* another folder of the same name */
    server.seen[2] = false;
    assert_int_equal(mailbox_round(&config, &place, &err), 1);
}

static void what_cannot_be_taken_now_comes_again(void **state)
{
    (void)state;
    struct mailbox_place place = {0};
    struct err err;
    told.result = MAILBOX_LATER;
    assert_int_equal(mailbox_round(&config, &place, &err), 0);
    assert_false(server.seen[2]);
    told.result = MAILBOX_TAKEN;
    assert_int_equal(mailbox_round(&config, &place, &err), 1);
    assert_true(server.seen[2]);
    assert_string_equal(told.text, "tok-1234 by sato@example.jp;tok-1234 by sato@example.jp;");
}

static void a_server_that_says_no_is_told(void **state)
{
    (void)state;
    struct mailbox_place place = {0};
    struct err err;
    server.refuses = true;
    assert_int_equal(mailbox_round(&config, &place, &err), -1);
    assert_string_equal(err.text, "signing in: the mail server said: NO [AUTHENTICATIONFAILED] wrong");
    server.refuses = false;
    server.breaks = true;
    assert_int_equal(mailbox_round(&config, &place, &err), -1);
    assert_string_equal(err.text, "reading a mail: it broke off");
    server.breaks = false;
    assert_int_equal(mailbox_round(&config, &place, &err), 1);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    struct err err;
    int taken = -1;
    for (int n = 0; taken != 1; n++) {
        struct mailbox_place place = {0};
        memset(server.seen, 0, sizeof(server.seen));
        server.out_len = server.out_at = 0;
        mem_fail_after(n);
        taken = mailbox_round(&config, &place, &err);
        mem_fail_after(-1);
        assert_true(n < 2000);
    }
}

static void a_mistake_in_the_configuration_is_said(void **state)
{
    (void)state;
    struct err err;
    struct mailbox_config wrong = config;
    wrong.url = SLICE("https://mail.example/");
    assert_int_equal(mailbox_check(&wrong, &err), -1);
    assert_string_equal(err.text, "the mailbox's url is such as imaps://imap.example.jp/INBOX");
    wrong.url = SLICE("imap://mail.example/");
    assert_int_equal(mailbox_check(&wrong, &err), -1);
    assert_string_equal(err.text, "only tls URLs are asked; imap needs allow_private");
    wrong = config;
    wrong.password = SLICE("");
    assert_int_equal(mailbox_check(&wrong, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_is_found_in_every_dress),
        cmocka_unit_test(what_is_no_mark_is_none),
        cmocka_unit_test_setup(what_was_taken_is_marked_and_nothing_else, set_up),
        cmocka_unit_test_setup(what_cannot_be_taken_now_comes_again, set_up),
        cmocka_unit_test_setup(a_server_that_says_no_is_told, set_up),
        cmocka_unit_test_setup(memory_may_be_out, set_up),
        cmocka_unit_test(a_mistake_in_the_configuration_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
