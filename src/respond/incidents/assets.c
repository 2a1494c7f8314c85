#include "respond/incidents/assets.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "cut/csv.h"
#include "event/ip.h"
#include "respond/incidents/links.h"

#include <unistd.h>

enum column { TYPE, VALUE, CRITICALITY, OWNER, NAME_EN, NAME_JA, SHARED, COLUMNS };
enum { KEY_MAX = 600 };

static const char *const names[COLUMNS] = {"type", "value", "criticality", "owner", "name_en", "name_ja", "shared"};

struct pattern {
    struct asset asset;
    struct cidr net;
    bool is_net;
    struct pattern *next;
};

struct assets {
    struct arena *arena; /* holds everything here, this struct included */
    struct map exact;    /* "type:value" in small letters */
    struct pattern *first, **end;
    size_t count, patterns;
};

struct reading {
    struct assets *assets;
    int column[COLUMNS]; /* which cell it is, or -1 */
    size_t line;
};

/* ---- keys ---- */

static struct slice key_of(struct slice type, struct slice value, char to[KEY_MAX])
{
    size_t n = 0;
    if (type.len + value.len + 1 > KEY_MAX)
        return SLICE_NONE;
    memcpy(to, type.ptr, type.len);
    n = type.len;
    to[n++] = ':';
    memcpy(to + n, value.ptr, value.len);
    n += value.len;
    for (size_t i = 0; i < n; i++)
        if (to[i] >= 'A' && to[i] <= 'Z')
            to[i] = (char)(to[i] - 'A' + 'a');
    return slice_of(to, n);
}

/* ---- a row ---- */

static int read_criticality(const struct reading *reading, struct slice text, enum criticality *out, struct err *err)
{
    static const struct {
        const char *word;
        enum criticality criticality;
    } words[] = {{"low", CRITICALITY_LOW},       {"normal", CRITICALITY_NORMAL},     {"medium", CRITICALITY_NORMAL},
                 {"", CRITICALITY_NORMAL},       {"high", CRITICALITY_HIGH},         {"critical", CRITICALITY_CRITICAL}};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (slice_is_nocase(text, words[i].word)) {
            *out = words[i].criticality;
            return 0;
        }
    return err_set(err, ERR_CONFIG, "line %zu: \"%.*s\" is no criticality; write low, normal, high or critical", reading->line,
                   SLICE_ARG(text));
}

static int read_shared(const struct reading *reading, struct slice text, bool *out, struct err *err)
{
    *out = slice_is_nocase(text, "yes") || slice_is_nocase(text, "true") || slice_is(text, "1");
    if (*out || !text.len || slice_is_nocase(text, "no") || slice_is_nocase(text, "false") || slice_is(text, "0"))
        return 0;
    return err_set(err, ERR_CONFIG, "line %zu: shared is yes or no, not \"%.*s\"", reading->line, SLICE_ARG(text));
}

static int add_pattern(struct assets *assets, const struct asset *asset, const struct cidr *net, struct err *err)
{
    if (assets->patterns == ASSET_PATTERNS_MAX)
        return err_set(err, ERR_LIMIT, "there are more than %d rows with * or a network; write single values or wider networks",
                       ASSET_PATTERNS_MAX);
    struct pattern *pattern = arena_calloc(assets->arena, sizeof(*pattern));
    if (!pattern)
        return err_nomem(err);
    pattern->asset = *asset;
    pattern->is_net = net != NULL;
    if (net)
        pattern->net = *net;
    *assets->end = pattern;
    assets->end = &pattern->next;
    assets->patterns++;
    return 0;
}

static int add_exact(struct assets *assets, const struct asset *asset, struct err *err)
{
    char room[KEY_MAX];
    struct slice key = key_of(asset->type, asset->value, room);
    struct asset *copy = arena_alloc(assets->arena, sizeof(*copy));
    if (!key.ptr)
        return err_set(err, ERR_CONFIG, "type and value together have at most %d bytes", KEY_MAX - 1);
    key = arena_copy(assets->arena, key);
    if (!copy || !key.ptr)
        return err_nomem(err);
    *copy = *asset;
    return map_put(&assets->exact, key, copy) < 0 ? err_nomem(err) : 0;
}

static int add_asset(const struct reading *reading, const struct asset *asset, struct err *err)
{
    struct cidr net;
    int result;
    if (!asset->type.len || !asset->value.len)
        return err_set(err, ERR_CONFIG, "line %zu: type and value are needed", reading->line);
    if (reading->assets->count++ == ASSET_ROWS_MAX)
        return err_set(err, ERR_LIMIT, "there are more than %d rows", ASSET_ROWS_MAX);
    if (slice_find_char(asset->value, '/') >= 0 && cidr_parse(asset->value, &net))
        result = add_pattern(reading->assets, asset, &net, err);
    else if (slice_find_char(asset->value, '*') >= 0 || slice_is(asset->type, "*"))
        result = add_pattern(reading->assets, asset, NULL, err);
    else
        result = add_exact(reading->assets, asset, err);
    return result < 0 ? err_within(err, "line %zu", reading->line) : 0;
}

static int read_cells(struct reading *reading, struct slice line, struct slice cells[COLUMNS], struct err *err)
{
    struct csv csv = {.rest = line, .separator = ',', .more = true};
    struct csv_cell cell;
    for (int c = 0; c < COLUMNS; c++)
        cells[c] = SLICE("");
    for (int at = 0; csv_next(&csv, &cell); at++)
        for (int c = 0; c < COLUMNS; c++)
            if (reading->column[c] == at) {
                cells[c] = cell.escaped ? csv_unescape(cell.text, reading->assets->arena) : cell.text;
                if (!cells[c].ptr)
                    return err_nomem(err);
                cells[c] = slice_trim(cells[c]);
            }
    return 0;
}

static int read_row(struct reading *reading, struct slice line, struct err *err)
{
    struct slice cells[COLUMNS];
    struct asset asset;
    if (read_cells(reading, line, cells, err) < 0)
        return -1;
    asset = (struct asset){.type = cells[TYPE], .value = cells[VALUE], .owner = cells[OWNER],
                           .name_en = cells[NAME_EN], .name_ja = cells[NAME_JA]};
    if (read_criticality(reading, cells[CRITICALITY], &asset.criticality, err) < 0 ||
        read_shared(reading, cells[SHARED], &asset.shared, err) < 0)
        return -1;
    return add_asset(reading, &asset, err);
}

static int read_head(struct reading *reading, struct slice line, struct err *err)
{
    struct csv csv = {.rest = line, .separator = ',', .more = true};
    struct csv_cell cell;
    for (int c = 0; c < COLUMNS; c++)
        reading->column[c] = -1;
    for (int at = 0; csv_next(&csv, &cell); at++)
        for (int c = 0; c < COLUMNS; c++)
            if (slice_is_nocase(slice_trim(cell.text), names[c]))
                reading->column[c] = at;
    if (reading->column[TYPE] >= 0 && reading->column[VALUE] >= 0 && reading->column[CRITICALITY] >= 0)
        return 0;
    return err_set(err, ERR_CONFIG, "the first line names the columns: type,value,criticality,owner,name_en,name_ja,shared; "
                   "the first three are needed");
}

static int read_lines(struct assets *assets, struct slice text, struct err *err)
{
    struct reading reading = {.assets = assets};
    struct slice line;
    bool head = false;
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    while (slice_next_line(&text, &line)) {
        reading.line++;
        if (slice_trim(line).len == 0 || line.ptr[0] == '#')
            continue;
        if ((head ? read_row(&reading, line, err) : read_head(&reading, line, err)) < 0)
            return -1;
        head = true;
    }
    return 0;
}

static struct assets *assets_new(void)
{
    struct arena *arena = arena_new(4 * ASSETS_BYTES_MAX);
    struct assets *assets = arena ? arena_calloc(arena, sizeof(*assets)) : NULL;
    if (!assets) {
        arena_free(arena);
        return NULL;
    }
    assets->arena = arena;
    assets->end = &assets->first;
    map_init(&assets->exact, arena);
    return assets;
}

int assets_parse(struct slice text, struct assets **out, struct err *err)
{
    *out = NULL;
    struct assets *assets = assets_new();
    struct slice copy = assets && text.len <= ASSETS_BYTES_MAX ? arena_copy(assets->arena, text) : SLICE_NONE;
    int result = !assets                        ? err_nomem(err)
                 : text.len > ASSETS_BYTES_MAX ? err_set(err, ERR_LIMIT, "it has more than %zu bytes", (size_t)ASSETS_BYTES_MAX)
                 : !copy.ptr                    ? err_nomem(err)
                                                : read_lines(assets, copy, err);
    if (result < 0)
        assets_free(assets);
    else
        *out = assets;
    return result;
}

int assets_load(const char *path, struct assets **out, struct err *err)
{
    struct slice text = SLICE("");
    struct arena *arena = arena_new(2 * ASSETS_BYTES_MAX);
    *out = NULL;
    if (!arena)
        return err_nomem(err);
    int result = access(path, F_OK) == 0 ? file_read(path, ASSETS_BYTES_MAX, arena, &text, err) : 0;
    if (result == 0)
        result = assets_parse(text, out, err);
    arena_free(arena);
    return result < 0 ? err_within(err, "%s", path) : 0;
}

void assets_free(struct assets *assets)
{
    if (assets)
        arena_free(assets->arena);
}

size_t assets_count(const struct assets *assets)
{
    return assets ? assets->count : 0;
}

/* ---- asking ---- */

static bool fits(const struct pattern *pattern, const struct entity *entity)
{
    struct ip ip;
    if (!slice_is(pattern->asset.type, "*") && !slice_equal_nocase(pattern->asset.type, entity->type))
        return false;
    if (pattern->is_net)
        return ip_parse(entity->value, &ip) && cidr_contains(&pattern->net, ip.bytes, ip.family);
    return slice_matches_stars(entity->value, pattern->asset.value);
}

const struct asset *assets_find(const struct assets *assets, const struct entity *entity)
{
    char room[KEY_MAX];
    if (!assets || !assets->count)
        return NULL;
    struct slice key = key_of(entity->type, entity->value, room);
    const struct asset *found = key.ptr ? map_find(&assets->exact, key) : NULL;
    for (const struct pattern *pattern = assets->first; pattern && !found; pattern = pattern->next)
        if (fits(pattern, entity))
            found = &pattern->asset;
    return found;
}
