#pragma once
/*
 * cut/winevent: the elements of one Windows event, as a reader meets them, become columns. The
 * readers are winxml (event XML) and winjson (the same tree as JSON), so both give the same names;
 * they are listed in winxml.h. Part of cut/winxml and cut/winjson.
 *
 *   winevent_open("Data")  winevent_attribute("Name", "LogonType")  winevent_text("3")
 * winevent_close()
 *
 * Attributes come before text and children. What is marked escaped holds XML references.
 * Ownership  Values borrow from the texts given.
 * Errors     -1; err is set.
 */
#include "base/err.h"
#include "cut/columns.h"

enum winevent_section {
    WINEVENT_NONE,
    WINEVENT_SYSTEM,
    WINEVENT_DATA,
    WINEVENT_RENDERING,
    WINEVENT_OTHER,
};

struct winevent {
    struct columns *columns; /* set by the reader, with batch, row and err; the rest is zero */
    struct batch *batch;
    uint32_t row;
    struct err *err;
    uint32_t fields;
    bool left; /* something was over a limit */
    enum winevent_section section;
    unsigned depth;
    struct slice element;   /* the innermost one open */
    struct slice data_name; /* its Name attribute */
    struct slice text;      /* its text so far */
    bool text_escaped;
    bool has_children;
};

MUST_USE int winevent_open(struct winevent *event, struct slice name);
MUST_USE int winevent_attribute(struct winevent *event, struct slice name, struct slice text,
                                bool escaped);
MUST_USE int winevent_text(struct winevent *event, struct slice piece, bool escaped);
MUST_USE int winevent_close(struct winevent *event);
