#pragma once
/*
 * cut/domain: a host name by the Public Suffix List (https://publicsuffix.org), as libpsl has it built in.
 *
 *   www.example.co.jp     suffix co.jp, registered example.co.jp, subdomain www
 *
 * Only this file knows libpsl.
 * Threads  any
 */
#include "base/slice.h"

struct domain {
    struct slice suffix, registered, subdomain; /* parts of the name; empty where there are none */
};

/* A dot at the end is no part of the name. False for addresses and names of one part. */
bool domain_cut(struct slice name, struct domain *out);

/* What came of names that were asked for before: the list is asked for each part of a name, and the same names come
 * again and again. Zeroed memory is a valid start; one thread's. */
enum { DOMAIN_MEMO_NAMES = 512, DOMAIN_MEMO_BYTES = 60 };
struct domain_memo {
    struct domain_known {
        uint8_t len;                     /* 0: none yet */
        uint8_t registered, suffix, end; /* where they begin and end in the name */
        char name[DOMAIN_MEMO_BYTES];
    } list[DOMAIN_MEMO_NAMES];
};
/* As domain_cut(). */
bool domain_cut_known(struct domain_memo *memo, struct slice name, struct domain *out);
