/* hinomi gate: asks a gate over its Unix socket, and measures how fast it answers, with the client that others use
 * (clients/c); makes old decisions again. */
#include "app/cli.h"

#include "app/gate_ask_why.h"
#include "app/gate_bench.h"
#include "app/gate_records.h"
#include "app/gate_whatif.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "cut/json_tree.h"
#include "gate/payload.h"
#include "hinomi_gate.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, REQUEST_BYTES_MAX = 256 * 1024, PATH_ROOM = 4096 };

static const char *text_of(const struct json_node *body, const char *key, struct arena *arena)
{
    const struct json_node *node = json_get(body, key);
    return node && (node->kind == JSON_STRING || node->kind == JSON_NUMBER) ? arena_string(arena, node->text) : NULL;
}

static int time_of(const struct json_node *body, const char *key, int64_t *out, struct err *err)
{
    bool zone;
    struct slice text = json_text_of(json_get(body, key), SLICE_NONE);
    *out = 0;
    if (!text.ptr || (time_parse_rfc3339(text, out, &zone) && zone))
        return 0;
    return err_set(err, ERR_CONFIG, "%s is a time such as 2026-01-26T00:02:13Z", key);
}

static int read_request(const char *path, struct arena *arena, struct hinomi_gate_request *out, struct err *err)
{
    struct slice text;
    const struct json_node *body;
    if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, REQUEST_BYTES_MAX, arena, &text, err) < 0 ||
        json_tree_parse(text, arena, &body, err) < 0)
        return -1;
    *out = (struct hinomi_gate_request){.request_id = text_of(body, "request_id", arena),
                                        .action = text_of(body, "action", arena),
                                        .account = text_of(body, "account", arena),
                                        .asset = text_of(body, "asset", arena),
                                        .wallet = text_of(body, "wallet", arena),
                                        .destination = text_of(body, "destination", arena),
                                        .nonce = text_of(body, "nonce", arena),
                                        .amount = text_of(body, "amount", arena)};
    struct slice payload = json_text_of(json_get(body, "payload"), SLICE_NONE), bytes;
    if (payload.ptr && !payload_from_text(payload, arena, &bytes))
        return err_set(err, ERR_CONFIG, "payload is 0x and hex, or base64, of 1 to %zu bytes", GATE_PAYLOAD_BYTES_MAX);
    if (payload.ptr) {
        out->payload = bytes.ptr;
        out->payload_len = bytes.len;
    }
    return time_of(body, "at", &out->at_ns, err) < 0 ? -1 : time_of(body, "expiry", &out->expiry_ns, err);
}

static void print_answer(const struct hinomi_gate_answer *answer)
{
    static const char *const names[] = {"allow", "hold", "deny"};
    struct buffer line;
    struct json json;
    buffer_init(&line, 64 * KIB);
    json_init(&json, &line);
    json_open(&json, '{');
    json_put_text(&json, "decision", slice_text(names[answer->decision]));
    json_put_text(&json, "row", slice_text(answer->row));
    json_put_text(&json, "id", slice_text(answer->id));
    json_put_text(&json, "reason", slice_text(answer->reason_en));
    json_put_text(&json, "reason_ja", slice_text(answer->reason_ja));
    json_put_text(&json, "incident", slice_text(answer->incident));
    json_put_text(&json, "policy_version", slice_text(answer->policy_version));
    json_put_time_or_null(&json, "at", answer->at_ns);
    json_put_bool(&json, "shadow", answer->shadow);
    json_put_bool(&json, "alone", answer->alone);
    json_put_text(&json, "token", slice_text(answer->token));
    json_close(&json, '}');
    buffer_put_char(&line, '\n');
    cli_write(buffer_slice(&line));
    buffer_close(&line);
}

/* 0 allowed, 1 not, as scripts want it. */
static int decide_command(const char *socket, const char *path)
{
    struct err err;
    struct hinomi_gate_request request;
    struct hinomi_gate_answer answer;
    struct arena *arena = arena_new(4 * MIB);
    struct hinomi_gate *gate = arena ? hinomi_gate_open(socket, TIMEOUT_MS, NULL, NULL) : NULL;
    int status = EXIT_FAILED;
    if (!gate) {
        (void)err_nomem(&err);
        status = cli_fail(&err);
    } else if (read_request(path, arena, &request, &err) < 0) {
        status = cli_fail(&err);
    } else if (hinomi_gate_decide(gate, &request, &answer) != 0) {
        (void)err_set(&err, ERR_CLOSED, "no gate answers on %s", socket);
        status = cli_fail(&err);
    } else if (answer.refused) {
        (void)err_set(&err, ERR_CONFIG, "%s", answer.reason_en);
        status = cli_fail(&err);
    } else {
        print_answer(&answer);
        status = answer.decision == HINOMI_GATE_ALLOW ? EXIT_DONE : EXIT_FAILED;
    }
    cli_flush();
    hinomi_gate_close(gate);
    arena_free(arena);
    return status;
}

static bool count_of(const char *text, long most, long *out)
{
    int64_t n;
    if (!text)
        return true;
    if (!slice_to_i64(slice_text(text), &n) || n < 1 || n > most)
        return false;
    *out = (long)n;
    return true;
}

static int bench_command(const char *socket, const char *const words[5])
{
    struct gate_bench bench = {.socket = socket, .connections = 4, .batch = 64, .seconds = 10, .asset = words[3] ? words[3] : "BTC"};
    struct err err;
    if (!count_of(words[0], GATE_CONNECTIONS_MAX, &bench.connections) || !count_of(words[1], GATE_ASK_MAX, &bench.batch) ||
        !count_of(words[2], 3600, &bench.seconds) || !count_of(words[4], 10000000, &bench.rate))
        return cli_usage("gate", "bench takes --connections 1 to 64, --batch 1 to 64, --seconds 1 to 3600 and --rate a number");
    return gate_bench_run(&bench, &err) < 0 ? cli_fail(&err) : EXIT_DONE;
}

int app_gate(int argc, char **argv)
{
    const char *socket = NULL, *dir = NULL, *bench[5] = {0};
    char usual[PATH_ROOM];
    const struct cli_option options[] = {{"--socket", &socket, NULL},       {"--dir", &dir, NULL},
                                         {"--connections", &bench[0], NULL}, {"--batch", &bench[1], NULL},
                                         {"--seconds", &bench[2], NULL},     {"--asset", &bench[3], NULL},
                                         {"--rate", &bench[4], NULL}};
    struct cli_words words;
    struct err err;
    if (argc > 0 && strcmp(argv[0], "whatif") == 0)
        return gate_whatif(argc, argv);
    int status = cli_parse("gate", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count >= 1 && words.count <= 2 && strcmp(words.words[0], "rerun") == 0) {
        if (!dir || snprintf(usual, sizeof(usual), "%s/gate", dir) >= (int)sizeof(usual))
            return cli_usage("gate", "rerun reads the journal of --dir DATA");
        return gate_records_rerun(usual, words.count == 2 ? words.words[1] : NULL);
    }
    if (!socket && dir && snprintf(usual, sizeof(usual), "%s/gate/socket", dir) < (int)sizeof(usual))
        socket = usual;
    if (!socket)
        return cli_usage("gate", "say where: --socket PATH, or --dir DATA of the server");
    if (words.count == 2 && strcmp(words.words[0], "decide") == 0)
        return decide_command(socket, words.words[1]);
    if (words.count == 2 && strcmp(words.words[0], "explain") == 0)
        return gate_ask_why(socket, words.words[1], &err) < 0 ? cli_fail(&err) : EXIT_DONE;
    if (words.count == 1 && strcmp(words.words[0], "bench") == 0)
        return bench_command(socket, bench);
    return cli_usage("gate", "decide REQUEST.json, explain REQUEST.json, bench, or rerun [ID]");
}
