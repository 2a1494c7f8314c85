/* The list of assets: a CSV file that people write. */
#include "respond/incidents/assets.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct entity asked[] = {{{"host", 4}, {"db1", 3}}, {{"ip", 2}, {"10.0.0.1", 8}}, {{"", 0}, {"", 0}},
                                          {{"asset", 5}, {"XEM", 3}}};
    struct assets *assets;
    struct err err;
    err_clear(&err);
    if (assets_parse(slice_of(data, size), &assets, &err) < 0) {
        if (!err.text[0] || assets)
            __builtin_trap(); /* an error says what is wrong, and leaves nothing */
        return 0;
    }
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++)
        (void)!assets_find(assets, &asked[i]);
    assets_free(assets);
    return 0;
}
