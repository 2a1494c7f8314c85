#include "collect/remote/poll_state.h"

#include "base/limits.h"

enum { VERSION_WITHOUT_CUT = 1, VERSION = 2 };

void poll_state_init(struct poll_state *state)
{
    *state = (struct poll_state){0};
    buffer_init(&state->next, POLL_NEXT_BYTES_MAX);
    poll_seen_init(&state->seen);
}

void poll_state_close(struct poll_state *state)
{
    buffer_close(&state->next);
    poll_seen_close(&state->seen);
}

bool poll_state_set_next(struct poll_state *state, struct slice next)
{
    buffer_clear(&state->next);
    buffer_put(&state->next, next);
    return !buffer_failed(&state->next);
}

void poll_state_forget_skip(struct poll_state *state)
{
    state->skip = state->skip_of = state->cut = state->cut_of = 0;
}

void poll_state_save(const struct poll_state *state, struct buffer *to)
{
    buffer_put_varint(to, VERSION);
    buffer_put_le64(to, (uint64_t)state->at_ns);
    buffer_put_le64(to, (uint64_t)state->from_ns);
    buffer_put_le64(to, (uint64_t)state->to_ns);
    buffer_put_varint(to, state->part);
    buffer_put_varint(to, state->page);
    buffer_put_varint(to, state->skip);
    buffer_put_le64(to, state->skip_of);
    buffer_put_varint(to, state->cut);
    buffer_put_le64(to, state->cut_of);
    buffer_put_block(to, buffer_slice(&state->next));
    poll_seen_save(&state->seen, to);
}

static bool take_time(struct slice *from, int64_t *to)
{
    uint64_t bits;
    bool fits = slice_take_le64(from, &bits) && bits <= INT64_MAX;
    *to = fits ? (int64_t)bits : 0;
    return fits;
}

int poll_state_load(struct poll_state *state, struct slice bytes, struct err *err)
{
    uint64_t version;
    struct slice next;
    bool fits = slice_take_varint(&bytes, &version) && version >= VERSION_WITHOUT_CUT && version <= VERSION && take_time(&bytes, &state->at_ns) &&
                take_time(&bytes, &state->from_ns) && take_time(&bytes, &state->to_ns) &&
                slice_take_varint(&bytes, &state->part) && slice_take_varint(&bytes, &state->page) &&
                slice_take_varint(&bytes, &state->skip) && slice_take_le64(&bytes, &state->skip_of) &&
                (version == VERSION_WITHOUT_CUT ||
                 (slice_take_varint(&bytes, &state->cut) && slice_take_le64(&bytes, &state->cut_of))) &&
                slice_take_block(&bytes, &next) && poll_state_set_next(state, next) &&
                poll_seen_load(&state->seen, &bytes);
    if (fits && bytes.len == 0)
        return 0;
    poll_state_close(state);
    poll_state_init(state);
    return err_set(err, ERR_CORRUPT, "the place up to which it was read cannot be understood");
}
