#pragma once
/*
 * net/tls: TLS 1.2+ over bytes in memory (GnuTLS), for connections of net/conn.
 *
 * Policy     TLS 1.3 and 1.2 with ECDHE and AEAD only (sec/T1).
 * Ownership  A context outlives its sessions.
 * Threads    A context may be shared; a session belongs to its loop's thread.
 */
#include "base/buffer.h"
#include "base/err.h"

struct tls_context;
struct tls_session;

/* A server's certificate and key in PEM. client_ca (a PEM file) asks clients for certificates
 * signed by it and refuses those without; NULL does not. */
MUST_USE int tls_server_new(const char *cert_path, const char *key_path, const char *client_ca,
                            struct tls_context **out, struct err *err);
void tls_context_free(struct tls_context *context); /* NULL is fine */

/* Makes a self-signed certificate for the host name when cert_path does not exist (key 0600).
 * valid ten years: a first start must work without a certification authority. */
MUST_USE int tls_make_self_signed(const char *cert_path, const char *key_path, const char *host,
                                  struct err *err);
/* SHA-256 of the first certificate in the file, as AA:BB:... */
enum { TLS_FINGERPRINT_SIZE = 96 };
MUST_USE int tls_fingerprint(const char *cert_path, char to[TLS_FINGERPRINT_SIZE], struct err *err);
/* Until when that certificate is valid, ns since 1970. */
MUST_USE int tls_expires(const char *cert_path, int64_t *time_ns, struct err *err);

MUST_USE struct tls_session *tls_session_new(struct tls_context *context);
void tls_session_free(struct tls_session *session);

/* Bytes from the network in, plain bytes out (appended); replies of the protocol are appended to
 * network. -1 when the connection must be closed (network may still hold an alert to send). */
MUST_USE int tls_receive(struct tls_session *session, struct slice bytes, struct buffer *plain,
                         struct buffer *network, struct err *err);
/* Plain bytes in, network bytes out. Before the handshake is done it is -1. */
MUST_USE int tls_send(struct tls_session *session, struct slice plain, struct buffer *network,
                      struct err *err);
bool tls_ready(const struct tls_session *session);
/* The subject of the verified client certificate, or SLICE_NONE. Lives as long as the session. */
struct slice tls_identity(const struct tls_session *session);
