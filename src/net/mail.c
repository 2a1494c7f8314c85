#include "net/mail.h"

#include "net/target.h"

#include <stdio.h>

enum { ADDRESS_MAX = 320 };

static const struct net_scheme schemes[] = {{"smtps", false}, {"smtp", false}, {NULL, false}};
static const uint16_t ports[] = {25, 465, 587, 2525, 0};
static const struct net_rule rule = {schemes, ports, "smtps://host or smtp://host:587"};

struct sending {
    struct slice rest; /* of the message */
    struct mail_reply *reply;
};

static size_t give(char *to, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    size_t len = size * count < sending->rest.len ? size * count : sending->rest.len;
    memcpy(to, sending->rest.ptr, len);
    sending->rest = slice_from(sending->rest, len);
    return len;
}

/* The server's lines as they come: "250-...", then "250 ...". */
static size_t take_line(char *bytes, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    struct slice line = slice_trim(slice_of(bytes, size * count));
    uint64_t status;
    if (line.len < 3 || !slice_to_u64(slice_sub(line, 0, 3), &status))
        return size * count;
    sending->reply->status = (int)status;
    size_t len = line.len < MAIL_LINE_SIZE - 1 ? line.len : MAIL_LINE_SIZE - 1;
    for (size_t i = 0; i < len; i++)
        sending->reply->line[i] = line.ptr[i] < ' ' || line.ptr[i] > '~' ? '?' : line.ptr[i];
    sending->reply->line[len] = '\0';
    return size * count;
}

static int address_text(struct slice address, char to[ADDRESS_MAX], struct err *err)
{
    bool fits = address.len > 0 && address.len < ADDRESS_MAX - 2;
    for (size_t i = 0; fits && i < address.len; i++)
        fits = address.ptr[i] > ' ' && address.ptr[i] < 0x7f && address.ptr[i] != '<' && address.ptr[i] != '>';
    if (!fits)
        return err_set(err, ERR_CONFIG, "\"%.*s\" is no mail address", SLICE_ARG(address));
    snprintf(to, ADDRESS_MAX, "<%.*s>", SLICE_ARG(address));
    return 0;
}

static void set_mail(const struct late_curl *lib, CURL *curl, const struct mail_request *request, struct net_target *target,
                     struct sending *sending)
{
    bool home = net_target_is_loopback(target);
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : MAIL_TIMEOUT_MS;
    net_target_hold(target, curl, request->ca_file);
    lib->easy_setopt(curl, CURLOPT_URL, target->url);
    lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtps,smtp");
    lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, net_target_left_ms(target, timeout_ms));
    lib->easy_setopt(curl, CURLOPT_USE_SSL, home ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    lib->easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    lib->easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->rest.len);
    lib->easy_setopt(curl, CURLOPT_READFUNCTION, give);
    lib->easy_setopt(curl, CURLOPT_READDATA, sending);
    lib->easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
    lib->easy_setopt(curl, CURLOPT_HEADERDATA, sending);
}

/* Texts for libcurl, which copies them. */
static int set_who(const struct late_curl *lib, CURL *curl, const struct mail_request *request, struct curl_slist **to, struct err *err)
{
    char from[ADDRESS_MAX], rcpt[ADDRESS_MAX], word[1024];
    if (address_text(request->from, from, err) < 0 || address_text(request->to, rcpt, err) < 0)
        return -1;
    *to = lib->slist_append(NULL, rcpt);
    if (!*to || lib->easy_setopt(curl, CURLOPT_MAIL_FROM, from) != CURLE_OK)
        return err_nomem(err);
    lib->easy_setopt(curl, CURLOPT_MAIL_RCPT, *to);
    if (!request->user.len)
        return 0;
    if (request->user.len >= sizeof(word) || request->password.len >= sizeof(word))
        return err_set(err, ERR_CONFIG, "the mail server's user or password is longer than %zu bytes", sizeof(word) - 1);
    snprintf(word, sizeof(word), "%.*s", SLICE_ARG(request->user));
    lib->easy_setopt(curl, CURLOPT_USERNAME, word);
    snprintf(word, sizeof(word), "%.*s", SLICE_ARG(request->password));
    lib->easy_setopt(curl, CURLOPT_PASSWORD, word);
    return 0;
}

static int hand_over(CURL *curl, const struct late_curl *lib, struct net_target *target, struct mail_reply *reply, struct err *err)
{
    char text[CURL_ERROR_SIZE] = "";
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    CURLcode code = lib->easy_perform(curl);
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    lib->easy_setopt(curl, CURLOPT_HEADERFUNCTION, NULL); /* the last words are about QUIT */
    lib->easy_setopt(curl, CURLOPT_HEADERDATA, NULL);
    if (code == CURLE_OK)
        return 0;
    bool said = reply->status >= 400 && !target->refused;
    if (!said) /* what failed is no answer of the server's */
        reply->status = 0;
    return said ? err_set(err, ERR_IO, "%s: the mail server said: %s", target->name, reply->line)
                : net_target_fail(target, code, text, err);
}

int mail_real(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err)
{
    struct net_target target;
    struct sending sending = {request->message, reply};
    struct curl_slist *to = NULL;
    int result = -1;
    const struct late_curl *lib = late_curl(err);
    *reply = (struct mail_reply){0};
    if (!lib || net_target_open(net, request->url, &rule, request->allow_private, &target, err) < 0)
        return -1;
    CURL *curl = lib->easy_init();
    if (!curl) {
        err_nomem(err);
    } else if (set_who(lib, curl, request, &to, err) == 0) {
        set_mail(lib, curl, request, &target, &sending);
        result = hand_over(curl, lib, &target, reply, err);
    }
    lib->easy_cleanup(curl);
    lib->slist_free_all(to);
    net_target_close(&target);
    return result;
}

int mail_send(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err)
{
    return net->mail(net, request, reply, err);
}

int mail_check(struct slice url, bool allow_private, struct err *err)
{
    struct net_target target;
    if (net_target_read(url, &rule, allow_private, &target, err) < 0)
        return -1;
    net_target_close(&target);
    return 0;
}
