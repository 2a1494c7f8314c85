#pragma once
/*
 * cut/user_agent: what a User-Agent header says about the program, its system and the device, as far as a
 * short table of marks can tell. Everybody may claim anything there.
 *
 * Source   RFC 9110, section 10.1.5; the forms that browsers, crawlers, libraries and tools send.
 * Threads  any; results borrow from the text or are constants.
 */
#include "base/slice.h"

enum { UA_VERSION_SIZE = 32 };

struct user_agent {
    struct slice name;    /* "Chrome"; "Other" when none is known */
    struct slice version; /* or empty */
    struct slice os_name; /* "Windows", "Mac OS X", or empty */
    struct slice os_version_text;
    char os_version_room[UA_VERSION_SIZE];
    struct slice device; /* "iPhone", "Spider", "Other" */
};

void user_agent_cut(struct slice text, struct user_agent *out);
