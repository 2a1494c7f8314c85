/* hinomi decoders: what can be understood. */
#include "app/cli.h"

#include "base/json.h"
#include "decode/registry.h"

#include <stdio.h>

static const char *file_name(struct slice path)
{
    const char *slash = memrchr(path.ptr, '/', path.len);
    return slash ? slash + 1 : path.ptr;
}

static void put_decoder(struct json *json, const struct decoder *decoder)
{
    const struct recognise *r = &decoder->recognise;
    const char *file = file_name(decoder->path);
    json_open(json, '{');
    json_put_text(json, "name", decoder->name);
    json_put_i64(json, "version", decoder->version);
    json_put_text(json, "dataset", decoder->dataset);
    json_put_text(json, "summary", decoder->summary);
    json_put_text(json, "file", slice_of(file, (size_t)(decoder->path.ptr + decoder->path.len - file)));
    json_put_texts(json, "sources", r->sources, r->source_count);
    json_put_texts(json, "programs", r->programs, r->program_count);
    json_put_bool(json, "by_content", r->by_content && !r->inner_only);
    json_put_bool(json, "helper", r->inner_only && !r->by_content && !r->program_count);
    json_put_texts(json, "differs", decoder->differs, decoder->differ_count);
    json_close(json, '}');
}

static void print_decoder(const struct decoder *decoder)
{
    const struct recognise *r = &decoder->recognise;
    printf("%-36.*s %.*s\n", SLICE_ARG(decoder->name), SLICE_ARG(decoder->summary));
    if (r->source_count)
        printf("    sources:");
    for (uint32_t i = 0; i < r->source_count; i++)
        printf(" %.*s", SLICE_ARG(r->sources[i]));
    if (r->source_count)
        putchar('\n');
}

static bool is_asked_for(const struct decoder *decoder, const struct cli_words *words)
{
    bool found = words->count == 0;
    for (int i = 0; i < words->count; i++)
        found |= slice_is(decoder->name, words->words[i]);
    return found;
}

int app_decoders(int argc, char **argv)
{
    const char *own = NULL, *format = "text";
    const struct cli_option options[] = {{"--decoders", &own, NULL}, {"--format", &format, NULL}};
    struct cli_words words;
    struct decoders *decoders;
    struct buffer text;
    struct json json;
    struct err err;
    int status = cli_parse("decoders", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    bool as_json = strcmp(format, "json") == 0;
    if (!as_json && strcmp(format, "text") != 0)
        return cli_usage("decoders", "--format is text or json");
    if (cli_load_decoders(own, &decoders, &err) < 0)
        return cli_fail(&err);
    buffer_init(&text, 64 * MIB);
    json_init(&json, &text);
    json_open(&json, '[');
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct decoder *decoder = decoders->all.list[i];
        bool helper = decoder->recognise.inner_only && !decoder->recognise.program_count &&
                      !decoder->recognise.by_content;
        if (!is_asked_for(decoder, &words))
            continue;
        if (as_json)
            put_decoder(&json, decoder);
        else if (!helper || words.count)
            print_decoder(decoder);
    }
    json_close(&json, ']');
    if (as_json)
        printf("%.*s\n", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
    decoders_free(decoders);
    return EXIT_DONE;
}
