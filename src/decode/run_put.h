#pragma once
/*
 * decode/run_put: names that only the event knows become fields: keys of kv, CEF, XML and the like.
 *
 *   struct key_put put = keys_begin(run, keys);
 *   while (... && keys_room(&put))
 *       keys_put(&put, key, value);
 *
 * Threads  Part of a runner, one thread's.
 */
#include "decode/decode_run.h"
#include "decode/verb.h"

/* How keys become fields: those in names are these fields, the others PREFIX.KEY. */
struct keys {
    struct slice under;
    const struct map *names;  /* to the field's number + 1; or NULL */
    const struct slice *skip; /* values that say that there is none */
    uint32_t skip_count;
    uint32_t table; /* 1 + number of its struct key_table, or 0: it has none */
};

/* The options "under" (fallback when it is not given), "names" and "skip". */
MUST_USE int keys_compile(struct decoder_compiler *compiler, const struct yaml_node *node,
                          const char *fallback, struct keys *out);

struct key_put {
    struct run *run;
    const struct keys *keys;
    struct key_table *table; /* or NULL */
    struct known_key *last;  /* the one before, if it is known */
    uint32_t count;
};

struct key_put keys_begin(struct run *run, const struct keys *keys);
/* False, and the event is marked, when it has EVENT_FIELDS_MAX of them already. */
bool keys_room(struct key_put *put);
/* value.ptr NULL: memory was out where it was made. Borrowed from the batch or the delivery. */
void keys_put(struct key_put *put, struct slice key, struct slice value);
/* As it is, whatever "skip" says. */
void keys_put_value(struct key_put *put, struct slice key, struct value v);
