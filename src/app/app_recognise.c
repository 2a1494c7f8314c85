/* hinomi recognise: what files seem to be, for people who are about to import them. */
#include "app/cli.h"
#include "app/recognise.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { SAMPLE_SHOWN = 120 };

static double share(uint64_t count, uint64_t all)
{
    return all ? 100.0 * (double)count / (double)all : 0.0;
}

static void print_names(const char *what, const struct name_count *names, uint64_t all)
{
    if (!names[0].count)
        return;
    printf("  %-15s", what);
    for (size_t i = 0; i < RECOGNISE_NAMES_MAX && names[i].count; i++)
        printf("%s%.*s %.1f %%", i ? ", " : "", SLICE_ARG(names[i].name), share(names[i].count, all));
    putchar('\n');
}

static void print_time(const struct recognised *r)
{
    if (!r->stamps)
        printf("  %-15snone of their own\n", "times");
    else if (!r->zoneless)
        printf("  %-15swith their zone\n", "times");
    else if (r->offset_known)
        printf("  %-15swithout a zone; by the file's own time they are %+03d:%02d (--tz %+03d:%02d)\n", "times",
               r->offset_s / 3600, abs(r->offset_s) / 60 % 60, r->offset_s / 3600, abs(r->offset_s) / 60 % 60);
    else
        printf("  %-15swithout a zone, taken as UTC; --tz Asia/Tokyo and the like name another\n", "times");
}

/* On one line, whatever bytes it has. */
static void print_sample(const struct line_shape *shape)
{
    printf("  %15llu  ", (unsigned long long)shape->count);
    for (size_t i = 0; i < shape->sample.len && i < SAMPLE_SHOWN; i++) {
        unsigned char c = (unsigned char)shape->sample.ptr[i];
        if (c >= ' ' && c != 0x7f)
            putchar(c);
        else
            printf(c == '\n' ? "\\n" : "\\x%02x", c);
    }
    putchar('\n');
}

static void print_text(const char *path, const struct recognised *r)
{
    printf("%s\n", path);
    if (!r->events) {
        printf("  empty\n");
        return;
    }
    print_names("decoder", r->decoders, r->events);
    print_names("or", r->others, r->events);
    if (!r->decoders[0].count)
        printf("  %-15snone: nobody knows these events\n", "decoder");
    printf("  %-15s%s\n", "encoding", r->encodings[0].count ? "" : "UTF-8");
    print_names("", r->encodings, r->events);
    printf("  %-15s%s\n", "records", r->records ? r->records : "a line each");
    if (r->columns.len)
        printf("  %-15s%.*s\n", "columns", SLICE_ARG(r->columns));
    print_time(r);
    printf("  %-15s%llu", "events", (unsigned long long)r->events);
    printf(r->events == RECOGNISE_EVENTS_MAX ? " looked at, there may be more\n" : "\n");
    if (r->errors)
        printf("  %-15s%llu (%.1f %%); hinomi decode --explain tells why\n", "not finished",
               (unsigned long long)r->errors, share(r->errors, r->events));
    if (r->not_understood)
        printf("  %-15s%llu (%.1f %%)\n", "not understood", (unsigned long long)r->not_understood,
               share(r->not_understood, r->events));
    for (size_t i = 0; i < RECOGNISE_SHAPES_MAX && r->shapes[i].count; i++)
        print_sample(&r->shapes[i]);
}

static void put_names(struct json *json, const char *key, const struct name_count *names, uint64_t all)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < RECOGNISE_NAMES_MAX && names[i].count; i++) {
        json_open(json, '{');
        json_put_text(json, "name", names[i].name);
        json_put_i64(json, "events", (int64_t)names[i].count);
        json_key(json, "share");
        json_f64(json, share(names[i].count, all) / 100.0);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_json(struct json *json, const char *path, const struct recognised *r)
{
    json_open(json, '{');
    json_put_text(json, "path", slice_text(path));
    json_put_i64(json, "events", (int64_t)r->events);
    put_names(json, "decoders", r->decoders, r->events);
    put_names(json, "others", r->others, r->events);
    put_names(json, "encodings", r->encodings, r->events);
    json_put_text(json, "records", slice_text(r->records ? r->records : "a line each"));
    json_put_text(json, "columns", r->columns);
    json_put_i64(json, "stamps", (int64_t)r->stamps);
    json_put_i64(json, "without_zone", (int64_t)r->zoneless);
    json_key(json, "offset_s");
    if (r->offset_known)
        json_i64(json, r->offset_s);
    else
        json_null(json);
    json_put_i64(json, "not_finished", (int64_t)r->errors);
    json_put_i64(json, "not_understood", (int64_t)r->not_understood);
    json_key(json, "samples");
    json_open(json, '[');
    for (size_t i = 0; i < RECOGNISE_SHAPES_MAX && r->shapes[i].count; i++) {
        json_open(json, '{');
        json_put_i64(json, "events", (int64_t)r->shapes[i].count);
        json_put_text(json, "shape", r->shapes[i].shape);
        json_put_text(json, "sample", r->shapes[i].sample);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static int print_one(const struct decoders *decoders, const char *source, const char *path, bool as_json,
                     struct err *err)
{
    struct recognised recognised;
    struct buffer text;
    struct json json;
    int result = recognise_file(decoders, source, path, &recognised, err);
    if (result == 0 && !as_json)
        print_text(path, &recognised);
    if (result == 0 && as_json) {
        buffer_init(&text, 64 * MIB);
        json_init(&json, &text);
        put_json(&json, path, &recognised);
        printf("%.*s\n", SLICE_ARG(buffer_slice(&text)));
        buffer_close(&text);
    }
    recognise_close(&recognised);
    return result;
}

int app_recognise(int argc, char **argv)
{
    const char *source = NULL, *own = NULL, *format = "text";
    const struct cli_option options[] = {
        {"--source", &source, NULL}, {"--decoders", &own, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    struct decoders *decoders;
    struct err err;
    int failed = 0, status = cli_parse("recognise", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count == 0)
        return cli_usage("recognise", "name a file, or - for standard input");
    bool as_json = strcmp(format, "json") == 0;
    if (!as_json && strcmp(format, "text") != 0)
        return cli_usage("recognise", "--format is text or json");
    if (cli_load_decoders(own, &decoders, &err) < 0)
        return cli_fail(&err);
    cli_note_source(decoders, source);
    for (int i = 0; i < words.count; i++)
        if (print_one(decoders, source, words.words[i], as_json, &err) < 0) {
            cli_fail(&err);
            failed++;
        }
    decoders_free(decoders);
    return failed ? EXIT_FAILED : EXIT_DONE;
}
