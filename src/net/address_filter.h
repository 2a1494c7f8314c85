#pragma once
/*
 * net/address_filter: addresses that a request made for somebody else's words
 * (a webhook's URL) must not reach, so that it cannot be pointed at our own
 * machines (server-side request forgery, sec/O1).
 *
 * Asked with the address that is connected to, never with a name or its spelling.
 * Sources  IANA special-purpose address registries (RFC 6890), RFC 4291, 6052, 3056, 4380.
 */
#include <stdbool.h>

struct sockaddr;

/* NULL when it may be reached, else what it is ("loopback"). allow_private lets loopback, private,
 * shared (CGNAT) and unique local addresses through, but never metadata services, link-local,
 * multicast, reserved ranges or an IPv4 address dressed as IPv6. */
const char *address_refusal(const struct sockaddr *address, bool allow_private);
