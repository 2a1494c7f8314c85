/* What HTTP APIs answer, and the places that the journal keeps: the first byte picks which. */
#include "base/limits.h"
#include "collect/remote/kafka_place.h"
#include "collect/remote/nats_place.h"
#include "collect/remote/poll_page.h"
#include "collect/remote/poll_state.h"
#include "collect/remote/poll_template.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slice by_id[] = {{"id", 2}, {"at", 2}};

static void read_page(enum poll_format format, struct slice body)
{
    const struct poll_form form = {.format = format, .records = "a.b", .may_lack = true, .ids = by_id, .id_count = 1 + body.len % 2,
                                   .entry = "e.u", .next = "@next"};
    struct poll_page page;
    struct err err;
    struct arena *arena = arena_new(256 * MIB);
    size_t bytes = 0;
    assert(arena);
    if (poll_page_read(&form, body, arena, &page, &err) == 0)
        for (size_t i = 0; i < page.count; i++)
            bytes += page.items[i].raw.len;
    assert(format == POLL_S3 || bytes <= body.len); /* nothing is taken twice; keys are unescaped */
    arena_free(arena);
}

static void read_links(struct slice headers)
{
    struct slice next = poll_link_next(headers);
    assert(!next.ptr || (next.ptr >= headers.ptr && next.ptr + next.len <= headers.ptr + headers.len));
}

static void read_state(struct slice bytes)
{
    struct poll_state state, again;
    struct buffer first, second;
    struct err err;
    poll_state_init(&state);
    poll_state_init(&again);
    buffer_init(&first, 4 * MIB);
    buffer_init(&second, 4 * MIB);
    if (poll_state_load(&state, bytes, &err) == 0) {
        poll_state_save(&state, &first);
        assert(poll_state_load(&again, buffer_slice(&first), &err) == 0);
        poll_state_save(&again, &second);
        assert(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    }
    buffer_close(&first);
    buffer_close(&second);
    poll_state_close(&state);
    poll_state_close(&again);
}

static void read_place(struct slice bytes)
{
    struct nats_place place = {0};
    struct err err;
    if (nats_place_load(&place, bytes, &err) == 0)
        for (size_t i = 0; i < place.count; i++) {
            assert(place.ranges[i].first <= place.ranges[i].last);
            assert(i == 0 || place.ranges[i - 1].last + 1 < place.ranges[i].first);
            assert(nats_place_has(&place, place.ranges[i].first));
        }
    nats_place_close(&place);
}

static void read_topics(struct slice bytes)
{
    struct kafka_place place = {0};
    struct buffer again;
    struct err err;
    buffer_init(&again, 16 * MIB);
    if (kafka_place_load(&place, bytes, &err) == 0) {
        kafka_place_save(&place, &again);
        size_t count = place.count;
        assert(kafka_place_load(&place, buffer_slice(&again), &err) == 0 && place.count == count);
    }
    buffer_close(&again);
    kafka_place_close(&place);
}

static void fill_template(struct slice text)
{
    const struct poll_values values = {.cursor = SLICE("a b"), .each = SLICE("\"x"), .entry = SLICE("p/q")};
    struct buffer to;
    struct err err;
    buffer_init(&to, 1 * MIB);
    if (poll_template_check(text, &err) == 0) {
        poll_template_fill(text, &values, POLL_IN_URL, &to);
        poll_template_fill(text, &values, POLL_IN_BODY, &to);
    }
    buffer_close(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    switch (data[0] % 8) {
    case 0:
        read_page(POLL_JSON, rest);
        break;
    case 1:
        read_page(POLL_LINES, rest);
        break;
    case 2:
        read_page(POLL_S3, rest);
        break;
    case 3:
        read_links(rest);
        break;
    case 4:
        read_state(rest);
        break;
    case 5:
        read_place(rest);
        break;
    case 6:
        fill_template(rest);
        break;
    default:
        read_topics(rest);
    }
    return 0;
}
