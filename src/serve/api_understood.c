/* What is understood of each source, and what is not yet: its templates, with samples and what to do. */
#include "serve/api.h"

#include "base/time_modifier.h"
#include "decode/decode.h"
#include "event/schema.h"
#include "serve/sample_text.h"
#include "serve/understood.h"
#include "serve/unknown.h"

#include <stdlib.h>

enum { TEMPLATES_SHOWN = 50, TEMPLATES_SHOWN_MAX = 200 };

static int read_range(struct api *api, struct looking *looking, struct err *err)
{
    struct slice from = http_param(api->request, "from"), to = http_param(api->request, "to");
    int64_t now = clock_wall_ns(api->parts->clock);
    const struct zone *zone;
    if (api_zone(api, http_param(api->request, "tz"), &zone, err) < 0 ||
        time_modifier_read(from.len ? from : SLICE("-24h"), now, zone, &looking->from_ns, err) < 0)
        return -1;
    return to.len ? time_modifier_read(to, now, zone, &looking->to_ns, err) : 0;
}

/* A look with memory of its own, one of few at once. False: it has answered why not. */
static bool begin(struct api *api, struct looking *looking)
{
    struct err err;
    err_clear(&err);
    *looking = (struct looking){0};
    if (atomic_fetch_add(api->looks, 1) >= UNKNOWN_LOOKS_MAX) {
        atomic_fetch_sub(api->looks, 1);
        api_error(api, 503, "busy", "others are looking at what is not understood; try again in some seconds");
        return false;
    }
    struct arena *arena = arena_new(UNKNOWN_BYTES_MAX);
    looking_init(looking, api->parts, arena, UNKNOWN_SECONDS_MAX);
    if (arena && read_range(api, looking, &err) == 0)
        return true;
    if (!arena)
        err_nomem(&err);
    api_reply_err(api, &err);
    arena_free(arena);
    atomic_fetch_sub(api->looks, 1);
    return false;
}

static void end(struct api *api, struct looking *looking)
{
    arena_free(looking->arena);
    atomic_fetch_sub(api->looks, 1);
}

static struct slice range_of(struct api *api)
{
    struct slice from = http_param(api->request, "from"), to = http_param(api->request, "to");
    return arena_printf(api->arena, "from %.*s to %.*s", SLICE_ARG(from.len ? from : SLICE("-24h")), SLICE_ARG(to));
}

static void put_range(struct json *json, const struct looking *looking)
{
    json_put_time_or_null(json, "from", looking->from_ns);
    json_put_time_or_null(json, "to", looking->to_ns);
    json_put_bool(json, "complete", !looking->late);
}

/* ---- shares ---- */

static void put_zone(struct api *api, const struct understood_source *source)
{
    struct json *json = &api->json;
    const struct zone_evidence *zone = &source->zone;
    int32_t minutes = abs(zone->offset_s) / 60;
    json_key(json, "zone");
    if (!source->zone_known) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "offset", arena_printf(api->arena, "%c%02d:%02d", zone->offset_s < 0 ? '-' : '+', minutes / 60,
                                               minutes % 60));
    json_put_text(json, "decoder", zone->decoder);
    json_put_i64(json, "looked_at", zone->looked_at);
    json_put_i64(json, "without_zone", zone->without_zone);
    json_put_i64(json, "agree", zone->agree);
    json_close(json, '}');
}

static void put_source(struct api *api, const struct understood_source *source)
{
    struct json *json = &api->json;
    uint64_t decoded = source->understood + source->in_part;
    json_open(json, '{');
    json_put_text_or_null(json, "source", source->source);
    json_put_text_or_null(json, "sender", source->sender);
    json_put_text_or_null(json, "path", source->path);
    json_put_i64(json, "events", (int64_t)source->events);
    json_put_i64(json, "understood", (int64_t)source->understood);
    json_put_i64(json, "in_part", (int64_t)source->in_part);
    json_put_i64(json, "not_understood", (int64_t)source->not_understood);
    json_put_i64(json, "quarantined", (int64_t)source->quarantined);
    json_put_i64(json, "not_finished", (int64_t)source->not_finished);
    json_key(json, "share");
    json_f64(json, source->events ? (double)decoded / (double)source->events : 1);
    json_put_time_or_null(json, "first", source->first_ns);
    json_put_time_or_null(json, "last", source->last_ns);
    json_key(json, "decoders");
    json_open(json, '[');
    for (size_t i = 0; i < UNDERSTOOD_TAKERS_MAX && source->takers[i].events; i++) {
        json_open(json, '{');
        json_put_text(json, "name", source->takers[i].name);
        json_put_i64(json, "events", (int64_t)source->takers[i].events);
        json_close(json, '}');
    }
    json_close(json, ']');
    put_zone(api, source);
    json_close(json, '}');
}

void api_understood(struct api *api)
{
    struct err err;
    struct looking looking;
    struct understood understood;
    struct json *json = &api->json;
    err_clear(&err);
    if (!begin(api, &looking))
        return;
    int result = understood_look(&looking, &understood, &err);
    if (api_looked(api, "search.understood", SLICE(""), range_of(api), result, &err)) {
        json_open(json, '{');
        put_range(json, &looking);
        json_key(json, "sources");
        json_open(json, '[');
        for (size_t i = 0; i < understood.count; i++)
            put_source(api, &understood.list[i]);
        json_close(json, ']');
        json_put_i64(json, "more_sources", (int64_t)understood.more);
        json_close(json, '}');
        api_reply(api, 200);
    }
    end(api, &looking);
}

/* ---- templates ---- */

static int by_events(const void *a, const void *b)
{
    const struct unknown_place *x = a, *y = b;
    return (x->events < y->events) - (x->events > y->events);
}

static void put_places(struct json *json, struct unknown_group *group)
{
    qsort(group->places, group->place_count, sizeof(*group->places), by_events);
    json_key(json, "sources");
    json_open(json, '[');
    for (size_t i = 0; i < group->place_count && i < UNKNOWN_PLACES_MAX; i++) {
        const struct unknown_place *place = &group->places[i];
        json_open(json, '{');
        json_put_text_or_null(json, "source", place->source);
        json_put_text_or_null(json, "sender", place->sender);
        json_put_text_or_null(json, "path", place->path);
        json_put_i64(json, "events", (int64_t)place->events);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_put_bool(json, "more_sources", group->more_places || group->place_count > UNKNOWN_PLACES_MAX);
}

static void put_samples(struct json *json, const struct unknown_group *group)
{
    json_key(json, "samples");
    json_open(json, '[');
    for (size_t i = 0; i < group->sample_count; i++) {
        const struct unknown_sample *sample = &group->samples[i];
        json_open(json, '{');
        json_put_time(json, "time", sample->time_ns);
        json_put_text_or_null(json, "id", sample->id);
        json_put_text(json, "raw", sample->raw);
        json_put_bool(json, "cut", sample->cut);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_nearest(struct json *json, const struct nearly *nearly)
{
    static const char *const lacks[] = {"", "starts_with", "contains", "regex", "json"};
    json_key(json, "nearest");
    if (!nearly->decoder) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "decoder", nearly->decoder->name);
    json_put_text(json, "summary", nearly->decoder->summary);
    json_put_i64(json, "met", nearly->met);
    json_put_i64(json, "asked", nearly->asked);
    json_put_text(json, "lacks", slice_text(lacks[nearly->lacks]));
    json_put_text(json, "what", nearly->what);
    json_close(json, '}');
}

/* A name that needs no quotes in a shell. */
static bool is_plain(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !(i && strchr("._:-", c)))
            return false;
    }
    return name.len > 0;
}

static struct slice begin_with(const struct template *template, struct slice corrects, struct arena *arena)
{
    const struct unknown_group *group = template->more;
    struct sample_about about = {.template = template, .sample_count = group->sample_count, .inner = group->inner,
                                 .corrects = corrects};
    for (size_t i = 0; i < group->sample_count; i++)
        about.samples[i] = group->samples[i].raw;
    return sample_decoder(&about, arena);
}

/* What decoders make of it today, and what a person can do. */
static void put_advice(struct api *api, struct decode *decode, const struct template *template,
                       const struct unknown_group *group, bool in_part)
{
    struct json *json = &api->json;
    const struct decoder *now = NULL;
    struct slice name = SLICE("none"), version, raw = group->sample_count ? group->samples[0].raw : SLICE("");
    if (group->decoder.len)
        (void)slice_cut(group->decoder, '@', &name, &version);
    struct nearly nearly = decode_nearest(decode, template->example, group->inner);
    if (!in_part)
        (void)decode_rank(decode, raw, group->dataset, &now, 1);
    json_put_text(json, "format", slice_text(sample_format_name(sample_text_format(template->example))));
    put_nearest(json, &nearly);
    json_put_text_or_null(json, "taken_now", now ? now->name : SLICE_NONE);
    const struct decoder *taker = decoders_find(api->parts->decoders, name);
    bool named = is_plain(group->dataset) && !(taker && slice_equal(taker->dataset, group->dataset));
    struct slice command = named
                               ? arena_printf(api->arena, "hinomi decode --source %.*s --explain samples.log",
                                              SLICE_ARG(group->dataset))
                               : SLICE("hinomi decode --explain samples.log");
    json_put_text(json, "command", command);
    json_put_text_or_null(json, "decoder_to_begin_with", begin_with(template, name, api->arena));
}

static void put_template(struct api *api, struct decode *decode, const struct template *template, bool in_part,
                         bool other)
{
    struct json *json = &api->json;
    struct unknown_group *group = template->more;
    struct slice name, version;
    json_open(json, '{');
    json_put_text(json, "template", template_text(template, api->arena));
    json_put_bool(json, "others", other);
    json_put_i64(json, "events", (int64_t)template->lines);
    json_put_time(json, "first", group->first_ns);
    json_put_time(json, "last", group->last_ns);
    put_places(json, group);
    json_put_text_or_null(json, "dataset", group->dataset);
    json_put_text_or_null(json, "decoder", slice_cut(group->decoder, '@', &name, &version) ? name : group->decoder);
    json_put_text_or_null(json, "error", group->error);
    put_samples(json, group);
    put_advice(api, decode, template, group, in_part);
    json_close(json, '}');
}

static void put_templates(struct api *api, struct decode *decode, const struct unknown *unknown, bool in_part)
{
    struct json *json = &api->json;
    const struct templates *all = &unknown->templates;
    size_t limit = (size_t)api_number(api, "limit", TEMPLATES_SHOWN, TEMPLATES_SHOWN_MAX);
    json_put_i64(json, "events", (int64_t)all->lines);
    json_put_i64(json, "templates_found", (int64_t)all->count + (all->other != NULL));
    json_key(json, "templates");
    json_open(json, '[');
    for (size_t i = 0; i < all->count && i < limit; i++)
        put_template(api, decode, all->list[i], in_part, false);
    if (all->other && all->count < limit)
        put_template(api, decode, all->other, in_part, true);
    json_close(json, ']');
}

static void reply_templates(struct api *api, const struct looking *looking, const struct unknown *unknown, bool in_part)
{
    struct err err;
    struct decode *decode = decode_new(api->parts->decoders);
    if (!decode) {
        err_nomem(&err);
        api_reply_err(api, &err);
        return;
    }
    json_open(&api->json, '{');
    put_range(&api->json, looking);
    put_templates(api, decode, unknown, in_part);
    json_close(&api->json, '}');
    decode_free(decode);
    api_reply(api, 200);
}

void api_not_understood(struct api *api)
{
    struct err err;
    struct looking looking;
    struct unknown unknown;
    struct slice of = http_param(api->request, "of");
    struct unknown_request request = {.in_part = slice_is(of, "in_part"),
                                      .source = http_param(api->request, "source"),
                                      .sender = http_param(api->request, "sender"),
                                      .path = http_param(api->request, "path")};
    err_clear(&err);
    if (of.len && !request.in_part && !slice_is(of, "nobody")) {
        api_error(api, 400, "bad_request", "of is nobody or in_part");
        return;
    }
    if (!begin(api, &looking))
        return;
    int result = unknown_look(&looking, &request, &unknown, &err);
    if (api_looked(api, "search.not_understood", of, range_of(api), result, &err))
        reply_templates(api, &looking, &unknown, request.in_part);
    end(api, &looking);
}
