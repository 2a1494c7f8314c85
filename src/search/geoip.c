#include "search/geoip.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <string.h>

struct geoip {
    MMDB_s database;
    MMDB_entry_s entry; /* of the last address that was found */
};

static void release(void *ptr)
{
    MMDB_close(&((struct geoip *)ptr)->database);
}

int geoip_open(const char *path, struct arena *arena, struct geoip **out, struct err *err)
{
    struct geoip *geoip = arena_calloc(arena, sizeof(*geoip));
    *out = geoip;
    if (!geoip)
        return err_nomem(err);
    int code = MMDB_open(path, MMDB_MODE_MMAP, &geoip->database);
    if (code != MMDB_SUCCESS)
        return err_set(err, ERR_INPUT, "%s cannot be read as a MaxMind database: %s", path,
                       MMDB_strerror(code));
    return arena_defer(arena, release, geoip) < 0 ? err_nomem(err) : 0;
}

bool geoip_find(struct geoip *geoip, const struct ip *ip, struct geoip_place *out)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address;
    int code;
    memset(&address, 0, sizeof(address));
    if (ip->family == 4) {
        address.four.sin_family = AF_INET;
        memcpy(&address.four.sin_addr, ip->bytes + 12, 4);
    } else {
        address.six.sin6_family = AF_INET6;
        memcpy(&address.six.sin6_addr, ip->bytes, 16);
    }
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&geoip->database, &address.any, &code);
    if (code != MMDB_SUCCESS || !found.found_entry)
        return false;
    geoip->entry = found.entry;
    *out = (struct geoip_place){geoip, &geoip->entry};
    return true;
}

static bool get(const struct geoip_place *place, const char *const *path, MMDB_entry_data_s *out)
{
    return MMDB_aget_value(&place->geoip->entry, out, path) == MMDB_SUCCESS && out->has_data;
}

struct slice geoip_text(const struct geoip_place *place, const char *const *path)
{
    MMDB_entry_data_s data;
    if (!get(place, path, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return SLICE_NONE;
    return slice_of(data.utf8_string, data.data_size);
}

bool geoip_number(const struct geoip_place *place, const char *const *path, double *out)
{
    MMDB_entry_data_s data;
    if (!get(place, path, &data))
        return false;
    if (data.type == MMDB_DATA_TYPE_DOUBLE)
        *out = data.double_value;
    else if (data.type == MMDB_DATA_TYPE_FLOAT)
        *out = (double)data.float_value;
    else if (data.type == MMDB_DATA_TYPE_UINT16)
        *out = data.uint16;
    else if (data.type == MMDB_DATA_TYPE_UINT32)
        *out = data.uint32;
    else
        return false;
    return true;
}

bool geoip_is_private(const struct ip *ip)
{
    static const char *const nets[] = {"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",
                                       "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
                                       "192.168.0.0/16", "224.0.0.0/4",    "240.0.0.0/4",
                                       "::/128",         "::1/128",        "fc00::/7",
                                       "fe80::/10",      "ff00::/8"};
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        struct cidr net;
        if (cidr_parse(slice_text(nets[i]), &net) && cidr_contains(&net, ip->bytes, ip->family))
            return true;
    }
    return false;
}
