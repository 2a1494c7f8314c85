#include "net/tls.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char PRIORITY[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:"
                               "+ECDHE-ECDSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:"
                               "+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%NO_TICKETS";

enum { RECORD_ROOM = 16 * 1024, PENDING_MAX = 1024 * 1024, VALID_DAYS = 3650 };

struct tls_context {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    bool ask_client;
};

struct tls_session {
    gnutls_session_t session;
    struct slice input;     /* what the network gave and GnuTLS has not read yet */
    struct buffer *output;  /* where its records go during a call */
    struct buffer leftover; /* input that came before it could be read */
    bool ready;
    char identity[256];
};

static int gnutls_err(struct err *err, int code, const char *what)
{
    return err_set(err, ERR_IO, "%s: %s", what, gnutls_strerror(code));
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    if (context->credentials)
        gnutls_certificate_free_credentials(context->credentials);
    if (context->priority)
        gnutls_priority_deinit(context->priority);
    mem_free(context);
}

static int load(struct tls_context *context, const char *cert_path, const char *key_path,
                const char *client_ca, struct err *err)
{
    int code = gnutls_certificate_allocate_credentials(&context->credentials);
    if (code < 0)
        return gnutls_err(err, code, "cannot set up TLS");
    code = gnutls_certificate_set_x509_key_file(context->credentials, cert_path, key_path,
                                                GNUTLS_X509_FMT_PEM);
    if (code < 0) {
        err_set(err, ERR_CONFIG, "cannot use the certificate %s with the key %s: %s", cert_path,
                key_path, gnutls_strerror(code));
        return -1;
    }
    if (client_ca) {
        code = gnutls_certificate_set_x509_trust_file(context->credentials, client_ca,
                                                      GNUTLS_X509_FMT_PEM);
        if (code <= 0)
            return err_set(err, ERR_CONFIG, "no certification authority can be read from %s",
                           client_ca);
        context->ask_client = true;
    }
    code = gnutls_priority_init(&context->priority, PRIORITY, NULL);
    return code < 0 ? gnutls_err(err, code, "cannot set the TLS ciphers") : 0;
}

int tls_server_new(const char *cert_path, const char *key_path, const char *client_ca,
                   struct tls_context **out, struct err *err)
{
    *out = mem_calloc(1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    if (load(*out, cert_path, key_path, client_ca, err) == 0)
        return 0;
    tls_context_free(*out);
    *out = NULL;
    return -1;
}

static ssize_t pull(gnutls_transport_ptr_t context, void *to, size_t len)
{
    struct tls_session *tls = context;
    if (tls->input.len == 0) {
        gnutls_transport_set_errno(tls->session, EAGAIN);
        return -1;
    }
    size_t n = len < tls->input.len ? len : tls->input.len;
    memcpy(to, tls->input.ptr, n);
    tls->input = slice_from(tls->input, n);
    return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t context, const void *from, size_t len)
{
    struct tls_session *tls = context;
    if (!tls->output) {
        gnutls_transport_set_errno(tls->session, EAGAIN);
        return -1;
    }
    buffer_put(tls->output, slice_of(from, len));
    return (ssize_t)len;
}

struct tls_session *tls_session_new(struct tls_context *context)
{
    struct tls_session *tls = mem_calloc(1, sizeof(*tls));
    if (!tls)
        return NULL;
    buffer_init(&tls->leftover, PENDING_MAX);
    if (gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        mem_free(tls);
        return NULL;
    }
    gnutls_priority_set(tls->session, context->priority);
    gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, context->credentials);
    if (context->ask_client) {
        gnutls_certificate_server_set_request(tls->session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert(tls->session, NULL, 0);
    }
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_pull_function(tls->session, pull);
    gnutls_transport_set_push_function(tls->session, push);
    return tls;
}

void tls_session_free(struct tls_session *session)
{
    if (!session)
        return;
    gnutls_deinit(session->session);
    buffer_close(&session->leftover);
    mem_free(session);
}

static void read_identity(struct tls_session *tls)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
    gnutls_x509_crt_t cert;
    if (!chain || !count || gnutls_x509_crt_init(&cert) < 0)
        return;
    size_t size = sizeof(tls->identity);
    if (gnutls_x509_crt_import(cert, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_crt_get_dn(cert, tls->identity, &size) < 0)
        tls->identity[0] = '\0';
    gnutls_x509_crt_deinit(cert);
}

static int shake_hands(struct tls_session *tls, struct err *err)
{
    int code = gnutls_handshake(tls->session);
    if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
        return 0;
    if (code < 0) {
        gnutls_alert_send_appropriate(tls->session, code);
        return gnutls_err(err, code, "the TLS handshake failed");
    }
    tls->ready = true;
    read_identity(tls);
    return 0;
}

static int read_records(struct tls_session *tls, struct buffer *plain, struct err *err)
{
    for (;;) {
        char *room = buffer_reserve(plain, RECORD_ROOM);
        if (!room)
            return err_nomem(err);
        ssize_t got = gnutls_record_recv(tls->session, room, RECORD_ROOM);
        if (got > 0)
            buffer_commit(plain, (size_t)got);
        else if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            return 0;
        else if (got == 0)
            return err_set(err, ERR_CLOSED, "the other side closed the TLS session");
        else if (gnutls_error_is_fatal((int)got))
            return gnutls_err(err, (int)got, "TLS");
    }
}

int tls_receive(struct tls_session *tls, struct slice bytes, struct buffer *plain,
                struct buffer *network, struct err *err)
{
    buffer_put(&tls->leftover, bytes);
    if (buffer_failed(&tls->leftover))
        return err_nomem(err);
    tls->input = buffer_slice(&tls->leftover);
    tls->output = network;
    int result = tls->ready ? 0 : shake_hands(tls, err);
    if (result == 0 && tls->ready)
        result = read_records(tls, plain, err);
    buffer_consume(&tls->leftover, tls->leftover.len - tls->input.len);
    tls->output = NULL;
    tls->input = SLICE_NONE;
    return buffer_failed(network) ? err_nomem(err) : result;
}

int tls_send(struct tls_session *tls, struct slice plain, struct buffer *network, struct err *err)
{
    if (!tls->ready)
        return err_set(err, ERR_IO, "TLS is not ready");
    tls->output = network;
    int result = 0;
    while (plain.len && result == 0) {
        ssize_t sent = gnutls_record_send(tls->session, plain.ptr, plain.len);
        if (sent < 0)
            result = gnutls_err(err, (int)sent, "TLS");
        else
            plain = slice_from(plain, (size_t)sent);
    }
    tls->output = NULL;
    return buffer_failed(network) ? err_nomem(err) : result;
}

bool tls_ready(const struct tls_session *session)
{
    return session->ready;
}

struct slice tls_identity(const struct tls_session *session)
{
    return session->identity[0] ? slice_text(session->identity) : SLICE_NONE;
}

static int fill_certificate(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, const char *host)
{
    unsigned char serial[16];
    time_t now = time(NULL);
    int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
    serial[0] &= 0x7f;
    if (code >= 0)
        code = gnutls_x509_crt_set_version(cert, 3);
    if (code >= 0)
        code = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
    if (code >= 0)
        code = gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, host,
                                             (unsigned)strlen(host));
    if (code >= 0)
        code = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, host,
                                                    (unsigned)strlen(host), GNUTLS_FSAN_SET);
    if (code >= 0)
        code = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                                    GNUTLS_FSAN_APPEND);
    if (code >= 0)
        code = gnutls_x509_crt_set_activation_time(cert, now - 3600);
    if (code >= 0)
        code = gnutls_x509_crt_set_expiration_time(cert, now + (time_t)VALID_DAYS * 86400);
    if (code >= 0)
        code = gnutls_x509_crt_set_basic_constraints(cert, 0, -1);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code >= 0)
        code = gnutls_x509_crt_set_key(cert, key);
    return code < 0 ? code : gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
}

static int write_private(const char *path, gnutls_datum_t pem, mode_t mode, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot create %s", path);
    ssize_t wrote = write(fd, pem.data, pem.size);
    int result = wrote == (ssize_t)pem.size ? fsync(fd) : -1;
    int saved = errno;
    close(fd);
    return result < 0 ? err_set_errno(err, saved, "cannot write %s", path) : 0;
}

static int generate(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, const char *cert_path,
                    const char *key_path, const char *host, struct err *err)
{
    gnutls_datum_t cert_pem = {0}, key_pem = {0};
    int code = gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code >= 0)
        code = fill_certificate(cert, key, host);
    if (code >= 0)
        code = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &cert_pem);
    if (code >= 0)
        code = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);
    int result = code < 0 ? gnutls_err(err, code, "cannot make a certificate") : 0;
    if (result == 0 && (unlink(key_path) == 0 || errno == ENOENT))
        result = write_private(key_path, key_pem, 0600, err);
    if (result == 0)
        result = write_private(cert_path, cert_pem, 0644, err);
    gnutls_free(cert_pem.data);
    gnutls_free(key_pem.data);
    return result;
}

int tls_make_self_signed(const char *cert_path, const char *key_path, const char *host,
                         struct err *err)
{
    gnutls_x509_crt_t cert;
    gnutls_x509_privkey_t key;
    if (access(cert_path, F_OK) == 0)
        return 0;
    if (gnutls_x509_crt_init(&cert) < 0)
        return err_nomem(err);
    if (gnutls_x509_privkey_init(&key) < 0) {
        gnutls_x509_crt_deinit(cert);
        return err_nomem(err);
    }
    int result = generate(cert, key, cert_path, key_path, host, err);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
    return result;
}

/* The first certificate in the file, for gnutls_x509_crt_deinit(). */
static int read_cert(const char *cert_path, gnutls_x509_crt_t *cert, struct err *err)
{
    gnutls_datum_t pem;
    int code = gnutls_load_file(cert_path, &pem);
    if (code < 0)
        return gnutls_err(err, code, cert_path);
    code = gnutls_x509_crt_init(cert);
    if (code >= 0) {
        code = gnutls_x509_crt_import(*cert, &pem, GNUTLS_X509_FMT_PEM);
        if (code < 0)
            gnutls_x509_crt_deinit(*cert);
    }
    gnutls_free(pem.data);
    return code < 0 ? gnutls_err(err, code, cert_path) : 0;
}

int tls_fingerprint(const char *cert_path, char to[TLS_FINGERPRINT_SIZE], struct err *err)
{
    gnutls_x509_crt_t cert;
    unsigned char digest[32];
    size_t size = sizeof(digest);
    if (read_cert(cert_path, &cert, err) < 0)
        return -1;
    int code = gnutls_x509_crt_get_fingerprint(cert, GNUTLS_DIG_SHA256, digest, &size);
    gnutls_x509_crt_deinit(cert);
    if (code < 0)
        return gnutls_err(err, code, cert_path);
    for (size_t i = 0; i < size; i++)
        snprintf(to + 3 * i, 4, "%02X%s", digest[i], i + 1 < size ? ":" : "");
    return 0;
}

int tls_expires(const char *cert_path, int64_t *time_ns, struct err *err)
{
    gnutls_x509_crt_t cert;
    if (read_cert(cert_path, &cert, err) < 0)
        return -1;
    time_t end = gnutls_x509_crt_get_expiration_time(cert);
    gnutls_x509_crt_deinit(cert);
    if (end == (time_t)-1)
        return err_set(err, ERR_INPUT, "%s does not say until when it is valid", cert_path);
    *time_ns = end > INT64_MAX / NS_PER_SECOND ? INT64_MAX : (int64_t)end * NS_PER_SECOND;
    return 0;
}
