/* Slots and forms: whatever is written comes back byte for byte. */
#include "test.h"

#include "base/limits.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/skeleton_form.h"
#include "store/skeleton_slot.h"

#include <stdio.h>
#include <string.h>

enum { TOKENS = 300, ROUNDS = 400 };

static int write_token(char text[256], unsigned shape, unsigned long long n,
                       unsigned long long low, unsigned long long high)
{
    switch (shape) {
    case 0: return snprintf(text, 256, "%llu", n >> 8);
    case 1: return snprintf(text, 256, "%06llu", n % 1000000);
    case 2: return snprintf(text, 256, "%llx", n);
    case 3: return snprintf(text, 256, "0x%llx", n);
    case 4: return snprintf(text, 256, "%08llX", n & 0xffffffff);
    case 5: return snprintf(text, 256, "%016llx", low);
    case 6: return snprintf(text, 256, "0x%012llX", low >> 16);
    case 7: return snprintf(text, 256, "user-%llu", n);
    case 8: return snprintf(text, 256, "%llu.%03llu", n, low % 1000);
    case 9: return snprintf(text, 256, "%llu.0.0.1", n);
    case 10: /* a GUID */
        return snprintf(text, 256, "%08llx-%04llx-%04llx-%04llx-%012llx", high >> 32,
                        high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffff);
    case 11: /* an address, sometimes not quite */
        return snprintf(text, 256, "%llu.%llu.%llu.%llu%s", low & 255, high & 255, low >> 8 & 255,
                        high >> 8 & 255, low >> 54 ? "" : ".7");
    case 12: /* a date that looks like a number with a fraction, and one */
        return low & 1 ? snprintf(text, 256, "2005.06.%02llu", low >> 8 & 31)
                       : snprintf(text, 256, "2005.060%02llu", low >> 8 & 31);
    case 13: /* few texts */
        return snprintf(text, 256, "one of %llu", low & 7);
    default: /* any bytes */
        for (size_t i = 0; i < (high & 31); i++)
            text[i] = (char)(low >> (i & 7));
        return (int)(high & 31);
    }
}

static struct slice random_token(struct arena *arena, unsigned shape, const struct hin_rand *rand)
{
    char text[256];
    unsigned long long n = rand_u64(rand) >> (rand_u64(rand) & 63);
    unsigned long long low = rand_u64(rand), high = rand_u64(rand);
    int len = write_token(text, shape, n, low, high);
    return arena_copy(arena, slice_of(text, (size_t)len));
}

static struct slice token_again(const struct slot_tokens *read, const struct slice *tokens,
                                uint32_t n, char text[SLOT_TEXT_MAX])
{
    if (read->coding.kind == SLOT_REST)
        return tokens[n];
    return read->coding.kind == SLOT_DICT ? tokens[read->coding.dict[read->codes[n]]]
                                          : slot_print(read, n, text);
}

static void slots_give_back_their_tokens(void **state)
{
    (void)state;
    struct rand_seeded seeded;
    rand_seeded_init(&seeded, 7);
    unsigned kinds = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct arena *arena = arena_new(64 * MIB);
        struct buffer data;
        struct slice tokens[TOKENS];
        uint32_t count = 1 + (uint32_t)rand_below(&seeded.rand, TOKENS);
        unsigned shape = round % 15, other = (unsigned)rand_below(&seeded.rand, 15);
        bool mixed = round % 4 == 3;
        for (uint32_t i = 0; i < count; i++)
            tokens[i] = random_token(arena, mixed && i == count / 2 ? other : shape, &seeded.rand);
        buffer_init(&data, 16 * MIB);
        struct slot_coding coding;
        struct slot_tokens read;
        assert_true(slot_encode(tokens, count, arena, &coding, &data));
        struct slice bytes = buffer_slice(&data);
        assert_true(slot_coding_good(&coding));
        assert_true(slot_decode(&coding, count, &bytes, arena, &read));
        assert_int_equal(bytes.len, 0);
        kinds |= 1U << coding.kind;
        for (uint32_t i = 0; i < count; i++) {
            char text[SLOT_TEXT_MAX];
            struct slice again = token_again(&read, tokens, i, text);
            if (!slice_equal(again, tokens[i]))
                fail_msg("kind %u: %.*s came back as %.*s", coding.kind, SLICE_ARG(tokens[i]),
                         SLICE_ARG(again));
        }
        buffer_close(&data);
        arena_free(arena);
    }
    for (unsigned kind = SLOT_INT; kind < SLOT_KIND_COUNT; kind++)
        if (!(kinds & 1U << kind))
            fail_msg("no tokens took kind %u", kind);
}

static void expect_form(struct value v, const char *text, uint8_t kind, int shift)
{
    struct buffer room;
    buffer_init(&room, 64 * KIB);
    struct form form = form_guess(v, slice_text(text));
    assert_int_equal(form.kind, kind);
    assert_int_equal(form.shift, shift);
    struct slice again = form_print(v, form, &room);
    assert_int_equal(again.len, strlen(text));
    assert_memory_equal(again.ptr, text, again.len);
    buffer_close(&room);
}

static void forms_print_what_people_write(void **state)
{
    (void)state;
    struct value t = value_time(INT64_C(1516925462114000000)); /* 2018-01-26T00:11:02.114Z */
    expect_form(t, "2018-01-26T00:11:02.114Z", FORM_RFC3339 + 3, 0);
    expect_form(t, "2018-01-26T00:11:02.114000000Z", FORM_RFC3339 + 9, 0);
    expect_form(t, "1516925462114", FORM_EPOCH + 3, 0);
    expect_form(t, "1516925462", FORM_EPOCH, 0);
    expect_form(t, "26/Jan/2018:09:11:02", FORM_CLF, 540);
    expect_form(t, "25/Jan/2018:16:11:02", FORM_CLF, -480);
    expect_form(t, "05:41:02.114000", FORM_CLOCK + 6, 330);
    expect_form(t, "00:11:02", FORM_CLOCK, 0);
    expect_form(t, "2018-01-26", FORM_DATE, 0);
    expect_form(t, "2018-01-26T09:11:02.114+09:00", FORM_OFFSET + 3, 540);
    expect_form(t, "2018-01-25T19:11:02-05:00", FORM_OFFSET, -300);
    struct value s = value_string(SLICE("say \"a\\b\"\n\x01 火"));
    expect_form(s, "say \\\"a\\\\b\\\"\\n\\u0001 火", FORM_JSON, 0);
    expect_form(s, "say \\\"a\\\\b\\\"\\n\\u0001 \\u706b", FORM_JSON_ASCII, 0);
    expect_form(value_string(SLICE("\xf0\x9f\x94\xa5\\")), "\\ud83d\\udd25\\\\", FORM_JSON_ASCII, 0);
    expect_form(value_i64(-17), "-17", FORM_TEXT, 0);
}

/* What a damaged file may ask for. */
static void impossible_forms_say_nothing(void **state)
{
    (void)state;
    struct buffer room;
    buffer_init(&room, 64 * KIB);
    for (int kind = 0; kind < 256; kind++)
        for (int shift = INT16_MIN; shift <= INT16_MAX; shift += 4369) {
            struct form form = {(uint8_t)kind, (int16_t)shift};
            (void)form_print(value_time(INT64_MIN), form, &room);
            (void)form_print(value_time(INT64_MAX), form, &room);
            (void)form_print(value_string(SLICE("\xff\xfe\"")), form, &room);
            (void)form_print(value_null(), form, &room);
        }
    assert_null(form_print(value_string(SLICE("\xff\"")), (struct form){FORM_JSON_ASCII, 0}, &room).ptr);
    buffer_close(&room);
}

static struct value random_value(struct arena *arena, const struct hin_rand *rand)
{
    static const char letters[] = "abcdefgh,:{}\"\\\n\t\x01\xc3\xa9";
    char text[64];
    unsigned long long n = rand_u64(rand) >> (rand_u64(rand) & 63);
    struct ip ip = {.family = 4, .bytes = {[10] = 0xff, [11] = 0xff}};
    switch (rand_u64(rand) % 4) {
    case 0:
        return value_i64(n & 1 ? (int64_t)(n >> 1) : -(int64_t)(n >> 1));
    case 1:
        memcpy(ip.bytes + 12, &n, 4);
        return value_ip(&ip, arena);
    case 2:
        return value_time((int64_t)(n >> 2));
    default:
        for (size_t i = 0; i < (n & 63); i++)
            text[i] = letters[rand_u64(rand) % (sizeof(letters) - 1)];
        return value_string(arena_copy(arena, slice_of(text, n & 63)));
    }
}

/* What form_match() says must be what printing and comparing says; only that more digits follow an
 * integer may be a difference for it. */
static void matching_is_printing_and_comparing(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {FORM_TEXT, FORM_RFC3339 + 3, FORM_CLF, FORM_JSON, FORM_JSON_ASCII};
    static const char *const behind[] = {"", "\"", "7", ",\"next\":\"a value that goes on\"}"};
    struct rand_seeded seeded;
    rand_seeded_init(&seeded, 7);
    struct arena *arena = arena_new(64 * MIB);
    struct buffer room, again, text;
    buffer_init(&room, 64 * KIB);
    buffer_init(&again, 64 * KIB);
    buffer_init(&text, 64 * KIB);
    for (int round = 0; round < 20000; round++) {
        struct value v = random_value(arena, &seeded.rand);
        struct form form = {kinds[rand_u64(&seeded.rand) % ARRAY_COUNT(kinds)], 0};
        const char *tail = behind[rand_u64(&seeded.rand) % ARRAY_COUNT(behind)];
        struct slice said = form_print(v, form, &room);
        buffer_clear(&text);
        buffer_put(&text, said.ptr ? said : SLICE("none"));
        buffer_put(&text, slice_text(tail));
        if (text.len && rand_u64(&seeded.rand) % 3 == 0)
            text.ptr[rand_u64(&seeded.rand) % text.len] ^= (char)(1 << rand_u64(&seeded.rand) % 7);
        bool same = said.ptr && slice_starts(buffer_slice(&text), said);
        ptrdiff_t len = form_match(v, form, buffer_slice(&text), &again);
        bool goes_on = said.len < text.len && text.ptr[said.len] >= '0' && text.ptr[said.len] <= '9';
        if (len < 0 && same && v.type == VALUE_I64 && goes_on)
            continue;
        assert_int_equal(len, same ? (ptrdiff_t)said.len : -1);
    }
    buffer_close(&text);
    buffer_close(&again);
    buffer_close(&room);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_give_back_their_tokens),
        cmocka_unit_test(forms_print_what_people_write),
        cmocka_unit_test(impossible_forms_say_nothing),
        cmocka_unit_test(matching_is_printing_and_comparing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
