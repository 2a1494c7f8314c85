#pragma once
/*
 * collect/kafka_place: the next offset of each partition, which is stored with the events before it.
 *
 * Ownership  Owns its memory until kafka_place_close(). Zeroed memory is a valid start.
 * Threads    One.
 * Limits     KAFKA_PARTITIONS_MAX; names of topics up to KAFKA_TOPIC_BYTES_MAX.
 */
#include "base/buffer.h"
#include "base/err.h"

struct kafka_partition {
    char *topic;
    int32_t number;
    int64_t next;    /* offset; -1: nothing is known */
    bool is_changed; /* since it was committed */
};

struct kafka_place {
    struct kafka_partition *list;
    size_t count, size;
};

void kafka_place_close(struct kafka_place *place);
/* Made when it is not there; NULL: memory or room is out. Lives until the next one is made. */
MUST_USE struct kafka_partition *kafka_place_at(struct kafka_place *place, struct slice topic, int32_t number);

void kafka_place_save(const struct kafka_place *place, struct buffer *to);
/* -1: it is none; the place is empty. */
MUST_USE int kafka_place_load(struct kafka_place *place, struct slice bytes, struct err *err);
