#pragma once
/* pattern/regex_machine_inside: the machine as its reader (regex_machine_parse.c) and its walks
 * (regex_machine.c) know it. */
#include "pattern/regex_machine.h"

/* Sets of positions have REGEX_POSITION_WORDS words. */
struct regex_side {
    uint64_t start[REGEX_POSITION_WORDS]; /* a match begins with one of them */
    uint64_t end[REGEX_POSITION_WORDS];   /* a match ends with one of them */
    uint64_t (*follow)[REGEX_POSITION_WORDS]; /* by position */
    bool starts[256];                     /* whether a byte is one of start */
    int only_start;                       /* the only byte that is; -1: there are others */
};

struct regex_machine {
    struct arena *arena;
    uint32_t count; /* of positions */
    uint32_t words; /* of sets that are in use */
    bool open;      /* assertions and the like: what is around a match may matter */
    struct regex_side sides[2]; /* forward, backward */
    uint64_t (*byte)[REGEX_POSITION_WORDS]; /* which positions a byte may be */
};

/* Positions and what follows what on the forward side; false as regex_machine_add(). */
bool regex_machine_parse(struct regex_machine *machine, struct slice pattern);
