/* The only C++ of the product: simdjson's first stage behind cut/json_index.h. Its second stage is
 * not used, since it copies every string; cut/json_scan.c walks the positions itself. */
#include "cut/json_index.h"

#include <simdjson.h>

#include <memory>
#include <new>

namespace
{
constexpr size_t CAPACITY_FIRST = 64 * 1024;
constexpr size_t CAPACITY_KEPT = 1024 * 1024; /* what a single huge text needed is given back */
constexpr size_t TEXT_MAX = 0x7fffffff;
}

struct json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    size_t capacity = 0;
};

extern "C" struct json_index *json_index_new(void)
{
    return new (std::nothrow) json_index;
}

extern "C" void json_index_free(struct json_index *index)
{
    delete index;
}

static bool make_room(struct json_index *index, size_t len)
{
    bool shrink = index->capacity > CAPACITY_KEPT && len <= CAPACITY_FIRST;
    if (index->parser && index->capacity >= len && !shrink)
        return true;
    size_t capacity = shrink || !index->parser ? CAPACITY_FIRST : index->capacity;
    while (capacity < len)
        capacity *= 2;
    index->parser.reset();
    index->capacity = 0;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 1, index->parser) != simdjson::SUCCESS) {
        index->parser.reset();
        return false;
    }
    index->capacity = capacity;
    return true;
}

extern "C" enum json_index_result json_index_run(struct json_index *index, const char *text,
                                                 size_t len, const uint32_t **positions,
                                                 size_t *count)
{
    if (len == 0 || len > TEXT_MAX)
        return JSON_INDEX_REFUSED;
    if (!make_room(index, len))
        return JSON_INDEX_NOMEM;
    simdjson::error_code code =
        index->parser->stage1(reinterpret_cast<const uint8_t *>(text), len,
                              simdjson::stage1_mode::regular);
    if (code != simdjson::SUCCESS && code != simdjson::UTF8_ERROR)
        return JSON_INDEX_REFUSED;
    *positions = index->parser->structural_indexes.get();
    *count = index->parser->n_structural_indexes;
    return code == simdjson::SUCCESS ? JSON_INDEX_OK : JSON_INDEX_NOT_UTF8;
}
