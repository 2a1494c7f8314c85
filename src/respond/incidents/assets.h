#pragma once
/*
 * respond/incidents/assets: what is ours and how much it matters, from DATA/lookups/assets.csv
 * (docs/incidents.md): type,value,criticality,owner,name_en,name_ja and, if wished, shared.
 *
 * Ownership  A list owns its text. It never changes; a new one replaces it.
 * Limits     ASSET_ROWS_MAX rows, ASSET_PATTERNS_MAX of them with * or a network, ASSETS_BYTES_MAX.
 * Errors     -1; the sentence names line and column and says what to write.
 */
#include "event/finding.h"

enum criticality { CRITICALITY_LOW, CRITICALITY_NORMAL, CRITICALITY_HIGH, CRITICALITY_CRITICAL };

struct asset {
    struct slice type, value; /* type "*": any */
    enum criticality criticality;
    struct slice owner, name_en, name_ja;
    bool shared; /* many use it (a proxy, a domain controller): it links no attacks */
};

struct assets;

MUST_USE int assets_parse(struct slice text, struct assets **out, struct err *err);
/* A file that is not there is an empty list. */
MUST_USE int assets_load(const char *path, struct assets **out, struct err *err);
void assets_free(struct assets *assets); /* NULL is fine */
size_t assets_count(const struct assets *assets);

/* The row of just this value, else the first pattern that fits, in the order of the file; NULL. assets may be NULL. */
const struct asset *assets_find(const struct assets *assets, const struct entity *entity);
