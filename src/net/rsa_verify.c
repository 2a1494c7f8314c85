#include "net/rsa_verify.h"

#include "base/mem.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

struct rsa_public {
    gnutls_pubkey_t key;
};

static gnutls_datum_t datum(struct slice text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
}

static int import_certificate(gnutls_pubkey_t key, const gnutls_datum_t *text)
{
    gnutls_x509_crt_t certificate;
    int code = gnutls_x509_crt_init(&certificate);
    if (code < 0)
        return code;
    code = gnutls_x509_crt_import(certificate, text, GNUTLS_X509_FMT_PEM);
    if (code >= 0)
        code = gnutls_pubkey_import_x509(key, certificate, 0);
    gnutls_x509_crt_deinit(certificate);
    return code;
}

static int import(gnutls_pubkey_t key, struct slice pem, struct err *err)
{
    gnutls_datum_t text = datum(pem);
    bool certificate = slice_find(pem, SLICE("BEGIN CERTIFICATE")) >= 0;
    unsigned bits = 0;
    int code = certificate ? import_certificate(key, &text) : gnutls_pubkey_import(key, &text, GNUTLS_X509_FMT_PEM);
    if (code < 0)
        return err_set(err, ERR_CONFIG, "the public key cannot be read: %s; a PEM text that begins with -----BEGIN PUBLIC KEY----- is needed",
                       gnutls_strerror(code));
    if (gnutls_pubkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA || bits < RSA_BITS_MIN)
        return err_set(err, ERR_CONFIG, "the public key is not one of RSA with %d bits or more", RSA_BITS_MIN);
    return 0;
}

int rsa_public_read(struct slice pem, struct rsa_public **out, struct err *err)
{
    struct rsa_public *made = mem_calloc(1, sizeof(*made));
    *out = NULL;
    if (!made)
        return err_nomem(err);
    if (gnutls_pubkey_init(&made->key) < 0) {
        mem_free(made);
        return err_nomem(err);
    }
    if (import(made->key, pem, err) < 0) {
        rsa_public_free(made);
        return -1;
    }
    *out = made;
    return 0;
}

void rsa_public_free(struct rsa_public *key)
{
    if (!key)
        return;
    gnutls_pubkey_deinit(key->key);
    mem_free(key);
}

int rsa_verify_sha256(const struct rsa_public *key, struct slice data, struct slice signature, struct err *err)
{
    gnutls_datum_t signed_data = datum(data), by = datum(signature);
    if (gnutls_pubkey_verify_data2(key->key, GNUTLS_SIGN_RSA_SHA256, 0, &signed_data, &by) >= 0)
        return 0;
    return err_set(err, ERR_DENIED, "the signature is not of this key");
}
