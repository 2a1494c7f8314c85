#include "gate/gate_text.h"

void gate_text_put(struct buffer *to, struct slice text)
{
    buffer_put_le32(to, (uint32_t)text.len);
    buffer_put(to, text);
}

bool gate_text_take(struct slice *from, struct slice *out)
{
    uint32_t length;
    return slice_take_le32(from, &length) && slice_take(from, length, out);
}
