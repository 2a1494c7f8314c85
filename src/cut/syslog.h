#pragma once
/*
 * cut/syslog: the header of a syslog message, RFC 5424 or the many habits that
 * RFC 3164 describes (missing priority, missing host, ISO stamps, a year in the
 * stamp, milliseconds).
 *
 *   <PRI>1 STAMP HOST APP PROCID MSGID [ID k="v"] MESSAGE
 *   <PRI>Jan 26 09:11:02 HOST APP[PID]: MESSAGE
 *
 * What is not there is SLICE_NONE. Nothing is copied.
 */
#include "base/slice.h"
#include "base/zone.h"

struct syslog {
    int priority; /* facility * 8 + severity, or -1 */
    int version;  /* 1 for RFC 5424, else 0 */
    bool has_time;
    int64_t time_ns;
    struct slice stamp; /* as written */
    struct slice host, app, pid, message_id;
    struct slice data; /* structured data with its brackets */
    struct slice message;
};

/* zone for stamps that name none (NULL is UTC), near_ns for those without a year. False when the
 * text has neither a priority nor a stamp at its start. */
bool syslog_cut(struct slice text, const struct zone *zone, int64_t near_ns, struct syslog *out);

const char *syslog_facility_name(int priority);
const char *syslog_severity_name(int priority);

/* Takes the next element off structured data: its id and the rest of its inside; then its
 * parameters. False at the end. */
bool syslog_next_element(struct slice *data, struct slice *id, struct slice *parameters);
bool syslog_next_parameter(struct slice *parameters, struct slice *name, struct slice *value,
                           bool *escaped);
