#pragma once
/*
 * cut/json_records: JSON texts that hold many events cut into them: what clouds store and tools export.
 *
 *   {"Records":[{...},{...}]}         CloudTrail's files; "records" of Azure, "value" of Microsoft Graph
 *   [ {...}, {...} ]                  az, gcloud, aws, most consoles
 *   {                                 events over several lines, one behind the other
 *     "a": 1
 *   }
 *
 * What stands around the events (brackets, commas, the one member that holds the list) is in none of them. Other
 * members behind such a list, and whatever else is no object, come as they are, so that nothing is lost unseen.
 *
 * Ownership  A record is a part of the text.
 * Threads    A state belongs to one thread.
 * Limits     Cost is linear in the text, as long as the caller does not ask again without more of it.
 */
#include "base/slice.h"

/* All zero: at the beginning of a text. */
struct json_records {
    bool inside; /* a list of events */
    bool within; /* an object that holds the list */
};

/* Whether a text that begins so holds its events in one of these ways; not for one object a line. */
bool json_records_detect(struct slice head);

/* The next record of text, which goes on where the last call left it: *used bytes are done with, in any case.
 * False: text has to be longer for that, or there is none any more. With all, no more text follows; what is
 * not whole then is a record all the same. */
bool json_records_next(struct json_records *state, struct slice text, bool all, size_t *used,
                       struct slice *record);
