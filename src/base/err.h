#pragma once
/*
 * base/err: why something did not work, as a sentence a person can act on.
 *
 * A function that can fail returns int (0 or -1) or a pointer and fills a
 * struct err. Each level may say what it was doing with err_within(); only the
 * top prints it. Passing NULL for err is allowed everywhere: nothing is kept.
 */
#include "base/attr.h"

#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
    ERR_NOMEM,     /* a budget or the machine's memory is used up */
    ERR_IO,        /* the system refused a file or socket operation */
    ERR_CONFIG,    /* a person wrote something that must be mended: file, option, rule */
    ERR_INPUT,     /* bytes from outside are not what they claim to be */
    ERR_LIMIT,     /* a bound from limits.h was reached */
    ERR_CORRUPT,   /* stored bytes fail their checksum or structure */
    ERR_NOT_FOUND, /* what was named does not exist */
    ERR_CONFLICT,  /* the same key with other content, or a state that forbids it */
    ERR_DENIED,    /* not allowed for this user or token */
    ERR_CANCELLED, /* someone asked for it to stop */
    ERR_CLOSED,    /* the other side or the queue is gone */
};

enum { ERR_TEXT_SIZE = 512 };

struct err {
    enum err_code code;
    int start, end;           /* byte range in a query or rule text; -1 when there is none */
    char text[ERR_TEXT_SIZE]; /* a whole sentence without a final full stop */
    char suggestion[64];      /* the nearest right word, or "" */
};

void err_clear(struct err *err);

/* Fills err and returns -1, so that "return err_set(...)" reads well. */
PRINTF_LIKE(3, 4) int err_set(struct err *err, enum err_code code, const char *format, ...);

/* As err_set, with the range of bytes the sentence is about. */
PRINTF_LIKE(5, 6)
int err_set_at(struct err *err, enum err_code code, int start, int end, const char *format, ...);

/* As err_set; ": " and the system's text for errno_value follow. */
PRINTF_LIKE(3, 4) int err_set_errno(struct err *err, int errno_value, const char *format, ...);

/* Puts "format: " before the text that is there. Returns -1. */
PRINTF_LIKE(2, 3) int err_within(struct err *err, const char *format, ...);

int err_nomem(struct err *err);
