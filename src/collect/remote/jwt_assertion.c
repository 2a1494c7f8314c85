#include "collect/remote/jwt_assertion.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "cut/json_tree.h"
#include "net/jws.h"

enum { PART_BYTES_MAX = 4 * SECRET_BYTES_MAX };

int jwt_key_read(struct slice text, struct arena *arena, struct jwt_key *out, struct err *err)
{
    const struct json_node *file;
    text = slice_trim(text);
    *out = (struct jwt_key){text, SLICE_NONE, SLICE_NONE};
    if (!slice_starts(text, SLICE("{")))
        return 0;
    if (json_tree_parse(text, arena, &file, err) < 0 || json_want_text(file, "private_key", &out->pem, err) < 0)
        return err_within(err, "the private key is JSON, but no key file of a service account");
    out->key_id = json_text_of(json_get(file, "private_key_id"), SLICE_NONE);
    out->issuer = json_text_of(json_get(file, "client_email"), SLICE_NONE);
    return 0;
}

static void put_text(struct json *json, const char *name, struct slice value)
{
    if (value.len)
        json_put_text(json, name, value);
}

static void write_head(const struct jwt_key *key, struct buffer *to)
{
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    json_put_text(&json, "alg", SLICE("RS256"));
    json_put_text(&json, "typ", SLICE("JWT"));
    put_text(&json, "kid", key->key_id);
    json_close(&json, '}');
}

static void write_claims(const struct jwt_claims *claims, struct buffer *to)
{
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    put_text(&json, "iss", claims->issuer);
    put_text(&json, "sub", claims->subject);
    put_text(&json, "scope", claims->scope);
    put_text(&json, "aud", claims->audience);
    json_put_i64(&json, "iat", claims->time_ns / NS_PER_SECOND);
    json_put_i64(&json, "exp", claims->time_ns / NS_PER_SECOND + JWT_ASSERTION_SECONDS);
    put_text(&json, "jti", claims->id);
    json_close(&json, '}');
}

int jwt_assertion(const struct jwt_key *key, const struct jwt_claims *claims, struct buffer *to, struct err *err)
{
    struct buffer head, body;
    buffer_init(&head, PART_BYTES_MAX);
    buffer_init(&body, PART_BYTES_MAX);
    write_head(key, &head);
    write_claims(claims, &body);
    int result = buffer_failed(&head) || buffer_failed(&body)
                     ? err_nomem(err)
                     : jws_sign_rs256(key->pem, buffer_slice(&head), buffer_slice(&body), to, err);
    buffer_close(&head);
    buffer_close(&body);
    return result;
}
