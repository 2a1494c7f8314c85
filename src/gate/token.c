#include "gate/token.h"

#include "base/rand.h"
#include "gate/gate_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>

#define CANONICAL_MAX (GATE_PAYLOAD_BYTES_MAX + 64 * KIB)

enum { MAC_SIZE = 32 };

static int make_key(const struct hin_io *io, const char *path, struct token_key *out,
                    struct err *err)
{
    const struct hin_rand *rand = rand_real();
    int fd = io->open(io->context, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot make %s", path);
    rand->fill(rand->context, out->bytes, sizeof(out->bytes));
    int result = io_write_all(io, fd, slice_of(out->bytes, sizeof(out->bytes)), 0, path, err);
    if (result == 0 && io->fdatasync(io->context, fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", path);
    io->close(io->context, fd);
    if (result < 0)
        (void)io->unlink(io->context, path); /* half a key would hold everything for ever */
    return result;
}

int token_key_load(const struct hin_io *io, const char *path, struct token_key *out,
                   struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium cannot start");
    int fd = io->open(io->context, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT)
        return make_key(io, path, out, err);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot read %s", path);
    int result = 0;
    if (io->size(io->context, fd) != TOKEN_KEY_SIZE)
        result = err_set(err, ERR_CORRUPT, "%s does not hold %d bytes of key", path, TOKEN_KEY_SIZE);
    else
        result = io_read_all(io, fd, out->bytes, sizeof(out->bytes), 0, path, err);
    io->close(io->context, fd);
    return result;
}

void token_gate_id(const struct token_key *key, char to[GATE_ID_SIZE])
{
    static const char name[] = "hinomi gate id 1";
    unsigned char hash[(GATE_ID_SIZE - 1) / 2];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)name, sizeof(name) - 1, key->bytes,
                       sizeof(key->bytes));
    sodium_bin2hex(to, GATE_ID_SIZE, hash, sizeof(hash));
}

static void put_number(struct buffer *to, int64_t n)
{
    char text[24], *at = text + sizeof(text);
    for (uint64_t rest = (uint64_t)n; rest || at == text + sizeof(text); rest /= 10) /* a request's times are not negative */
        *--at = (char)('0' + rest % 10);
    gate_text_put(to, slice_of(at, (size_t)(text + sizeof(text) - at)));
}

/* 1.50 and 1.5 are the same amount, so they are the same bytes. */
static void put_amount(struct buffer *to, const struct gate_request *request)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t len = request->has_amount ? decimal_format(decimal_trim(request->amount), text) : 0;
    gate_text_put(to, slice_of(text, len));
}

void request_canonical(const struct gate_request *request, struct buffer *to)
{
    gate_text_put(to, request->request_id);
    gate_text_put(to, request->action);
    gate_text_put(to, request->account);
    gate_text_put(to, request->asset);
    put_amount(to, request);
    gate_text_put(to, request->wallet);
    gate_text_put(to, request->destination);
    put_number(to, request->at_ns);
    gate_text_put(to, request->nonce);
    put_number(to, request->expiry_ns);
    if (request->payload.len) /* the bytes of requests without are as they always were */
        gate_text_put(to, request->payload);
}

bool request_digest(const struct gate_request *request, unsigned char out[REQUEST_DIGEST_SIZE])
{
    struct buffer bytes;
    buffer_init(&bytes, CANONICAL_MAX);
    request_canonical(request, &bytes);
    bool ok = !buffer_failed(&bytes);
    if (ok)
        crypto_generichash(out, REQUEST_DIGEST_SIZE, (const unsigned char *)bytes.ptr, bytes.len,
                           NULL, 0);
    buffer_close(&bytes);
    return ok;
}

static bool make_mac(const struct token_key *key, const struct gate_request *request,
                     int64_t expiry_ns, unsigned char mac[MAC_SIZE])
{
    struct buffer bytes;
    buffer_init(&bytes, CANONICAL_MAX);
    request_canonical(request, &bytes);
    buffer_put_le64(&bytes, (uint64_t)expiry_ns);
    bool ok = !buffer_failed(&bytes);
    if (ok)
        crypto_generichash(mac, MAC_SIZE, (const unsigned char *)bytes.ptr, bytes.len, key->bytes,
                           sizeof(key->bytes));
    buffer_close(&bytes);
    return ok;
}

size_t token_make(const struct token_key *key, const struct gate_request *request,
                  int64_t expiry_ns, char to[GATE_TOKEN_SIZE])
{
    unsigned char mac[MAC_SIZE];
    char hex[2 * MAC_SIZE + 1];
    if (!make_mac(key, request, expiry_ns, mac))
        return 0;
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    int len = snprintf(to, GATE_TOKEN_SIZE, "hgt1.%lld.%s", (long long)expiry_ns, hex);
    return len > 0 && len < GATE_TOKEN_SIZE ? (size_t)len : 0;
}

int token_check(const struct token_key *key, const struct gate_request *request,
                struct slice token, int64_t now_ns, struct err *err)
{
    struct slice kind, expiry;
    int64_t expiry_ns;
    char want[GATE_TOKEN_SIZE];
    struct slice rest = token;
    if (!slice_next_part(&rest, '.', &kind) || !slice_is(kind, "hgt1") ||
        !slice_next_part(&rest, '.', &expiry) || !slice_to_i64(expiry, &expiry_ns))
        return err_set(err, ERR_DENIED, "this is not a token of the gate");
    size_t len = token_make(key, request, expiry_ns, want);
    if (!len)
        return err_nomem(err);
    if (len != token.len || sodium_memcmp(want, token.ptr, len) != 0)
        return err_set(err, ERR_DENIED, "the token does not belong to this request");
    if (now_ns >= expiry_ns || now_ns < expiry_ns - GATE_TOKEN_LIFE_NS)
        return err_set(err, ERR_DENIED, "the token has expired");
    return 0;
}
