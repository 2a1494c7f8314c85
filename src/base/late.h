#pragma once
/*
 * base/late: a shared library that is loaded when it is first needed, because it and what is behind it
 * take longer to load than most commands take in all.
 *
 *   #define LATE_X(X) X(read) X(write)      in the header: the functions, without what their names begin with
 *   struct late_x { ... };                  and a pointer to each, by that name (net/late_curl.h)
 *   late_load(&library, err)                where library has a late_function for each (net/late_curl.c)
 *
 * Ownership  The library stays loaded. Threads  Any.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct late_function {
    const char *name; /* without the library's prefix */
    size_t offset;    /* of its pointer */
};

struct late_library {
    const char *name, *what; /* the file; what cannot be done without it, as a sentence begins */
    const char *prefix;      /* of all names */
    const struct late_function *list;
    size_t count;
    void *functions;
    void (*ready)(void);     /* called once, when all is there; may be NULL */
    /* its own */
    bool tried;
    char problem[256];       /* the first; empty: all is there */
};

/* The functions; NULL and ERR_CONFIG when the library, or one of them, cannot be had. */
const void *late_load(struct late_library *library, struct err *err);
/* What the library gave as its caller's to free(). */
void late_free(void *ptr);
