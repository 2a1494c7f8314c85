#pragma once
/*
 * base/mac: hardware addresses (EUI-48 and EUI-64) in any usual spelling to the one of RFC 7042 and ECS, 00-1A-2B-3C-4D-5E.
 *
 *   00:1a:2b:3c:4d:5e  0-1a-2b-3c-4d-5e  001a.2b3c.4d5e  001A-2B3C-4D5E  001a2b3c4d5e  0x001a2b3c4d5e
 */
#include "base/slice.h"

enum { MAC_TEXT_MAX = 23 };

struct mac {
    char text[MAC_TEXT_MAX + 1];
    size_t len;
};

/* The whole text. */
bool mac_parse(struct slice text, struct mac *out);
