#pragma once
/*
 * cut/community_id: the name of a flow that many tools give alike.
 *
 * Source   "Community ID Flow Hashing", version 1 (github.com/corelight/community-id-spec), seed 0.
 * Threads  any
 */
#include "event/ip.h"

enum { COMMUNITY_ID_SIZE = 31 }; /* "1:" and the base64 of a SHA-1, with its NUL */

enum { PROTOCOL_ICMP = 1, PROTOCOL_ICMP6 = 58 };

struct flow {
    struct ip source, destination;
    uint8_t protocol;                       /* IANA number */
    uint16_t source_port, destination_port; /* of TCP, UDP, SCTP; type and code of ICMP */
    bool has_ports;
};

/* False when a protocol that has ports (or ICMP) comes without them, or the families differ. */
bool community_id(const struct flow *flow, char to[COMMUNITY_ID_SIZE]);

/* "tcp" is 6; numbers are themselves; 0 when it is not known. */
uint8_t protocol_number(struct slice name);
