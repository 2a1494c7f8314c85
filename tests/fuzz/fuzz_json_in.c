/* JSON events: whatever comes, a row is consistent; the fast and the slow index agree on texts that
 * both accept; what json_tree reads is what the cutter read. */
#include "cut/json_event.h"
#include "cut/json_index.h"
#include "cut/json_tree.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void indexes_agree(struct slice text)
{
    static uint32_t slow[65536];
    const uint32_t *fast;
    size_t count;
    struct json_index *index = json_index_new();
    struct json_scanner *scanner = json_scanner_new();
    struct json_tokens tokens;
    if (index && scanner && text.len < 65536 &&
        json_index_run(index, text.ptr, text.len, &fast, &count) <= JSON_INDEX_NOT_UTF8 &&
        json_scan(scanner, text, JSON_DEPTH_MAX, NULL, &tokens, NULL) == 0) {
        size_t slow_count = json_index_slowly(text.ptr, text.len, slow);
        assert(slow_count == count && memcmp(fast, slow, count * 4) == 0);
    }
    json_scanner_free(scanner);
    json_index_free(index);
}

/* Values without their escapes are those that json_unescape() gives, and are refused where it does not. */
static void unescaped_agree(struct slice text)
{
    struct json_scanner *kept = json_scanner_new(), *gone = json_scanner_new();
    struct arena *arena = arena_new(1 << 24);
    struct json_tokens a, b;
    if (kept && gone && arena) {
        int result = json_scan(kept, text, JSON_DEPTH_MAX, NULL, &a, NULL);
        assert(json_scan(gone, text, JSON_DEPTH_MAX, arena, &b, NULL) == result);
        for (uint32_t i = 0; result == 0 && i < a.count; i++) {
            struct slice plain = json_token_text(&a.list[i]);
            if (a.list[i].text_escaped)
                plain = json_unescape(plain, arena);
            assert(!b.list[i].text_escaped && slice_equal(plain, json_token_text(&b.list[i])));
        }
    }
    arena_free(arena);
    json_scanner_free(kept);
    json_scanner_free(gone);
}

static void check_columns(const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const struct column *column = batch->columns[i];
        assert(column->name.len > 0 || column->count <= FIELD_VALUES_MAX);
        for (uint32_t k = 0; k < column->count; k++)
            assert(column->rows[k] < batch->row_count &&
                   (k == 0 || column->rows[k] >= column->rows[k - 1]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct json_cutter *cutter = json_cutter_new();
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct arena *arena = arena_new(64 * MIB);
    struct err err;
    unsigned flags = 0;
    const struct json_node *tree;
    for (uint32_t row = 0; row < 2 && batch_add_row(batch); row++)
        if (cut_json(cutter, text, row ? SLICE("p.") : SLICE(""), batch, row, &flags, &err) < 0)
            assert(err.text[0]);
    check_columns(batch);
    if (json_tree_parse(text, arena, &tree, &err) == 0)
        assert(tree);
    indexes_agree(text);
    unescaped_agree(text);
    arena_free(arena);
    batch_free(batch);
    json_cutter_free(cutter);
    return 0;
}
