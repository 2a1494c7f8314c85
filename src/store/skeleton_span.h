#pragma once
/*
 * store/skeleton_span: whether a needle may lie across the slots of a skeleton, told from what
 * stands between them and what they can say, without putting a row together.
 *
 *   needle    "password for root"
 *   skeleton  … ‹ Failed password for › [slot] ‹ from › [slot] …
 *              the stretch ends with the needle's first 13 bytes, and a text of the slot begins
 *              with the other 4, or it cannot be there
 *
 * Which of the needle's beginnings have been matched at the end of a piece is kept as positions, as
 * in the simulation of a nondeterministic automaton (K. Thompson, "Regular expression search
 * algorithm", CACM 11, 1968). Doubt counts as yes.
 *
 * Ownership  Everything borrowed; memory is the arena's. Threads: one.
 */
#include "store/skeleton_find.h"
#include "store/skeleton_reader.h"

/* What a slot can say of the needle. */
struct span_slot {
    const char *bytes;     /* only such, letters in lower case; NULL: any */
    size_t prefix, suffix; /* of the needle, the longest that a text of it may have inside */
};

struct skeleton_span {
    const struct needle *needle; /* folded, unless cased */
    bool *reached, *next;        /* by position in the needle: so much of it may end here */
    struct slice texts;          /* that slots keep, one behind the other */
    struct span_slot page;       /* of them; prefix SIZE_MAX: not asked yet */
    struct span_slot *sources;   /* of columns, likewise */
};

/* page: all texts that REST and DICT slots keep, one behind the other. */
MUST_USE int skeleton_span_init(struct skeleton_span *span, const struct needle *needle,
                                struct slice page, uint32_t source_count, struct arena *arena);
/* What a REST or DICT slot can say. */
const struct span_slot *skeleton_span_page(struct skeleton_span *span);
void skeleton_span_begin(struct skeleton_span *span); /* a skeleton's start */
/* The next stretch, folded as the needle is; true when the needle may end in it. */
bool skeleton_span_stretch(struct skeleton_span *span, struct slice text);
/* The next slot; true when the needle may end in it. */
bool skeleton_span_slot(struct skeleton_span *span, const struct span_slot *slot);
/* What a text, or many behind one another, can say; bytes are of the caller. */
struct span_slot skeleton_span_text(const struct needle *needle, struct slice text);
