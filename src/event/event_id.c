#include "event/event_id.h"

static void put_hex(uint64_t n, char to[16])
{
    for (int i = 15; i >= 0; i--, n >>= 4)
        to[i] = "0123456789abcdef"[n & 15];
}

void event_id_from_seq(uint64_t store_id, uint64_t seq, char to[EVENT_ID_SIZE])
{
    put_hex(store_id, to);
    put_hex(seq, to + 16);
}

static bool take_hex(struct slice text, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool event_id_parse(struct slice text, uint64_t *store_id, uint64_t *seq)
{
    return text.len == EVENT_ID_SIZE && take_hex(slice_sub(text, 0, 16), store_id) &&
           take_hex(slice_sub(text, 16, 16), seq);
}
