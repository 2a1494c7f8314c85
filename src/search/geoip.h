#pragma once
/*
 * search/geoip: the place of an address from a database in MaxMind's format (libmaxminddb): GeoLite2,
 * GeoIP2, DB-IP, or one of one's own. https://maxmind.github.io/MaxMind-DB/
 *
 * Ownership  A database is the arena's; texts it gives live as long.
 * Threads    Read-only after opening.
 * Errors     -1: the file is no such database.
 */
#include "base/arena.h"
#include "base/err.h"
#include "event/ip.h"

struct geoip;

MUST_USE int geoip_open(const char *path, struct arena *arena, struct geoip **out, struct err *err);

/* One address's record; false when the database does not know it. */
struct geoip_place {
    struct geoip *geoip;
    const void *entry; /* of the library; borrowed until the next find */
};
bool geoip_find(struct geoip *geoip, const struct ip *ip, struct geoip_place *out);
/* A text at a path such as {"city", "names", "en", NULL}; SLICE_NONE when there is none. */
struct slice geoip_text(const struct geoip_place *place, const char *const *path);
bool geoip_number(const struct geoip_place *place, const char *const *path, double *out);
/* Addresses that no database can place: private, loopback, link-local, multicast ... (RFC 6890). */
bool geoip_is_private(const struct ip *ip);
