/* Bytes as a frame on the gate's socket: heads and requests are read within their bounds, and a request that is read has canonical
 * bytes that say the same request. */
#include "base/limits.h"
#include "gate/gate_frame.h"
#include "gate/token.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct gate_request *request)
{
    struct buffer bytes, twice;
    struct gate_request again;
    struct err err;
    buffer_init(&bytes, MIB);
    buffer_init(&twice, MIB);
    request_canonical(request, &bytes);
    assert(gate_request_from_canonical(buffer_slice(&bytes), &again, &err) == 0);
    request_canonical(&again, &twice);
    assert(slice_equal(buffer_slice(&bytes), buffer_slice(&twice)));
    buffer_close(&bytes);
    buffer_close(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct gate_frame frame;
    struct slice body = slice_of(data, size);
    if (gate_frame_head(body, &frame, &err) == 0) {
        assert(frame.body.len <= GATE_FRAME_BYTES_MAX);
        body = slice_from(body, GATE_FRAME_HEAD);
    } else {
        assert(err.text[0]);
    }
    for (size_t i = 0; i < GATE_ASK_MAX && body.len; i++) {
        struct gate_request request;
        size_t before = body.len;
        if (gate_frame_take_request(&body, &request, &err) == 0) {
            assert(request.at_ns >= 0 && request.expiry_ns >= 0);
            read_again(&request);
        } else if (err.code == ERR_CORRUPT) {
            break;
        }
        assert(body.len < before);
    }
    return 0;
}
