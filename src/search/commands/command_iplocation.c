/* iplocation: the place of an address. Private addresses, and those that the database does not know,
 * get no fields. */
#include "search/geoip.h"
#include "search/rows.h"

struct iplocation_args {
    struct slice prefix, lang, field;
    bool all;
};

#define AT(f) offsetof(struct iplocation_args, f)
static const struct command_option options[] = {
    {.name = "prefix", OPTION_TEXT, AT(prefix), "before the names of the fields"},
    {.name = "lang", OPTION_TEXT, AT(lang), "of the names of places: ja, de ... (en)"},
    {.name = "allfields", OPTION_BOOL, AT(all), "Continent, MetroCode and Timezone too (f)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct iplocation_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->lang = SLICE("en");
    if (spl_take_options(p, args) < 0 || spl_take_field(p, &args->field) < 0 ||
        spl_take_options(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct iplocation_args *)command->args)->field);
}

struct place_field {
    const char *name;
    bool more, number;
    const char *path[5]; /* LANG is the language */
};
#define LANG "\1"
static const struct place_field fields[] = {
    {"City", false, false, {"city", "names", LANG}},
    {"Continent", true, false, {"continent", "names", LANG}},
    {"Country", false, false, {"country", "names", LANG}},
    {"MetroCode", true, true, {"location", "metro_code"}},
    {"Region", false, false, {"subdivisions", "0", "names", LANG}},
    {"Timezone", true, false, {"location", "time_zone"}},
    {"lat", false, true, {"location", "latitude"}},
    {"lon", false, true, {"location", "longitude"}},
};

static int put_field(struct stage *op, struct spread *spread, uint32_t row,
                     const struct geoip_place *place, const struct place_field *field)
{
    const struct iplocation_args *args = op->command->args;
    struct arena *arena = spread->frame->batch->arena;
    const char *lang = arena_string(arena, args->lang);
    struct value v = value_null();
    double n;
    for (int round = 0; round < 2 && v.type == VALUE_NULL; round++) { /* English when it lacks it */
        const char *path[6] = {0};
        for (int i = 0; i < 5 && field->path[i]; i++)
            path[i] = field->path[i][0] == LANG[0] ? (round ? "en" : lang) : field->path[i];
        struct slice text = field->number ? SLICE_NONE : geoip_text(place, path);
        if (text.ptr)
            v = value_string(text);
        else if (field->number && geoip_number(place, path, &n))
            v = rows_from_f64(n);
    }
    struct slice name = arena_printf(arena, "%.*s%s", SLICE_ARG(args->prefix), field->name);
    if (!lang || !name.ptr)
        return -1;
    return v.type == VALUE_NULL ? 0 : spread_put(spread, row, name, v);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct iplocation_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct spread spread;
    spread_init(&spread, frame);
    for (uint32_t row = frame_next(frame, 0); from && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct slice text = rows_text(column_first(from, row), frame->batch->arena);
        struct geoip_place place;
        struct ip ip;
        if (!text.ptr || !ip_parse(slice_trim(text), &ip) || geoip_is_private(&ip) ||
            !geoip_find(op->state, &ip, &place))
            continue;
        for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
            if ((args->all || !fields[i].more) &&
                put_field(op, &spread, row, &place, &fields[i]) < 0)
                return run_nomem(op->run, err);
    }
    if (spread_finish(&spread) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    const struct search_files *files = backend ? backend->files : NULL;
    struct geoip *geoip;
    (void)command;
    if (run->options->plan_only)
        return 0;
    if (!files || !files->geoip)
        return err_set(err, ERR_CONFIG,
                       "iplocation needs a database of places: put one in MaxMind's format (.mmdb, "
                       "such as GeoLite2-City or DB-IP City Lite) into the data folder, or name it "
                       "in the configuration as geoip: FILE");
    if (geoip_open(files->geoip, run->arena, &geoip, err) < 0)
        return -1;
    op->push = push;
    op->state = geoip;
    return 0;
}

const struct command command_iplocation = {
    .name = "iplocation",
    .syntax = "iplocation [options] FIELD",
    .summary = "the place of an address: iplocation prefix=src_ allfields=t src_ip",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
