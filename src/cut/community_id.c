#include "cut/community_id.h"

#include "base/attr.h"
#include "base/json.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

enum { ICMP = PROTOCOL_ICMP, TCP = 6, UDP = 17, ICMP6 = PROTOCOL_ICMP6, SCTP = 132 };

uint8_t protocol_number(struct slice name)
{
    static const struct {
        const char *name;
        uint8_t number;
    } names[] = {{"tcp", TCP},    {"udp", UDP},       {"icmp", ICMP},   {"icmp6", ICMP6}, {"icmpv6", ICMP6},
                 {"ipv6-icmp", ICMP6}, {"igmp", 2},   {"gre", 47},      {"esp", 50},      {"ah", 51},
                 {"eigrp", 88},   {"ospf", 89},       {"pim", 103},     {"sctp", SCTP},   {"vrrp", 112}};
    int64_t n;
    if (name.len && name.ptr[0] <= '9' && slice_to_i64(name, &n))
        return n > 0 && n < 256 ? (uint8_t)n : 0;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is_nocase(name, names[i].name))
            return names[i].number;
    return 0;
}

/* The type that answers this one, or -1: such messages go one way. */
static int icmp_answer(unsigned type, bool version6)
{
    static const uint8_t four[][2] = {{8, 0}, {0, 8}, {13, 14}, {14, 13}, {15, 16}, {16, 15}, {17, 18}, {18, 17},
                                      {10, 9}, {9, 10}};
    static const uint8_t six[][2] = {{128, 129}, {129, 128}, {133, 134}, {134, 133}, {135, 136}, {136, 135},
                                     {130, 131}, {131, 130}, {144, 145}, {145, 144}};
    const uint8_t(*pairs)[2] = version6 ? six : four;
    for (size_t i = 0; i < ARRAY_COUNT(four); i++)
        if (pairs[i][0] == type)
            return pairs[i][1];
    return -1;
}

static size_t put_address(const struct ip *ip, uint8_t *to)
{
    size_t len = ip->family == 4 ? 4 : 16;
    memcpy(to, ip->bytes + 16 - len, len);
    return len;
}

bool community_id(const struct flow *flow, char to[COMMUNITY_ID_SIZE])
{
    uint8_t bytes[40] = {0}, hash[20];
    bool icmp = flow->protocol == ICMP || flow->protocol == ICMP6;
    bool ports = icmp || flow->protocol == TCP || flow->protocol == UDP || flow->protocol == SCTP;
    if (!flow->protocol || (ports && !flow->has_ports) || flow->source.family != flow->destination.family)
        return false;
    const struct ip *first = &flow->source, *second = &flow->destination;
    unsigned a = flow->source_port, b = flow->destination_port;
    int answer = icmp ? icmp_answer(a, flow->protocol == ICMP6) : -1;
    if (answer >= 0)
        b = (unsigned)answer;
    bool one_way = icmp && answer < 0;
    int order = memcmp(first->bytes, second->bytes, sizeof(first->bytes));
    if (!one_way && (order > 0 || (order == 0 && ports && a > b))) {
        const struct ip *ip = first;
        unsigned port = a;
        first = second;
        second = ip;
        a = b;
        b = port;
    }
    size_t len = 2;
    len += put_address(first, bytes + len);
    len += put_address(second, bytes + len);
    bytes[len] = flow->protocol;
    len += 2;
    if (ports) {
        const uint8_t both[4] = {(uint8_t)(a >> 8), (uint8_t)a, (uint8_t)(b >> 8), (uint8_t)b};
        memcpy(bytes + len, both, sizeof(both));
        len += sizeof(both);
    }
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, bytes, len, hash) < 0)
        return false;
    memcpy(to, "1:", 2);
    *base64_write(slice_of((const char *)hash, sizeof(hash)), to + 2) = '\0';
    return true;
}
