#include "net/address_filter.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t prefix;
    int bits;
    bool private; /* may be allowed by word */
    const char *what;
};

struct range6 {
    unsigned char prefix[16];
    int bits;
    bool private;
    const char *what;
};

/* The first that holds wins: single addresses stand before the range around them. */
static const struct range4 ranges4[] = {
    {0xa9fea9fe, 32, false, "a metadata service"}, /* 169.254.169.254 */
    {0xa9fea97b, 32, false, "a metadata service"}, /* 169.254.169.123 */
    {0xa9feaa02, 32, false, "a metadata service"}, /* 169.254.170.2 */
    {0x6464c8c8, 32, false, "a metadata service"}, /* 100.100.200.200 */
    {0x646464c8, 32, false, "a metadata service"}, /* 100.100.100.200 */
    {0xa83f8110, 32, false, "a metadata service"}, /* 168.63.129.16 */
    {0xc00000c0, 32, false, "a metadata service"}, /* 192.0.0.192 */
    {0x00000000, 8, false, "unspecified"},         /* 0.0.0.0/8 */
    {0x7f000000, 8, true, "loopback"},             /* 127.0.0.0/8 */
    {0x0a000000, 8, true, "private"},              /* 10.0.0.0/8 */
    {0xac100000, 12, true, "private"},             /* 172.16.0.0/12 */
    {0xc0a80000, 16, true, "private"},             /* 192.168.0.0/16 */
    {0x64400000, 10, true, "shared (CGNAT)"},      /* 100.64.0.0/10 */
    {0xa9fe0000, 16, false, "link-local"},         /* 169.254.0.0/16 */
    {0xc0000000, 24, false, "reserved"},           /* 192.0.0.0/24 */
    {0xc0000200, 24, false, "documentation"},      /* 192.0.2.0/24 */
    {0xc0586300, 24, false, "a 6to4 relay"},       /* 192.88.99.0/24 */
    {0xc6120000, 15, false, "reserved"},           /* 198.18.0.0/15 */
    {0xc6336400, 24, false, "documentation"},      /* 198.51.100.0/24 */
    {0xcb007100, 24, false, "documentation"},      /* 203.0.113.0/24 */
    {0xe0000000, 4, false, "multicast"},           /* 224.0.0.0/4 */
    {0xf0000000, 4, false, "reserved"},            /* 240.0.0.0/4 and broadcast */
};

static const struct range6 ranges6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, false,
     "a metadata service"}, /* fd00:ec2::254 */
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, false,
     "a metadata service"}, /* fd20:ce::254 */
    {{0}, 128, false, "unspecified"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, true, "loopback"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, false, "IPv4 within IPv6"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, false, "IPv4 within IPv6"}, /* ::ffff:0:0:0/96 */
    {{0}, 96, false, "IPv4 within IPv6"},                                  /* ::a.b.c.d */
    {{0x00, 0x64, 0xff, 0x9b}, 96, false, "IPv4 within IPv6 (NAT64)"},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, false, "IPv4 within IPv6 (NAT64)"},
    {{0x20, 0x02}, 16, false, "IPv4 within IPv6 (6to4)"},
    {{0x20, 0x01, 0x00, 0x00}, 32, false, "IPv4 within IPv6 (Teredo)"},
    {{0x20, 0x01, 0x00}, 23, false, "reserved"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, false, "documentation"},
    {{0x3f, 0xff, 0x00}, 20, false, "documentation"},
    {{0xfc}, 7, true, "unique local"},
    {{0xfe, 0x80}, 10, false, "link-local"},
    {{0xfe, 0xc0}, 10, false, "site-local"},
    {{0xff}, 8, false, "multicast"},
};

static const char *refuse4(uint32_t address, bool allow_private)
{
    for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
        if ((address ^ ranges4[i].prefix) >> (32 - ranges4[i].bits) == 0)
            return allow_private && ranges4[i].private ? NULL : ranges4[i].what;
    return NULL;
}

static bool starts6(const unsigned char *address, const struct range6 *range)
{
    size_t bytes = (size_t)range->bits / 8;
    int rest = range->bits % 8;
    return memcmp(address, range->prefix, bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ range->prefix[bytes]) >> (8 - rest) == 0);
}

/* An ISATAP interface id carries an IPv4 address at its end: 0000:5efe or 0200:5efe. */
static bool is_isatap(const unsigned char *address)
{
    return (address[8] & 0xfd) == 0 && address[9] == 0 && address[10] == 0x5e && address[11] == 0xfe;
}

static const char *refuse6(const unsigned char *address, bool allow_private)
{
    for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++)
        if (starts6(address, &ranges6[i]))
            return allow_private && ranges6[i].private ? NULL : ranges6[i].what;
    if ((address[0] & 0xe0) != 0x20) /* only 2000::/3 is in use */
        return "reserved";
    return is_isatap(address) ? "IPv4 within IPv6 (ISATAP)" : NULL;
}

const char *address_refusal(const struct sockaddr *address, bool allow_private)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return refuse4(ntohl(in.sin_addr.s_addr), allow_private);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return refuse6(in6.sin6_addr.s6_addr, allow_private);
    }
    return "of no known family";
}
