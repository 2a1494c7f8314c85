#include "net/jws.h"

#include "base/json.h"
#include "net/rsa_sign.h"

#include <sodium.h>

enum { SIGNATURE_BYTES_MAX = 4096 };

static int decode(struct slice text, struct arena *arena, struct slice *out, struct err *err)
{
    const char *end;
    size_t len = 0, room = text.len / 4 * 3 + 3;
    unsigned char *bytes = arena_alloc(arena, room);
    if (!bytes)
        return err_nomem(err);
    if (!text.len || sodium_base642bin(bytes, room, text.ptr, text.len, NULL, &len, &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0 ||
        end != text.ptr + text.len)
        return err_set(err, ERR_INPUT, "a part of the signed text is not base64url");
    *out = slice_of(bytes, len);
    return 0;
}

int jws_split(struct slice text, struct arena *arena, struct jws *out, struct err *err)
{
    struct slice head, payload, rest, signature;
    *out = (struct jws){0};
    if (!slice_cut(text, '.', &head, &rest) || !slice_cut(rest, '.', &payload, &signature) || slice_find_char(signature, '.') >= 0)
        return err_set(err, ERR_INPUT, "a signed text has three parts with points between them");
    out->signed_part = slice_sub(text, 0, head.len + 1 + payload.len);
    return decode(head, arena, &out->head, err) < 0 || decode(payload, arena, &out->payload, err) < 0 ||
                   decode(signature, arena, &out->signature, err) < 0
               ? -1
               : 0;
}

static void put_encoded(struct buffer *to, struct slice bytes)
{
    size_t from = to->len;
    buffer_put_base64(to, bytes);
    while (to->len > from && to->ptr[to->len - 1] == '=')
        to->len--;
    for (size_t i = from; i < to->len; i++)
        to->ptr[i] = to->ptr[i] == '+' ? '-' : to->ptr[i] == '/' ? '_' : to->ptr[i];
}

int jws_sign_rs256(struct slice pem, struct slice head, struct slice payload, struct buffer *to, struct err *err)
{
    struct buffer signature;
    size_t from = to->len;
    put_encoded(to, head);
    buffer_put_char(to, '.');
    put_encoded(to, payload);
    if (buffer_failed(to))
        return err_nomem(err);
    buffer_init(&signature, SIGNATURE_BYTES_MAX);
    int result = rsa_sign_sha256(pem, slice_from(buffer_slice(to), from), &signature, err);
    buffer_put_char(to, '.');
    put_encoded(to, buffer_slice(&signature));
    buffer_close(&signature);
    return result == 0 && buffer_failed(to) ? err_nomem(err) : result;
}
