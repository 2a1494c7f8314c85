/* Unsigned transactions of Ethereum: RLP, legacy or typed. */
#include "gate/effects_parts.h"

enum { ADDRESS = 20, WORD = 32, FIELDS_MAX = 9 };

struct item {
    bool is_list;
    struct slice content;
};

/* A length of more than 55 bytes stands in as few bytes as it needs. */
static bool take_length(struct slice *from, size_t size, size_t *out)
{
    struct slice bytes;
    if (size > 3 || !slice_take(from, size, &bytes) || bytes.ptr[0] == 0)
        return false;
    *out = 0;
    for (size_t i = 0; i < size; i++)
        *out = *out << 8 | (unsigned char)bytes.ptr[i];
    return *out > 55;
}

static bool take_item(struct slice *from, struct item *out)
{
    struct slice head;
    if (!slice_take(from, 1, &head))
        return false;
    unsigned char first = (unsigned char)head.ptr[0];
    out->is_list = first >= 0xc0;
    out->content = head;
    if (first < 0x80)
        return true;
    size_t length = first - (out->is_list ? 0xc0U : 0x80U);
    if (length > 55 && !take_length(from, length - 55, &length))
        return false;
    if (!slice_take(from, length, &out->content))
        return false;
    return out->is_list || length != 1 || (unsigned char)out->content.ptr[0] >= 0x80;
}

/* The members of a list that is all of bytes; 0: it is none, or has more. */
static size_t read_fields(struct slice bytes, struct item fields[FIELDS_MAX])
{
    struct item list;
    size_t count = 0;
    if (!take_item(&bytes, &list) || bytes.len || !list.is_list)
        return 0;
    while (list.content.len) {
        if (count == FIELDS_MAX || !take_item(&list.content, &fields[count]))
            return 0;
        count++;
    }
    return count;
}

static bool is_number(const struct item *item)
{
    return !item->is_list && item->content.len <= WORD && (item->content.len == 0 || item->content.ptr[0] != 0);
}

/* Where the fields are that tell what happens. */
struct layout {
    size_t fields, chain_id, price, gas, to, value, data;
};
enum { NONE = FIELDS_MAX };
static const struct layout before_155 = {6, NONE, 1, 2, 3, 4, 5}, legacy = {9, 6, 1, 2, 3, 4, 5}, typed[] = {
    {0}, {8, 0, 2, 3, 4, 5, 6}, {9, 0, 3, 4, 5, 6, 7}};

static bool small(struct slice number, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < number.len; i++)
        *out = *out << 8 | (unsigned char)number.ptr[i];
    return number.len <= 8;
}

static void tell_fee(struct effects_reading *reading, struct slice price, struct slice gas)
{
    uint64_t a, b;
    if (!small(price, &a) || !small(gas, &b))
        return;
    __extension__ unsigned __int128 fee = (unsigned __int128)a * b;
    reading->out->fee = effects_u128(reading, (uint64_t)(fee >> 64), (uint64_t)fee);
}

static bool well_formed(const struct item *fields, size_t count, const struct layout *layout)
{
    for (size_t i = 0; i < count; i++) {
        bool access = layout != &legacy && layout != &before_155 && i == count - 1;
        if (fields[i].is_list != access)
            return false;
        if (!access && i != layout->to && i != layout->data && !is_number(&fields[i]))
            return false;
    }
    size_t to = fields[layout->to].content.len;
    return (to == 0 || to == ADDRESS) && (layout != &legacy || (!fields[7].content.len && !fields[8].content.len));
}

static void tell(struct effects_reading *reading, const struct item *fields, const struct layout *layout)
{
    struct slice to = fields[layout->to].content;
    if (layout->chain_id != NONE)
        reading->out->chain_id = effects_number(reading, fields[layout->chain_id].content);
    tell_fee(reading, fields[layout->price].content, fields[layout->gas].content);
    if (!to.len)
        effects_add(reading, EFFECT_UNKNOWN, "makes a new contract");
    else
        evm_carry_read(reading, to, fields[layout->value].content, fields[layout->data].content, 0);
}

bool evm_transaction_read(struct effects_reading *reading, struct slice payload)
{
    struct item fields[FIELDS_MAX];
    unsigned char type = payload.len ? (unsigned char)payload.ptr[0] : 0;
    bool is_typed = type == 1 || type == 2;
    size_t count = read_fields(is_typed ? slice_from(payload, 1) : payload, fields);
    if (!count)
        return false;
    const struct layout *layout = is_typed ? &typed[type] : count == before_155.fields ? &before_155 : &legacy;
    reading->out->chain = CHAIN_EVM;
    if (count != layout->fields || !well_formed(fields, count, layout))
        effects_add(reading, EFFECT_UNKNOWN, "a transaction whose fields are not those of an unsigned one");
    else
        tell(reading, fields, layout);
    return true;
}
