#pragma once
/*
 * collect/otlp_write: OTLP's JSON form, as a tree, in the plain form that events have (collect/http/otlp_parse.h).
 *
 * Threads  One JSON writer belongs to one thread.
 */
#include "base/json.h"
#include "cut/json_tree.h"

/* Whether a key is that field's name: timeUnixNano, or time_unix_nano as some senders write it. */
bool otlp_is_named(struct slice key, const char *name);
/* The first member of that name, or NULL. */
const struct json_node *otlp_get(const struct json_node *node, const char *name);
/* A time in ns, however it is written; 0 when it is missing, no number or after the year 2262. */
int64_t otlp_time(const struct json_node *node);

/* All members of an object, each in its plain form, into an object that is open. skip: names that are left out, ends
 * with NULL. */
void otlp_put_members(struct json *json, const struct json_node *node, const char *const *skip);
/* A list of attributes as an object. */
void otlp_put_attributes(struct json *json, const struct json_node *list);
