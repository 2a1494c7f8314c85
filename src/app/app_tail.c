/* hinomi search --tail: asks GET /v1/search/tail of a server and prints the events as they come. */
#include "app/app_tail.h"

#include "app/cli.h"
#include "base/file.h"
#include "cut/json_tree.h"
#include "net/http_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 64 * 1024 * 1024, TOKEN_BYTES_MAX = 4096 };

struct printer {
    struct arena *arena; /* of a line that is no event */
    struct buffer line;  /* begun */
    bool failed, closed; /* the server gave a reason; nobody reads what is printed */
};

static void print_note(struct printer *printer, struct slice line)
{
    const struct json_node *node;
    struct err err;
    arena_reset(printer->arena);
    if (json_tree_parse(line, printer->arena, &node, &err) < 0)
        node = NULL;
    const struct json_node *skipped = json_get(node, "skipped"), *end = json_get(node, "end");
    const struct json_node *refused = json_get(node, "error");
    if (skipped)
        fprintf(stderr, "hinomi search: %lld events were skipped: %s\n",
                (long long)json_i64_of(json_get(skipped, "events"), 0),
                slice_is(json_text_of(json_get(skipped, "where"), SLICE("")), "reader")
                    ? "this program took them too slowly"
                    : "the server had no time to look at them");
    if (!end && !refused)
        return;
    struct slice text = json_text_of(json_get(end ? end : refused, "message"), line);
    fprintf(stderr, "hinomi search: %.*s\n", SLICE_ARG(text));
    printer->failed = true;
}

/* {"event":{...}}: what stands inside, as it is. */
static void print_line(struct printer *printer, struct slice line)
{
    static const struct slice head = {"{\"event\":", 9};
    if (!slice_starts(line, head) || line.ptr[line.len - 1] != '}') {
        print_note(printer, line);
        return;
    }
    struct slice event = slice_sub(line, head.len, line.len - head.len - 1);
    printer->closed |= !cli_write(event) || !cli_write(SLICE("\n"));
}

static bool take(void *context, struct slice bytes)
{
    struct printer *printer = context;
    while (bytes.len) {
        ptrdiff_t end = slice_find_char(bytes, '\n');
        size_t len = end < 0 ? bytes.len : (size_t)end;
        buffer_put(&printer->line, slice_sub(bytes, 0, len));
        bytes = slice_sub(bytes, len + (end >= 0), bytes.len - len - (end >= 0));
        if (end < 0)
            break;
        print_line(printer, buffer_slice(&printer->line));
        buffer_clear(&printer->line);
    }
    printer->closed |= !cli_flush();
    return !printer->closed && !buffer_failed(&printer->line);
}

/* All that was printed has been flushed. */
static void on_signal(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

static void put_encoded(struct buffer *to, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if ((*at >= '0' && *at <= '9') || ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z'))
            buffer_put_char(to, (char)*at);
        else
            buffer_printf(to, "%%%02X", *at);
}

static void put_url(struct buffer *to, const char *url, const char *spl, const char *zone)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    buffer_put(to, slice_of(url, len));
    buffer_put_text(to, "/v1/search/tail?q=");
    put_encoded(to, spl);
    if (zone) {
        buffer_put_text(to, "&tz=");
        put_encoded(to, zone);
    }
}

static int read_token(const char *path, struct arena *arena, struct slice *out, struct err *err)
{
    const char *set = getenv("HINOMI_TOKEN");
    struct slice text = set ? slice_text(set) : SLICE_NONE;
    if (path && file_read(path, TOKEN_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    if (!text.ptr)
        return err_set(err, ERR_CONFIG, "the server wants an API token: name its file with "
                       "--token-file, or put it into HINOMI_TOKEN");
    *out = arena_printf(arena, "Bearer %.*s", SLICE_ARG(slice_trim(text)));
    return out->ptr ? 0 : err_nomem(err);
}

static int follow(struct slice url, struct slice bearer, const char *ca_file, struct arena *arena,
                  struct err *err)
{
    struct printer printer = {.arena = arena};
    const struct http_fetch_header header = {"Authorization", bearer};
    const struct http_fetch_request request = {
        .method = "GET", .url = url, .headers = &header, .header_count = 1, .ca_file = ca_file,
        .timeout_ms = HTTP_FETCH_ENDLESS, .allow_private = true, /* whoever calls names the server */
        .take = take, .take_context = &printer};
    struct http_fetch_reply reply = {0};
    buffer_init(&printer.line, LINE_BYTES_MAX);
    int result = http_fetch(net_real(), &request, &reply, err);
    if (result == 0 && !printer.closed && printer.line.len)
        print_line(&printer, buffer_slice(&printer.line)); /* an error has no line's end */
    bool too_long = buffer_failed(&printer.line);
    buffer_close(&printer.line);
    if (too_long)
        return err_set(err, ERR_LIMIT, "the server sent a line that is too long");
    if (result < 0 || printer.closed || printer.failed)
        return result < 0 ? -1 : printer.failed;
    return err_set(err, ERR_IO, "the server ended the search without a reason (HTTP %d)", reply.status);
}

int app_tail(int argc, char **argv)
{
    const char *url = NULL, *token_file = NULL, *ca_file = NULL, *zone = NULL;
    bool tail = false; /* it is there: that is why we are here */
    const struct cli_option options[] = {
        {"--tail", NULL, &tail},     {"--url", &url, NULL}, {"--token-file", &token_file, NULL},
        {"--ca", &ca_file, NULL},    {"--tz", &zone, NULL}};
    struct cli_words words;
    struct err err;
    struct slice bearer;
    int status = cli_parse("search", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count != 1 || !url)
        return cli_usage("search", "--tail needs --url of a server and one search, in quotes");
    if (http_fetch_check(slice_text(url), true, &err) < 0)
        return cli_usage("search", "%s", err.text);
    struct arena *arena = arena_new(2 * LINE_BYTES_MAX);
    struct arena *keep = arena_new(MIB);
    struct buffer address;
    buffer_init(&address, MIB);
    put_url(&address, url, words.words[0], zone);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int result = arena && keep && !buffer_failed(&address) ? read_token(token_file, keep, &bearer, &err)
                                                           : err_nomem(&err);
    if (result == 0)
        result = follow(buffer_slice(&address), bearer, ca_file, arena, &err);
    buffer_close(&address);
    arena_free(arena);
    arena_free(keep);
    return result < 0 ? cli_fail(&err) : result > 0 ? EXIT_FAILED : EXIT_DONE;
}
