#include "collect/remote/aws_sign.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "collect/remote/poll_template.h"
#include "cut/url.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SUM_BYTES = crypto_hash_sha256_BYTES, QUERY_MAX = 256 };

struct query_pair {
    struct slice name, value; /* encoded anew */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* However it was encoded, as the signature wants it. */
static struct slice encode_anew(struct slice text, bool slashes, struct arena *arena)
{
    struct buffer plain, encoded;
    struct slice result = SLICE_NONE;
    buffer_init(&plain, text.len + 1);
    buffer_init(&encoded, text.len * 3 + 1);
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        buffer_put_char(&plain, low >= 0 ? (char)(high * 16 + low) : text.ptr[i]);
        i += low >= 0 ? 2 : 0;
    }
    poll_put_encoded(&encoded, buffer_slice(&plain), slashes);
    if (!buffer_failed(&plain) && !buffer_failed(&encoded))
        result = arena_copy(arena, buffer_slice(&encoded));
    buffer_close(&plain);
    buffer_close(&encoded);
    return result;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct query_pair *x = a, *y = b;
    int by_name = slice_compare(x->name, y->name);
    return by_name ? by_name : slice_compare(x->value, y->value);
}

/* Pairs in order of their names. */
static int put_query(struct slice query, struct arena *arena, struct buffer *to, struct err *err)
{
    struct query_pair pairs[QUERY_MAX];
    struct slice one;
    size_t count = 0;
    while (query.len && slice_next_part(&query, '&', &one)) {
        struct slice name = one, value = SLICE("");
        if (count == QUERY_MAX)
            return err_set(err, ERR_LIMIT, "a URL with over %d parameters is not signed", QUERY_MAX);
        slice_cut(one, '=', &name, &value);
        pairs[count] = (struct query_pair){encode_anew(name, false, arena), encode_anew(value, false, arena)};
        if (!pairs[count].name.ptr || !pairs[count].value.ptr)
            return err_nomem(err);
        count++;
    }
    qsort(pairs, count, sizeof(pairs[0]), compare_pairs);
    for (size_t i = 0; i < count; i++)
        buffer_printf(to, "%s%.*s=%.*s", i ? "&" : "", SLICE_ARG(pairs[i].name), SLICE_ARG(pairs[i].value));
    return 0;
}

static void put_sum(struct slice bytes, char to[AWS_HASH_SIZE])
{
    unsigned char sum[SUM_BYTES];
    crypto_hash_sha256(sum, (const unsigned char *)bytes.ptr, bytes.len);
    sodium_bin2hex(to, AWS_HASH_SIZE, sum, sizeof(sum));
}

static void mac(struct slice key, struct slice text, unsigned char to[SUM_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.ptr, key.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.ptr, text.len);
    crypto_auth_hmacsha256_final(&state, to);
}

static const char *signed_names(const struct aws_request *request)
{
    return request->session.ptr ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
                                : "host;x-amz-content-sha256;x-amz-date";
}

static int put_canonical(const struct aws_request *request, const char *date, const char *hash, struct arena *arena,
                         struct buffer *to, struct err *err)
{
    struct url url;
    url_cut(request->url, &url);
    if (!url.domain.len)
        return err_set(err, ERR_CONFIG, "the URL has no host to be signed");
    struct slice path = encode_anew(url.path.len ? url.path : SLICE("/"), true, arena);
    if (!path.ptr)
        return err_nomem(err);
    buffer_printf(to, "%s\n%.*s\n", request->method, SLICE_ARG(path));
    if (put_query(url.query, arena, to, err) < 0)
        return -1;
    buffer_printf(to, "\nhost:%.*s%s%.*s\nx-amz-content-sha256:%s\nx-amz-date:%s\n", SLICE_ARG(url.domain), url.port.len ? ":" : "",
                  SLICE_ARG(url.port), hash, date);
    if (request->session.ptr)
        buffer_printf(to, "x-amz-security-token:%.*s\n", SLICE_ARG(request->session));
    buffer_printf(to, "\n%s\n%s", signed_names(request), hash);
    return buffer_failed(to) ? err_nomem(err) : 0;
}

/* The key of the day, the region and the service. */
static void derive_key(const struct aws_request *request, struct slice day, unsigned char key[SUM_BYTES])
{
    struct buffer first;
    const struct slice steps[] = {day, slice_text(request->region), slice_text(request->service), SLICE("aws4_request")};
    struct slice with;
    buffer_init(&first, SECRET_BYTES_MAX + 8);
    buffer_put_text(&first, "AWS4");
    buffer_put(&first, request->secret_key);
    with = buffer_slice(&first);
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        mac(with, steps[i], key);
        with = slice_of(key, SUM_BYTES);
    }
    if (first.ptr)
        sodium_memzero(first.ptr, first.len);
    buffer_close(&first);
}

static void put_authorization(const struct aws_request *request, const char *date, struct slice canonical, struct buffer *to)
{
    struct slice day = slice_of(date, 8);
    struct buffer text;
    unsigned char key[SUM_BYTES], signature[SUM_BYTES];
    char hash[AWS_HASH_SIZE], scope[256];
    snprintf(scope, sizeof(scope), "%.8s/%.100s/%.100s/aws4_request", date, request->region, request->service);
    put_sum(canonical, hash);
    buffer_init(&text, 1024);
    buffer_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hash);
    derive_key(request, day, key);
    mac(slice_of(key, sizeof(key)), buffer_slice(&text), signature);
    sodium_bin2hex(hash, sizeof(hash), signature, sizeof(signature));
    buffer_printf(to, "AWS4-HMAC-SHA256 Credential=%.*s/%s,SignedHeaders=%s,Signature=%s", SLICE_ARG(request->access_key), scope,
                  signed_names(request), hash);
    to->failed = to->failed || buffer_failed(&text);
    buffer_close(&text);
}

int aws_sign(const struct aws_request *request, char date[AWS_DATE_SIZE], char hash[AWS_HASH_SIZE],
             struct buffer *authorization, struct err *err)
{
    time_t seconds = (time_t)(request->time_ns / NS_PER_SECOND);
    struct tm parts;
    struct buffer canonical;
    struct arena *arena = arena_new(1 * MIB);
    if (!arena)
        return err_nomem(err);
    gmtime_r(&seconds, &parts);
    strftime(date, AWS_DATE_SIZE, "%Y%m%dT%H%M%SZ", &parts);
    put_sum(request->body, hash);
    buffer_init(&canonical, 256 * KIB);
    int result = put_canonical(request, date, hash, arena, &canonical, err);
    if (result == 0)
        put_authorization(request, date, buffer_slice(&canonical), authorization);
    if (result == 0 && buffer_failed(authorization))
        result = err_nomem(err);
    buffer_close(&canonical);
    arena_free(arena);
    return result;
}
