#include "event/ip.h"

#include <arpa/inet.h>
#include <stdio.h>

static void map_v4(const uint8_t v4[4], struct ip *out)
{
    memset(out->bytes, 0, 10);
    out->bytes[10] = out->bytes[11] = 0xff;
    memcpy(out->bytes + 12, v4, 4);
    out->family = 4;
}

/* One to three digits without a leading zero, up to 255; what is behind them, or NULL. */
static inline const char *parse_octet(const char *at, const char *end, uint8_t *out)
{
    unsigned n = at < end ? (unsigned char)*at - (unsigned)'0' : 10, digit;
    if (n > 9)
        return NULL;
    if (++at < end && n && (digit = (unsigned char)*at - (unsigned)'0') <= 9) {
        n = n * 10 + digit;
        if (++at < end && (digit = (unsigned char)*at - (unsigned)'0') <= 9) {
            n = n * 10 + digit;
            at++;
        }
    }
    *out = (uint8_t)n;
    return n <= 255 ? at : NULL;
}

/* Strict dotted quad: the hot path of firewall and proxy logs, so not inet_pton. */
static bool parse_v4(struct slice text, uint8_t out[4])
{
    const char *at = text.ptr, *end = at + text.len;
    if (text.len < sizeof("0.0.0.0") - 1)
        return false;
    at = parse_octet(at, end, &out[0]);
    for (int part = 1; part < 4 && at; part++)
        at = at < end && *at == '.' ? parse_octet(at + 1, end, &out[part]) : NULL;
    return at == end;
}

bool ip_parse(struct slice text, struct ip *out)
{
    uint8_t v4[4];
    if (parse_v4(text, v4)) {
        map_v4(v4, out);
        return true;
    }
    char copy[IP_TEXT_SIZE];
    if (text.len < 2 || text.len >= sizeof(copy) || slice_find_char(text, ':') < 0)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET6, copy, out->bytes) != 1)
        return false;
    out->family = 6;
    return true;
}

static char *put_octet(unsigned n, char *to)
{
    if (n >= 100)
        *to++ = (char)('0' + n / 100);
    if (n >= 10)
        *to++ = (char)('0' + n / 10 % 10);
    *to++ = (char)('0' + n % 10);
    return to;
}

bool ip_parse_peer(struct slice peer, struct ip *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t len = peer.len;
    while (len && peer.ptr[len - 1] != ':')
        len--;
    if (len == 0)
        return false;
    struct slice host = slice_sub(peer, 0, len - 1);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = slice_sub(host, 1, host.len - 2);
    if (!ip_parse(host, out))
        return false;
    if (memcmp(out->bytes, mapped, sizeof(mapped)) == 0)
        out->family = 4;
    return true;
}

size_t ip_format(const uint8_t bytes[16], uint8_t family, char to[IP_TEXT_SIZE])
{
    if (family == 4) {
        char *at = put_octet(bytes[12], to);
        for (int i = 13; i < 16; i++) {
            *at++ = '.';
            at = put_octet(bytes[i], at);
        }
        *at = '\0';
        return (size_t)(at - to);
    }
    if (!inet_ntop(AF_INET6, bytes, to, IP_TEXT_SIZE))
        to[0] = '\0';
    return strlen(to);
}

bool cidr_parse(struct slice text, struct cidr *out)
{
    struct slice address = text, bits_text = SLICE_NONE;
    slice_cut(text, '/', &address, &bits_text);
    if (!ip_parse(address, &out->base))
        return false;
    uint64_t most = out->base.family == 4 ? 32 : 128, bits = most;
    if (!slice_is_none(bits_text) && (!slice_to_u64(bits_text, &bits) || bits > most))
        return false;
    out->bits = (uint8_t)bits;
    size_t keep = (out->base.family == 4 ? 96 : 0) + (size_t)bits;
    for (size_t i = keep; i < 128; i++)
        out->base.bytes[i / 8] &= (uint8_t)~(0x80U >> (i % 8));
    return true;
}

bool cidr_contains(const struct cidr *cidr, const uint8_t bytes[16], uint8_t family)
{
    if (family != cidr->base.family)
        return false;
    size_t keep = (family == 4 ? 96U : 0U) + cidr->bits;
    size_t whole = keep / 8, rest = keep % 8;
    if (memcmp(bytes, cidr->base.bytes, whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ cidr->base.bytes[whole]) >> (8 - rest)) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return ip->family == 4 ? ip->bytes[12] == 127 : memcmp(ip->bytes, loopback6, 16) == 0;
}
