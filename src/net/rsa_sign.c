#include "net/rsa_sign.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static gnutls_datum_t datum(struct slice text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
}

static int read_key(gnutls_privkey_t key, struct slice pem, struct err *err)
{
    gnutls_datum_t text = datum(pem);
    int code = gnutls_privkey_import_x509_raw(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0)
        return err_set(err, ERR_CONFIG, "the private key cannot be read: %s; a PEM text that begins with -----BEGIN PRIVATE KEY----- is needed",
                       gnutls_strerror(code));
    if (gnutls_privkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_RSA)
        return err_set(err, ERR_CONFIG, "the private key is not one of RSA, which is needed for RS256");
    return 0;
}

int rsa_sign_sha256(struct slice pem, struct slice data, struct buffer *to, struct err *err)
{
    gnutls_privkey_t key;
    gnutls_datum_t signature = {0}, signed_data = datum(data);
    if (gnutls_privkey_init(&key) < 0)
        return err_nomem(err);
    int result = read_key(key, pem, err);
    if (result == 0) {
        int code = gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &signed_data, &signature);
        if (code < 0)
            result = err_set(err, ERR_CONFIG, "the private key cannot sign: %s", gnutls_strerror(code));
    }
    buffer_put(to, slice_of((const char *)signature.data, signature.size));
    gnutls_free(signature.data);
    gnutls_privkey_deinit(key);
    return result == 0 && buffer_failed(to) ? err_nomem(err) : result;
}
