#include "respond/incidents/hubs.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "respond/incidents/links.h"

enum { NOTED_SLOTS = 64 * 1024, KNOWN_SLOTS = 8 * 1024 };

struct hub_known { /* an answer of before, for the same value and day */
    uint64_t key;
    struct hub_answer answer;
};

int hubs_init(struct hubs *hubs, struct database *database, struct err *err)
{
    *hubs = (struct hubs){.database = database, .rows = -1, .newest_day = INT64_MIN,
                          .noted = mem_calloc(NOTED_SLOTS, sizeof(*hubs->noted)),
                          .known = mem_calloc(KNOWN_SLOTS, sizeof(*hubs->known))};
    return hubs->noted && hubs->known ? 0 : err_nomem(err);
}

void hubs_close(struct hubs *hubs)
{
    mem_free(hubs->noted);
    mem_free(hubs->known);
}

void hubs_forget(struct hubs *hubs)
{
    memset(hubs->noted, 0, NOTED_SLOTS * sizeof(*hubs->noted));
    hubs->rows = -1;
}

static int one_number(struct hubs *hubs, const char *sql, struct slice link, int64_t a, int64_t b, int64_t out[2], struct err *err)
{
    struct query *query;
    if (query_begin(hubs->database, sql, &query, err) < 0)
        return -1;
    query_text(query, 1, link);
    query_i64(query, 2, a);
    query_i64(query, 3, b);
    int result = query_step(query, err);
    for (int i = 0; i < 2; i++)
        out[i] = result == 1 ? query_get_i64(query, i) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* ---- noting ---- */

/* A new day takes the days that are no longer looked at with it; too many rows take the oldest day. */
static int make_room(struct hubs *hubs, int64_t day, struct err *err)
{
    int64_t found[2];
    if (day > hubs->newest_day) {
        hubs->newest_day = day;
        hubs->rows = -1;
        if (one_number(hubs, "DELETE FROM link_days WHERE day<?2", SLICE_NONE, day - HUB_LOOK_DAYS - 1, 0, found, err) < 0)
            return -1;
    }
    if (hubs->rows < 0 && one_number(hubs, "SELECT count(*),0 FROM link_days", SLICE_NONE, 0, 0, found, err) == 0)
        hubs->rows = found[0];
    if (hubs->rows < LINK_ROWS_MAX)
        return 0;
    hubs->rows = -1;
    return one_number(hubs, "DELETE FROM link_days WHERE day=(SELECT min(day) FROM link_days)", SLICE_NONE, 0, 0, found, err);
}

static int note_pair(struct hubs *hubs, struct slice link, int64_t day, uint64_t partner, struct err *err)
{
    struct query *query;
    int64_t found[2];
    uint64_t key = hash_bytes_seeded(link, partner ^ (uint64_t)day * UINT64_C(0x9e3779b97f4a7c15));
    uint64_t *slot = &hubs->noted[key % NOTED_SLOTS];
    if (*slot == key)
        return 0;
    *slot = key;
    if (make_room(hubs, day, err) < 0 ||
        one_number(hubs, "SELECT count(*),0 FROM link_days WHERE link=?1 AND day=?2", link, day, 0, found, err) < 0)
        return -1;
    if (found[0] >= LINK_PARTNERS_MAX)
        return 0;
    hubs->rows++;
    if (query_begin(hubs->database, "INSERT OR IGNORE INTO link_days(link,day,partner) VALUES(?1,?2,?3)", &query, err) < 0)
        return -1;
    query_text(query, 1, link);
    query_i64(query, 2, day);
    query_i64(query, 3, (int64_t)partner);
    return query_run(query, err);
}

int hubs_note(struct hubs *hubs, const struct slice *links, size_t count, int64_t incident, int64_t event_ns, struct err *err)
{
    int64_t day = time_day(event_ns);
    for (size_t i = 0; i < count; i++) {
        if (link_is_outside(links[i]))
            continue;
        if (incident && note_pair(hubs, links[i], day, (uint64_t)incident, err) < 0)
            return -1;
        for (size_t k = 0; !incident && k < count && k < LINK_PARTNERS_MAX; k++)
            if (k != i && note_pair(hubs, links[i], day, hash_bytes(links[k]), err) < 0)
                return -1;
    }
    return 0;
}

/* ---- asking ---- */

int hubs_ask(struct hubs *hubs, const struct assets *assets, const struct entity *entity, struct slice link,
             int64_t event_ns, struct hub_answer *out, struct err *err)
{
    const struct asset *asset = assets_find(assets, entity);
    int64_t day = time_day(event_ns), found[2];
    uint64_t key = hash_bytes_seeded(link, (uint64_t)day);
    struct hub_known *known = &hubs->known[key % KNOWN_SLOTS];
    *out = (struct hub_answer){.hub = asset && asset->shared, .listed = asset && asset->shared};
    if (out->hub || link_is_outside(link))
        return 0;
    if (known->key != key) {
        if (one_number(hubs, "SELECT count(DISTINCT day),count(DISTINCT partner) FROM link_days WHERE link=?1 AND day>=?2 AND"
                       " day<?3", link, day - HUB_LOOK_DAYS, day, found, err) < 0)
            return -1;
        known->key = key;
        known->answer = (struct hub_answer){.hub = found[0] >= HUB_DAYS && found[1] >= HUB_PARTNERS, .days = found[0],
                                            .partners = found[1]};
    }
    *out = known->answer;
    return 0;
}
