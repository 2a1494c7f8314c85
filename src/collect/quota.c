#include "collect/quota.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

enum { ID_MAX = 64 };

struct bucket {
    char id[ID_MAX];
    size_t id_len;
    double left; /* events; below 0: taken ahead */
    int64_t filled_ns;
};

struct quotas {
    struct bucket buckets[QUOTA_TOKENS_MAX];
    size_t count;
};

struct quotas *quotas_new(void)
{
    return mem_calloc(1, sizeof(struct quotas));
}

void quotas_free(struct quotas *quotas)
{
    mem_free(quotas);
}

static struct bucket *bucket_of(struct quotas *quotas, struct slice id, double full, int64_t now_ns)
{
    struct bucket *oldest = &quotas->buckets[0];
    for (size_t i = 0; i < quotas->count; i++) {
        struct bucket *bucket = &quotas->buckets[i];
        if (slice_equal(slice_of(bucket->id, bucket->id_len), id))
            return bucket;
        oldest = bucket->filled_ns < oldest->filled_ns ? bucket : oldest;
    }
    struct bucket *fresh = quotas->count < QUOTA_TOKENS_MAX ? &quotas->buckets[quotas->count++] : oldest;
    *fresh = (struct bucket){.left = full, .filled_ns = now_ns, .id_len = id.len < ID_MAX ? id.len : ID_MAX};
    memcpy(fresh->id, id.ptr, fresh->id_len);
    return fresh;
}

int quotas_spend(struct quotas *quotas, struct slice token_id, uint64_t events_per_second, uint64_t events, int64_t now_ns)
{
    double rate = (double)events_per_second, full = rate * QUOTA_BURST_S;
    struct bucket *bucket = bucket_of(quotas, token_id, full, now_ns);
    bucket->left += (double)(now_ns - bucket->filled_ns) / NS_PER_SECOND * rate;
    bucket->left = bucket->left < full ? bucket->left : full;
    bucket->filled_ns = now_ns;
    if (bucket->left <= 0) {
        double wait = -bucket->left / rate;
        return wait < 3600 ? 1 + (int)wait : 3600;
    }
    bucket->left -= (double)events;
    return 0;
}
