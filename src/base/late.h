#pragma once
/*
 * base/late: a shared library that is loaded when it is first needed, because it and what is behind it
 * take longer to load than most commands take in all.
 *
 *   #define LATE_X(X) X(read) X(write)               its functions, without the prefix of their names
 *   struct late_x {                                  a pointer to each, in this order, and nothing else
 *   #define MEMBER(name) __typeof__(x_##name) *name;
 *       LATE_X(MEMBER)
 *   #undef MEMBER
 *   };
 *   LATE_LIBRARY(late_x, LATE_X, "libx.so.1", "x_", "exes need libx", NULL)     in the .c file: late_x(&err)
 *
 * Ownership  The library stays loaded. Threads  Any.
 */
#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct late_library {
    const char *name, *what;   /* the file; what cannot be done without it, as a sentence begins */
    const char *prefix;        /* of all names */
    const char *const *names;
    size_t count;
    void *functions;           /* as many pointers */
    void (*ready)(const void *functions); /* called once, when all is there; or NULL */
    /* its own */
    bool tried;
    char problem[256]; /* the first; empty: all is there */
};

/* The functions; NULL and ERR_CONFIG when the library, or one of them, cannot be had. */
const void *late_load(struct late_library *library, struct err *err);
/* What the library gave as its caller's to free(). */
void late_free(void *ptr);

#define LATE_NAME(name) #name,
#define LATE_LIBRARY(type, list, file, prefix_, what_, ready_)                                                    \
    static struct type type##_functions;                                                                          \
    static const char *const type##_names[] = {list(LATE_NAME)};                                                  \
    static struct late_library type##_library = {.name = (file), .what = (what_), .prefix = (prefix_),            \
                                                 .names = type##_names, .count = ARRAY_COUNT(type##_names),       \
                                                 .functions = &type##_functions, .ready = (ready_)};              \
    _Static_assert(sizeof(type##_functions) == sizeof(type##_names), "a pointer for each name");                  \
    const struct type *type(struct err *err)                                                                      \
    {                                                                                                             \
        return late_load(&type##_library, err);                                                                   \
    }
