#include "gate/effects_parts.h"

#include "base/limits.h"

#include <sodium.h>
#include <stdint.h>

const char *effect_kind_name(enum effect_kind kind)
{
    static const char *const names[] = {"transfer", "approval", "unknown", "ownership", "upgrade", "delegatecall"};
    return names[kind];
}

/* ---- for the readers ---- */

struct effect *effects_add(struct effects_reading *reading, enum effect_kind kind, const char *what)
{
    struct effects *out = reading->out;
    bool full = out->count == GATE_EFFECTS_MAX;
    struct effect *effect = &out->list[full ? GATE_EFFECTS_MAX : out->count++];
    *effect = (struct effect){.kind = kind, .what = slice_text(what)};
    if (full)
        out->list[GATE_EFFECTS_MAX - 1] = (struct effect){.kind = kind > EFFECT_UNKNOWN ? kind : EFFECT_UNKNOWN,
                                                          .what = SLICE("more effects than are told")};
    return effect;
}

static struct slice kept(struct effects_reading *reading, struct slice text)
{
    struct slice copy = arena_copy(reading->arena, text);
    reading->failed |= copy.ptr == NULL;
    return copy.ptr ? copy : SLICE("");
}

struct slice effects_hex(struct effects_reading *reading, struct slice bytes)
{
    size_t size = 2 * bytes.len + 3;
    char *to = arena_alloc(reading->arena, size);
    reading->failed |= !to;
    if (!to)
        return SLICE("");
    to[0] = '0';
    to[1] = 'x';
    sodium_bin2hex(to + 2, size - 2, (const unsigned char *)bytes.ptr, bytes.len);
    return slice_of(to, size - 1);
}

enum { WORD = 32, LIMBS = WORD / 4, DIGITS_MAX = 78, BILLION = 1000000000 };

/* Divides by a billion; the rest. */
static uint32_t next_digits(uint32_t limbs[LIMBS])
{
    uint64_t rest = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t n = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(n / BILLION);
        rest = n % BILLION;
    }
    return (uint32_t)rest;
}

struct slice effects_number(struct effects_reading *reading, struct slice big_endian)
{
    uint32_t limbs[LIMBS] = {0};
    char text[DIGITS_MAX + 12], *at = text + sizeof(text);
    for (size_t i = 0; i < big_endian.len && i < WORD; i++) {
        size_t place = WORD - big_endian.len + i;
        limbs[place / 4] |= (uint32_t)(unsigned char)big_endian.ptr[i] << (24 - 8 * (place % 4));
    }
    for (size_t part = 0; part < (DIGITS_MAX + 8) / 9; part++) {
        uint32_t digits = next_digits(limbs);
        for (size_t i = 0; i < 9; i++, digits /= 10)
            *--at = (char)('0' + digits % 10);
    }
    while (*at == '0' && at < text + sizeof(text) - 1)
        at++;
    return kept(reading, slice_of(at, (size_t)(text + sizeof(text) - at)));
}

struct slice effects_u128(struct effects_reading *reading, uint64_t high, uint64_t low)
{
    char bytes[16];
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (char)(high >> (56 - 8 * i));
        bytes[8 + i] = (char)(low >> (56 - 8 * i));
    }
    return effects_number(reading, slice_of(bytes, sizeof(bytes)));
}

/* ---- reading ---- */

bool effects_read(struct slice payload, struct arena *arena, struct effects *out)
{
    struct effects_reading reading = {.arena = arena, .out = out};
    *out = (struct effects){.list = arena_array(arena, GATE_EFFECTS_MAX + 1, sizeof(*out->list))};
    if (!out->list)
        return false;
    if (payload.len > GATE_PAYLOAD_BYTES_MAX) {
        effects_add(&reading, EFFECT_UNKNOWN, "more bytes than are read");
    } else if (!psbt_read(&reading, payload) && !evm_transaction_read(&reading, payload)) {
        out->chain = CHAIN_EVM;
        evm_call_read(&reading, SLICE_NONE, payload, 0);
    }
    return !reading.failed;
}

enum effect_kind effects_worst(const struct effects *effects)
{
    enum effect_kind worst = EFFECT_TRANSFER;
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind > worst)
            worst = effects->list[i].kind;
    return effects->count ? worst : EFFECT_UNKNOWN;
}

static void put_part(struct buffer *to, const char *name, struct slice text)
{
    if (text.len)
        buffer_printf(to, "%s%.*s", name, SLICE_ARG(text));
}

struct slice effect_text(const struct effect *effect, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, 16 * KIB);
    buffer_put_text(&text, effect_kind_name(effect->kind));
    put_part(&text, " ", effect->amount);
    put_part(&text, " token ", effect->token);
    if (effect->is_coin)
        buffer_put_text(&text, " of the coin");
    put_part(&text, " of contract ", effect->contract);
    put_part(&text, " from ", effect->from);
    put_part(&text, " to ", effect->to);
    buffer_printf(&text, " (%.*s)", SLICE_ARG(effect->what));
    struct slice line = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return line;
}
