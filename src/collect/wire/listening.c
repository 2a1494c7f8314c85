#include "collect/wire/listening.h"

#include "event/ip.h"
#include "net/tls.h"

bool listening_is_loopback(const struct collector_settings *settings)
{
    struct ip ip;
    return ip_parse(settings_text(settings, "address"), &ip) && ip_is_loopback(&ip);
}

int listening_check_plain(const struct collector_settings *settings, struct err *err)
{
    struct slice address = settings_text(settings, "address");
    if (listening_is_loopback(settings) || settings_bool(settings, "insecure_plaintext"))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "%.*s would speak plain text on %.*s; listen on 127.0.0.1, use TLS, or say insecure_plaintext: true",
                   SLICE_ARG(settings->name), SLICE_ARG(address));
}

static int make_tls(const char *cert, const char *key, const struct collector_settings *settings,
                    struct tls_context **out, struct err *err)
{
    const char *client_ca = settings_string(settings, "client_ca");
    return tls_server_new(cert, key, client_ca, out, err);
}

int listening_check_tls(const struct collector_settings *settings, struct err *err)
{
    const char *cert = settings_string(settings, "certificate"), *key = settings_string(settings, "key");
    struct tls_context *tls;
    if (!cert != !key)
        return err_set(err, ERR_CONFIG, "%.*s: certificate and key come together", SLICE_ARG(settings->name));
    if (!cert)
        return 0;
    if (make_tls(cert, key, settings, &tls, err) < 0)
        return -1;
    tls_context_free(tls);
    return 0;
}

int listening_tls(const struct collector_host *host, const struct collector_settings *settings,
                  struct tls_context **out, struct err *err)
{
    const char *cert = settings_string(settings, "certificate"), *key = settings_string(settings, "key");
    return make_tls(cert ? cert : host->cert, key ? key : host->key, settings, out, err);
}
