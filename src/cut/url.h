#pragma once
/*
 * cut/url: the parts of a URL or of what requests have in its place.
 *
 *   https://user:pw@example.com:8443/a/b.png?q=1#f     all of them
 *   /a/b.png?q=1                                       path, query, extension
 *   example.com:443                                    domain, port
 *   example.com/a                                      domain, path
 *
 * Nothing is decoded, checked against a standard or copied; what is not there is empty.
 * Source   RFC 3986, appendix B.
 */
#include "base/slice.h"

struct url {
    struct slice scheme, username, password, domain, port, path, query, fragment, extension;
};

void url_cut(struct slice text, struct url *out);

/* "host:80", "[2001:db8::1]:80", "192.0.2.1": brackets, port and zone ("%eth0") come off the host; an IPv6
 * address without brackets has no port. */
void url_cut_host(struct slice text, struct slice *host, struct slice *port);
