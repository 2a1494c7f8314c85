#include "collect/remote/kafka_place.h"

#include "base/limits.h"
#include "base/mem.h"

enum { VERSION = 1 };

void kafka_place_close(struct kafka_place *place)
{
    for (size_t i = 0; i < place->count; i++)
        mem_free(place->list[i].topic);
    mem_free(place->list);
    *place = (struct kafka_place){0};
}

static bool make_room(struct kafka_place *place)
{
    size_t size = place->size ? place->size * 2 : 16;
    struct kafka_partition *list = place->count < KAFKA_PARTITIONS_MAX ? mem_realloc(place->list, size * sizeof(*list)) : NULL;
    if (!list)
        return false;
    place->list = list;
    place->size = size;
    return true;
}

struct kafka_partition *kafka_place_at(struct kafka_place *place, struct slice topic, int32_t number)
{
    for (size_t i = 0; i < place->count; i++)
        if (place->list[i].number == number && slice_is(topic, place->list[i].topic))
            return &place->list[i];
    if (topic.len > KAFKA_TOPIC_BYTES_MAX || (place->count == place->size && !make_room(place)))
        return NULL;
    char *name = mem_strdup(topic.ptr, topic.len);
    if (!name)
        return NULL;
    place->list[place->count] = (struct kafka_partition){.topic = name, .number = number, .next = -1};
    return &place->list[place->count++];
}

void kafka_place_save(const struct kafka_place *place, struct buffer *to)
{
    buffer_put_varint(to, VERSION);
    buffer_put_varint(to, place->count);
    for (size_t i = 0; i < place->count; i++) {
        buffer_put_block(to, slice_text(place->list[i].topic));
        buffer_put_le32(to, (uint32_t)place->list[i].number);
        buffer_put_le64(to, (uint64_t)place->list[i].next);
    }
}

static bool take_partition(struct kafka_place *place, struct slice *from)
{
    struct slice topic;
    uint32_t number;
    uint64_t next;
    if (!slice_take_block(from, &topic) || !slice_take_le32(from, &number) || !slice_take_le64(from, &next))
        return false;
    struct kafka_partition *partition = kafka_place_at(place, topic, (int32_t)number);
    if (partition)
        partition->next = (int64_t)next;
    return partition;
}

int kafka_place_load(struct kafka_place *place, struct slice bytes, struct err *err)
{
    uint64_t version, count;
    kafka_place_close(place);
    bool fits = slice_take_varint(&bytes, &version) && version == VERSION && slice_take_varint(&bytes, &count) &&
                count <= KAFKA_PARTITIONS_MAX;
    for (uint64_t i = 0; fits && i < count; i++)
        fits = take_partition(place, &bytes);
    if (fits && bytes.len == 0)
        return 0;
    kafka_place_close(place);
    return err_set(err, ERR_CORRUPT, "the place up to which the topics were read cannot be understood");
}
