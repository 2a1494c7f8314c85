#include "respond/incidents/links.h"

#include "base/hash.h"
#include "event/ip.h"

#include <stdio.h>

/* They say what a finding is about, and hundreds of attacks are about the same. */
static const char *const describing[] = {
    "action", "asn", "asset", "chain", "city", "country", "currency", "dataset", "file", "group", "network", "operation",
    "port", "process", "product", "protocol", "region", "role", "rule", "service", "severity", "source", "status", "stream",
};
static const char *const nobody[] = {
    "-", "?", "*", "n/a", "na", "nil", "none", "null", "(null)", "undefined", "unknown", "localhost", "127.0.0.1", "::1",
    "0.0.0.0", "::", "root", "system", "nt authority\\system", "local service", "nt authority\\local service",
    "network service", "nt authority\\network service", "anonymous", "anonymous logon", "nt authority\\anonymous logon",
    "nobody", "administrator", "admin",
};
static const char *const caseless[] = {"user", "host", "domain", "email", "ip", "hash", "device"};
static const char *const particular[] = {"account", "address", "device", "domain", "email", "hash", "key", "session", "transaction", "user"};

static bool is_one_of(struct slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is_nocase(text, words[i]))
            return true;
    return false;
}

/* The kind under which it meets others. */
static struct slice kind_of(const struct entity *entity)
{
    struct ip ip;
    if (ip_parse(entity->value, &ip))
        return SLICE("ip");
    return slice_is_nocase(entity->type, "wallet") ? SLICE("address") : entity->type;
}

static void to_lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
}

static struct slice ip_text(struct slice value, char to[IP_TEXT_SIZE])
{
    struct ip ip;
    return ip_parse(value, &ip) ? slice_of(to, ip_format(ip.bytes, ip.family, to)) : value;
}

struct slice link_of(const struct entity *entity, struct arena *arena, bool *nomem)
{
    char ip[IP_TEXT_SIZE];
    struct slice kind = kind_of(entity), value = slice_trim(entity->value);
    if (!kind.len || !value.len || is_one_of(kind, describing, ARRAY_COUNT(describing)) ||
        is_one_of(value, nobody, ARRAY_COUNT(nobody)))
        return SLICE_NONE;
    bool any_case = is_one_of(kind, caseless, ARRAY_COUNT(caseless));
    char digits[3 * 16 + 1];
    if (value.len > LINK_VALUE_MAX || kind.len > LINK_VALUE_MAX) {
        struct hash128 a = hash_bytes128(kind), b = hash_bytes128(value);
        snprintf(digits, sizeof(digits), "%016llx%016llx%016llx", (unsigned long long)a.low, (unsigned long long)b.high,
                 (unsigned long long)b.low);
        kind = SLICE("long");
        value = slice_text(digits);
    } else if (slice_is(kind, "ip")) {
        value = ip_text(value, ip);
    }
    char *link = arena_alloc(arena, kind.len + 1 + value.len);
    *nomem |= !link;
    if (!link)
        return SLICE_NONE;
    memcpy(link, kind.ptr, kind.len);
    link[kind.len] = ':';
    memcpy(link + kind.len + 1, value.ptr, value.len);
    to_lower(link, any_case ? kind.len + 1 + value.len : kind.len);
    return slice_of(link, kind.len + 1 + value.len);
}

bool links_meet(const struct entity *a, const struct entity *b)
{
    struct slice kind = kind_of(a), other = kind_of(b);
    if (!slice_equal_nocase(kind, other) || is_one_of(kind, describing, ARRAY_COUNT(describing)))
        return false;
    return is_one_of(kind, caseless, ARRAY_COUNT(caseless)) ? slice_equal_nocase(a->value, b->value)
                                                            : slice_equal(a->value, b->value);
}

bool link_is_particular(const struct entity *entity)
{
    struct ip ip;
    return is_one_of(entity->type, particular, ARRAY_COUNT(particular)) && !ip_parse(entity->value, &ip);
}

bool link_is_outside(struct slice link)
{
    static const char *const ours[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
                                       "127.0.0.0/8", "fc00::/7", "fe80::/10"};
    struct slice kind, value;
    struct ip ip;
    if (!slice_cut(link, ':', &kind, &value) || !slice_is(kind, "ip") || !ip_parse(value, &ip))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        struct cidr net;
        if (cidr_parse(slice_text(ours[i]), &net) && cidr_contains(&net, ip.bytes, ip.family))
            return false;
    }
    return true;
}

struct slice link_words(struct slice link, struct arena *arena)
{
    struct slice kind, value;
    if (!slice_cut(link, ':', &kind, &value))
        return link;
    return arena_printf(arena, "%.*s %.*s", SLICE_ARG(kind), SLICE_ARG(value));
}
