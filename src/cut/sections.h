#pragma once
/*
 * cut/sections: texts of labels and values under headings, as Windows renders its events, over several lines or with
 * these made blanks.
 *
 *   An account failed to log on.              no label: passed over
 *
 *   Subject:                                  a heading
 *       Account Name:    WS1$                 Subject, Account Name, WS1$
 *   Logon Type:          3                    no heading
 *   Privileges:          SeBackupPrivilege
 *                        SeDebugPrivilege     the value goes on: it is moved in further than its label
 *
 * On one line two blanks part what line ends did; a label that is known may stand behind one.
 *
 * Ownership  Headings, labels and values are parts of the text.
 * Threads    One at a time.
 * Limits     Cost is linear in the text; labels have LABEL_BYTES_MAX.
 */
#include "base/map.h"
#include "base/slice.h"

enum { LABEL_BYTES_MAX = 64 };

/* What is known of a kind of text; read-only. */
struct section_words {
    const struct map *labels;   /* "LABEL" and "KIND.LABEL" */
    const struct map *headings; /* to the kind, a struct slice *, of each: several may be of one */
    const struct map *last;     /* labels whose value is all that follows */
    const struct slice *ends;   /* how the sentences begin that may stand behind the last value */
    uint32_t end_count;
};

struct sections {
    const struct section_words *words;
    struct slice rest, heading;
    bool lines; /* the text has line ends */
};

struct section_value {
    struct slice heading; /* or none */
    struct slice label, value; /* the value is never empty */
};

struct sections sections_begin(const struct section_words *words, struct slice text);
bool sections_next(struct sections *sections, struct section_value *out);
/* "KIND.LABEL" in labels, else "LABEL"; NULL: neither is known. */
void *sections_known(const struct section_words *words, struct slice heading, struct slice label);
