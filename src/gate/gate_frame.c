#include "gate/gate_frame.h"

#include "base/limits.h"
#include "gate/gate_text.h"

#include <errno.h>
#include <sys/socket.h>

static const char magic[4] = {'H', 'G', 'S', '1'};

/* decision of an answer that is none */
enum { REFUSED = 255 };

/* ---- frames ---- */

int gate_frame_head(struct slice head, struct gate_frame *out, struct err *err)
{
    uint32_t length;
    struct slice part = head, first;
    if (!slice_take(&part, 8, &first) || !slice_take_le32(&part, &length) || memcmp(first.ptr, magic, sizeof(magic)) != 0)
        return err_set(err, ERR_CORRUPT, "this is no frame of the gate (HGS1)");
    if (length > GATE_FRAME_BYTES_MAX)
        return err_set(err, ERR_CORRUPT, "a frame of %u bytes is too long; %u are taken", length, (unsigned)GATE_FRAME_BYTES_MAX);
    const unsigned char *bytes = (const unsigned char *)first.ptr;
    *out = (struct gate_frame){.kind = (enum gate_frame_kind)bytes[4],
                               .count = (uint16_t)(bytes[6] | bytes[7] << 8),
                               .body = {NULL, length}};
    return 0;
}

size_t gate_frame_begin(struct buffer *to, enum gate_frame_kind kind, uint16_t count)
{
    size_t begun = to->len;
    buffer_put(to, slice_of(magic, sizeof(magic)));
    buffer_put_char(to, (char)kind);
    buffer_put_char(to, 0);
    buffer_put_char(to, (char)(count & 255));
    buffer_put_char(to, (char)(count >> 8));
    buffer_put_le32(to, 0);
    return begun;
}

static void set_length(struct buffer *to, size_t at, size_t length)
{
    for (size_t i = 0; i < 4 && !to->failed; i++)
        to->ptr[at + i] = (char)(length >> (8 * i));
}

void gate_frame_end(struct buffer *to, size_t begun)
{
    set_length(to, begun + 8, to->len - begun - GATE_FRAME_HEAD);
}

/* ---- requests ---- */

/* Whole nanoseconds since 1970; empty is none. */
static int read_time(struct slice text, const char *name, int64_t *out, struct err *err)
{
    *out = 0;
    if (!text.len || (slice_to_i64(text, out) && *out >= 0))
        return 0;
    return err_set(err, ERR_CONFIG, "%s is nanoseconds since 1970", name);
}

int gate_request_from_canonical(struct slice bytes, struct gate_request *out, struct err *err)
{
    struct slice amount, at, expiry;
    *out = (struct gate_request){0};
    if (!gate_text_take(&bytes, &out->request_id) || !gate_text_take(&bytes, &out->action) || !gate_text_take(&bytes, &out->account) ||
        !gate_text_take(&bytes, &out->asset) || !gate_text_take(&bytes, &amount) || !gate_text_take(&bytes, &out->wallet) ||
        !gate_text_take(&bytes, &out->destination) || !gate_text_take(&bytes, &at) || !gate_text_take(&bytes, &out->nonce) ||
        !gate_text_take(&bytes, &expiry) || (bytes.len && (!gate_text_take(&bytes, &out->payload) || !out->payload.len)) || bytes.len)
        return err_set(err, ERR_CONFIG, "a request has ten fields in fixed order and perhaps a payload, each with its length");
    out->has_amount = amount.len > 0;
    if (out->has_amount && !decimal_parse(amount, &out->amount))
        return err_set(err, ERR_CONFIG, "amount is no number of at most 38 digits");
    return read_time(at, "at", &out->at_ns, err) < 0 ? -1 : read_time(expiry, "expiry", &out->expiry_ns, err);
}

int gate_frame_take_request(struct slice *body, struct gate_request *out, struct err *err)
{
    struct slice bytes;
    if (!gate_text_take(body, &bytes))
        return err_set(err, ERR_CORRUPT, "the frame ends within a request");
    return gate_request_from_canonical(bytes, out, err);
}

/* ---- answers ---- */

void gate_frame_put_answer(struct buffer *to, const struct gate_ask *ask)
{
    const struct gate_answer *answer = &ask->answer;
    size_t begun = to->len;
    buffer_put_le32(to, 0);
    buffer_put_char(to, (char)(ask->refused ? REFUSED : (int)answer->decision));
    buffer_put_char(to, answer->shadow);
    buffer_put_le64(to, (uint64_t)answer->at_ns);
    buffer_put_le64(to, (uint64_t)answer->token_expiry_ns);
    gate_text_put(to, slice_text(answer->id));
    gate_text_put(to, ask->refused ? (ask->refused == ERR_CONFLICT ? SLICE("conflict") : SLICE("invalid")) : answer->row);
    gate_text_put(to, answer->incident);
    gate_text_put(to, answer->policy_version);
    gate_text_put(to, answer->token);
    buffer_put_char(to, (char)(ask->refused ? 1 : answer->reason_count));
    for (size_t i = 0; !ask->refused && i < answer->reason_count; i++) {
        gate_text_put(to, answer->reasons_en[i]);
        gate_text_put(to, answer->reasons_ja[i]);
    }
    if (ask->refused) {
        gate_text_put(to, slice_text(ask->why));
        gate_text_put(to, slice_text(ask->why));
    }
    set_length(to, begun, to->len - begun - 4);
}

bool gate_frame_receive(int fd, char *to, size_t len)
{
    while (len) {
        ssize_t got = recv(fd, to, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        len -= (size_t)got;
    }
    return true;
}
