#pragma once
/*
 * cut/xml_scan: a walk over an XML text that borrows from it. Made for event
 * XML: no document types (and so no entities of their own), bytes may be
 * anything, white space is kept.
 *
 *   <a b="c">d<e/></a>      OPEN a, ATTRIBUTE b, TEXT d, OPEN e, CLOSE e, CLOSE a, DONE
 *
 * Threads  One at a time. Zeroed memory with text set is a valid start.
 * Limits   XML_DEPTH_MAX.
 * Errors   XML_BAD once, with a sentence in why; at is where.
 */
#include "base/arena.h"
#include "base/slice.h"

enum { XML_DEPTH_MAX = 64 };

enum xml_kind { XML_DONE, XML_OPEN, XML_ATTRIBUTE, XML_TEXT, XML_CLOSE, XML_BAD };

struct xml_token {
    enum xml_kind kind;
    struct slice name; /* without a namespace prefix */
    struct slice text; /* of ATTRIBUTE and TEXT, as written */
    bool escaped;      /* text has references: xml_unescape() */
};

struct xml_scan {
    struct slice text;
    size_t at;
    struct slice open[XML_DEPTH_MAX]; /* names as written */
    unsigned depth;
    bool in_tag;
    bool seen_root;
    const char *why;
};

void xml_next(struct xml_scan *scan, struct xml_token *out);

/* &lt; &gt; &amp; &quot; &apos; &#10; &#xa; unknown ones stay. SLICE_NONE when memory is out. */
MUST_USE struct slice xml_unescape(struct slice text, struct arena *arena);
