#pragma once
/*
 * cut/cef: the headers of ArcSight's CEF and QRadar's LEEF, and where their key=value part begins.
 *
 *   CEF:0|Vendor|Product|1.0|100|Name|5|src=192.0.2.1 msg=two words
 *   LEEF:1.0|Vendor|Product|1.0|100|src=192.0.2.1<TAB>msg=two words
 *   LEEF:2.0|Vendor|Product|1.0|100|^|src=192.0.2.1^msg=two words
 *
 * Anything may stand before "CEF:" or "LEEF:" (a syslog header). Pipes and backslashes of the header are
 * escaped by a backslash, and so is '=' in values of CEF, where \n and \r are line breaks.
 *
 * Source   Micro Focus, "ArcSight Common Event Format (CEF) Implementation Standard", version 26;
 *          IBM, "Log Event Extended Format (LEEF)", version 2.
 * Threads  any; results borrow from the text, or are in the arena.
 */
#include "base/arena.h"
#include "base/slice.h"
#include "cut/kv.h"

enum cef_part {
    CEF_VERSION,
    CEF_VENDOR,
    CEF_PRODUCT,
    CEF_DEVICE_VERSION,
    CEF_CLASS, /* LEEF: event id, the last */
    CEF_NAME,
    CEF_SEVERITY,
    CEF_PARTS,
};

struct cef {
    struct slice part[CEF_PARTS]; /* as written */
    struct slice extension;       /* the pairs, for cef_pairs() */
    char delimiter;               /* between pairs of LEEF; CEF's values may hold theirs */
};

/* False when the text has no such header. Parts that are missing are empty. */
bool cef_cut(struct slice text, struct cef *out);
bool leef_cut(struct slice text, struct cef *out);
/* kv_next() gives the pairs while cef lives; values of CEF go to cef_unescape(). */
struct kv cef_pairs(const struct cef *cef);

/* Texts without backslashes are themselves. SLICE_NONE when memory is out. */
MUST_USE struct slice cef_unescape(struct slice text, struct arena *arena);
