#pragma once
/*
 * base/late: a shared library that is loaded when it is first needed, because it and what is behind it
 * take longer to load than most commands take in all.
 *
 * Ownership  The library stays loaded. Threads  One at a time a library (pthread_once).
 */
struct late_library {
    void *handle;
    char problem[256]; /* the first; empty: all is there */
};

void late_open(struct late_library *library, const char *name);
/* function points to a pointer to a function of that name's type. */
void late_find(struct late_library *library, const char *name, void *function);
/* What the library gave as its caller's to free(). */
void late_free(void *ptr);
