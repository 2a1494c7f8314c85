#pragma once
/*
 * event/ip: addresses as 16 bytes; IPv4 is stored as ::ffff:a.b.c.d and told
 * apart by the family. Text forms: RFC 4291 section 2.2, printed by RFC 5952.
 */
#include "base/slice.h"

struct ip {
    uint8_t bytes[16];
    uint8_t family; /* 4 or 6 */
};

enum { IP_TEXT_SIZE = 48 };

/* Dotted quad without leading zeros, or IPv6 without zone and brackets. Whole text. */
bool ip_parse(struct slice text, struct ip *out);
/* The address in "address:port" or "[address]:port"; IPv4 dressed as IPv6 (a listener that takes
 * both) is IPv4. */
bool ip_parse_peer(struct slice peer, struct ip *out);
/* 127.0.0.0/8 and ::1. */
bool ip_is_loopback(const struct ip *ip);
size_t ip_format(const uint8_t bytes[16], uint8_t family, char to[IP_TEXT_SIZE]);

/* The four bytes of an IPv4 address as a number. */
static inline uint32_t ip4_number(const uint8_t bytes[16])
{
    return (uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 | bytes[15];
}

struct cidr {
    struct ip base; /* host bits cleared */
    uint8_t bits;   /* 0..32 or 0..128 in the family's own count */
};
/* "10.0.0.0/8", "2001:db8::/32", or a single address. */
bool cidr_parse(struct slice text, struct cidr *out);
bool cidr_contains(const struct cidr *cidr, const uint8_t bytes[16], uint8_t family);
