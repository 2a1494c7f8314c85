#include "app/approve_known.h"

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "cut/json_tree.h"
#include "cut/lookalike.h"

#include <errno.h>
#include <unistd.h>

enum { ENDS = 3, CHANGED_MAX = 2, SKELETON_MAX = 4 * 512 };

static int read_line(struct slice line, struct arena *arena, struct known_address *out, struct err *err)
{
    const struct json_node *node;
    struct slice amount;
    if (json_tree_parse(line, arena, &node, err) < 0 || json_want_text(node, "address", &out->address, err) < 0)
        return -1;
    out->asset = json_text_of(json_get(node, "asset"), SLICE(""));
    amount = json_text_of(json_get(node, "amount"), SLICE(""));
    out->has_amount = decimal_parse(amount, &out->amount);
    return 0;
}

int known_read(const char *path, struct arena *arena, struct known *out, struct err *err)
{
    struct slice line;
    size_t lines = 1;
    *out = (struct known){.path = path, .text = SLICE("")};
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (file_read(path, APPROVE_KNOWN_BYTES_MAX, arena, &out->text, err) < 0)
        return -1;
    for (size_t i = 0; i < out->text.len; i++)
        lines += out->text.ptr[i] == '\n';
    out->list = arena_array(arena, lines, sizeof(*out->list));
    if (!out->list)
        return err_nomem(err);
    for (struct slice rest = out->text; slice_next_line(&rest, &line); out->count++)
        if (read_line(line, arena, &out->list[out->count], err) < 0) {
            err->code = ERR_CONFIG;
            return err_within(err, "%s, line %zu", path, out->count + 1);
        }
    return 0;
}

int known_add(const struct known *known, const struct gate_request *request, int64_t now_ns, struct err *err)
{
    char amount[DECIMAL_TEXT_SIZE];
    struct buffer text;
    struct json json;
    buffer_init(&text, 2 * APPROVE_KNOWN_BYTES_MAX);
    buffer_put(&text, known->text);
    if (known->text.len && !slice_ends(known->text, SLICE("\n")))
        buffer_put_char(&text, '\n');
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "asset", request->asset);
    json_put_text(&json, "address", request->destination);
    if (request->has_amount)
        json_put_text(&json, "amount", slice_of(amount, decimal_format(request->amount, amount)));
    json_put_time(&json, "time", now_ns);
    json_close(&json, '}');
    buffer_put_char(&text, '\n');
    int result = buffer_failed(&text) ? err_nomem(err) : io_replace_file(io_real(), known->path, buffer_slice(&text), err);
    buffer_close(&text);
    return result;
}

/* ---- comparing ---- */

/* Hex is the same in capitals. */
static bool same(struct slice a, struct slice b)
{
    return slice_starts(a, SLICE("0x")) ? slice_equal_nocase(a, b) : slice_equal(a, b);
}

bool known_has(const struct known *known, struct slice address)
{
    for (size_t i = 0; i < known->count; i++)
        if (same(address, known->list[i].address))
            return true;
    return false;
}

/* Without what all addresses of a kind begin with. */
static struct slice own_part(struct slice address)
{
    static const char *const common[] = {"0x", "bc1q", "bc1p", "bc1"};
    for (size_t i = 0; i < ARRAY_COUNT(common); i++)
        if (slice_starts(address, slice_text(common[i])))
            return slice_from(address, strlen(common[i]));
    return address;
}

static bool same_ends(struct slice a, struct slice b)
{
    a = own_part(a);
    b = own_part(b);
    return a.len >= 2 * ENDS && b.len >= 2 * ENDS && slice_equal_nocase(slice_sub(a, 0, ENDS), slice_sub(b, 0, ENDS)) &&
           slice_equal_nocase(slice_from(a, a.len - ENDS), slice_from(b, b.len - ENDS));
}

static bool same_looks(struct slice a, struct slice b)
{
    char skeleton_a[SKELETON_MAX], skeleton_b[SKELETON_MAX];
    if (4 * a.len > SKELETON_MAX || 4 * b.len > SKELETON_MAX)
        return false;
    return slice_equal(slice_of(skeleton_a, lookalike_write(a, skeleton_a)), slice_of(skeleton_b, lookalike_write(b, skeleton_b)));
}

const struct known_address *known_lookalike(const struct known *known, struct slice address)
{
    for (size_t i = 0; i < known->count; i++) {
        struct slice other = known->list[i].address;
        if (same_ends(address, other) || same_looks(address, other) || slice_distance(address, other) <= CHANGED_MAX)
            return &known->list[i];
    }
    return NULL;
}

bool known_largest(const struct known *known, struct slice asset, struct decimal *out)
{
    bool any = false;
    for (size_t i = 0; i < known->count; i++)
        if (known->list[i].has_amount && slice_equal(known->list[i].asset, asset) &&
            (!any || decimal_compare(known->list[i].amount, *out) > 0)) {
            *out = known->list[i].amount;
            any = true;
        }
    return any;
}
