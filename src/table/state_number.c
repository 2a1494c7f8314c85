/* Numbers in the cells of state tables. */
#include "table/state_cell.h"

enum { WORD_BYTES = 8, NUMBER_BYTES_MAX = 32 };

/* Two's complement without the bytes in front that only repeat the sign. */
void number_put(struct buffer *to, const struct decimal_sum *number)
{
    uint64_t word[4];
    unsigned char bytes[2 + NUMBER_BYTES_MAX];
    decimal_sum_units(number, word);
    for (int i = 0; i < NUMBER_BYTES_MAX; i++)
        bytes[2 + i] = (unsigned char)(word[i / WORD_BYTES] >> (i % WORD_BYTES * 8));
    unsigned char sign = word[3] >> 63 ? 0xff : 0;
    size_t len = NUMBER_BYTES_MAX;
    while (len > 1 && bytes[1 + len] == sign && (bytes[len] & 0x80) == (sign & 0x80))
        len--;
    bytes[0] = number->scale;
    bytes[1] = (unsigned char)len;
    buffer_put(to, slice_of((const char *)bytes, 2 + len));
}

bool number_skip(struct slice *from, struct slice *out)
{
    if (from->len < 3 || (unsigned char)from->ptr[0] > DECIMAL_DIGITS_MAX)
        return false;
    size_t len = (unsigned char)from->ptr[1];
    return len >= 1 && len <= NUMBER_BYTES_MAX && slice_take(from, 2 + len, out);
}

bool number_take(struct slice *from, struct decimal_sum *out)
{
    struct slice bytes;
    unsigned char all[NUMBER_BYTES_MAX];
    uint64_t word[4] = {0};
    if (!number_skip(from, &bytes))
        return false;
    memset(all, bytes.ptr[bytes.len - 1] & 0x80 ? 0xff : 0, sizeof(all));
    memcpy(all, bytes.ptr + 2, bytes.len - 2);
    for (size_t w = 0; w < 4; w++)
        for (size_t i = WORD_BYTES; i-- > 0;)
            word[w] = word[w] << 8 | all[w * WORD_BYTES + i];
    decimal_sum_of_units(word, (uint8_t)bytes.ptr[0], out);
    return true;
}

bool number_of(struct value v, struct arena *scratch, struct decimal *out)
{
    struct value number;
    if (!value_to_number(v, scratch, &number))
        return false;
    if (number.type == VALUE_I64)
        *out = decimal_from_i64(number.i64);
    else if (number.type == VALUE_DECIMAL)
        *out = value_get_decimal(number);
    else
        return false;
    return true;
}

struct value number_value(const struct decimal_sum *number, struct arena *scratch)
{
    struct decimal total;
    return decimal_sum_total(number, &total) ? value_decimal(decimal_trim(total), scratch) : value_null();
}

bool cell_one(struct value v, struct arena *scratch, struct value_list *out)
{
    struct value *one = v.type == VALUE_NULL ? NULL : arena_alloc(scratch, sizeof(*one));
    if (!one)
        return false;
    *one = v;
    *out = (struct value_list){one, 1};
    return true;
}
