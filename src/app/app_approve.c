/* hinomi approve: a person judges a held request away from the server, and signs that it may go. */
#include "app/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "gate/approval.h"
#include "gate/gate_request.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SIGNED_FOR_NS (15 * NS_PER_MINUTE)
enum { KEY_FILE_MAX = 4096, SEED_TEXT_SIZE = 64, SIGNATURE_TEXT_SIZE = 128 };
static_assert(SIGNED_FOR_NS <= APPROVAL_LIFE_MAX_NS, "the gate would refuse it");

struct key {
    struct slice approver;
    unsigned char seed[APPROVER_SEED_SIZE];
};

struct held {
    struct slice id, gate_id, row, reason, incident;
    int64_t approvals, approvals_needed;
    struct gate_request request;
    unsigned char digest[REQUEST_DIGEST_SIZE];
};

/* ---- the key ---- */

/* "keys/sato.key" -> "sato" */
static struct slice name_from_path(const char *path)
{
    struct slice name = slice_text(path), rest;
    const char *slash = strrchr(path, '/');
    if (slash)
        name = slice_text(slash + 1);
    slice_cut(name, '.', &name, &rest);
    return name;
}

static int write_key(const char *path, struct slice text, struct err *err)
{
    const struct hin_io *io = io_real();
    int fd = io->open(io->context, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot make %s; a key is never written over", path);
    int result = io_write_all(io, fd, text, 0, path, err);
    if (result == 0 && io->fdatasync(io->context, fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", path);
    io->close(io->context, fd);
    if (result < 0)
        (void)io->unlink(io->context, path);
    return result;
}

static int new_key(const char *path, struct slice approver, struct err *err)
{
    struct key key = {.approver = approver};
    unsigned char public_key[APPROVER_KEY_SIZE];
    char seed[SEED_TEXT_SIZE], shown[SEED_TEXT_SIZE];
    struct buffer text;
    struct json json;
    rand_real()->fill(rand_real()->context, key.seed, sizeof(key.seed));
    approval_public_key(key.seed, public_key);
    sodium_bin2base64(seed, sizeof(seed), key.seed, sizeof(key.seed), sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(shown, sizeof(shown), public_key, sizeof(public_key),
                      sodium_base64_VARIANT_ORIGINAL);
    buffer_init(&text, KEY_FILE_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "approver", approver);
    json_put_text(&json, "secret", slice_text(seed));
    json_close(&json, '}');
    buffer_put_char(&text, '\n');
    int result = buffer_failed(&text) ? err_nomem(err) : write_key(path, buffer_slice(&text), err);
    if (text.ptr)
        sodium_memzero(text.ptr, text.len);
    sodium_memzero(&key, sizeof(key));
    sodium_memzero(seed, sizeof(seed));
    buffer_close(&text);
    if (result == 0)
        printf("approvers:\n  %.*s: %s\n", SLICE_ARG(approver), shown);
    return result;
}

static int read_key(const char *path, struct arena *arena, struct key *out, struct err *err)
{
    struct stat info;
    struct slice text, secret;
    const struct json_node *node;
    size_t len = 0;
    if (stat(path, &info) == 0 && (info.st_mode & 077))
        return err_set(err, ERR_DENIED, "%s can be read by others; run chmod 600 on it, and if others may "
                       "have read it, make a new key", path);
    if (file_read(path, KEY_FILE_MAX, arena, &text, err) < 0)
        return -1;
    if (json_tree_parse(text, arena, &node, err) < 0 ||
        json_want_text(node, "approver", &out->approver, err) < 0 ||
        json_want_text(node, "secret", &secret, err) < 0)
        return err_within(err, "%s is no key of an approver", path);
    if (sodium_base642bin(out->seed, sizeof(out->seed), secret.ptr, secret.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) < 0 || len != sizeof(out->seed))
        return err_set(err, ERR_CONFIG, "%s is no key of an approver: its secret is damaged", path);
    return 0;
}

/* ---- what is held ---- */

/* The id is computed from what is shown, so nobody can show one thing and have another signed. */
static int check_id(struct held *held, struct err *err)
{
    char id[33];
    if (!request_digest(&held->request, held->digest))
        return err_nomem(err);
    sodium_bin2hex(id, sizeof(id), held->digest, 16);
    if (!slice_is(held->id, id))
        return err_set(err, ERR_DENIED, "the request does not belong to the hold %.*s: what is shown is not "
                       "what would be let go", SLICE_ARG(held->id));
    return 0;
}

static int read_held(const char *path, struct arena *arena, struct held *out, struct err *err)
{
    struct slice text;
    const struct json_node *node;
    if (file_read(path, 1 * MIB, arena, &text, err) < 0)
        return -1;
    if (json_tree_parse(text, arena, &node, err) < 0 ||
        json_want_text(node, "id", &out->id, err) < 0 ||
        json_want_text(node, "gate", &out->gate_id, err) < 0 ||
        gate_request_read(node, &out->request, err) < 0)
        return err_within(err, "%s is no hold as GET /v1/gate/holds/ID shows it", path);
    const struct json_node *reasons = json_at(node, "reasons.en");
    out->row = json_text_of(json_get(node, "row"), SLICE("-"));
    out->reason = json_text_of(reasons ? reasons->first : NULL, SLICE("-"));
    out->incident = json_text_of(json_get(node, "incident"), SLICE("-"));
    out->approvals = json_i64_of(json_get(node, "approvals"), 0);
    out->approvals_needed = json_i64_of(json_get(node, "approvals_needed"), 0);
    return check_id(out, err) < 0 ? err_within(err, "%s", path) : 0;
}

/* Only plain letters reach the terminal: nothing can hide, look alike or move the cursor. */
static void say(const char *name, struct slice text)
{
    fprintf(stderr, "  %-14s ", name);
    if (!text.len)
        fputc('-', stderr);
    while (text.len) {
        uint32_t code;
        size_t len = utf8_decode(text, &code);
        if (len == 1 && code >= ' ' && code < 0x7f)
            fputc((int)code, stderr);
        else if (len)
            fprintf(stderr, "\\u{%X}", (unsigned)code);
        else
            fprintf(stderr, "\\x%02X", (unsigned)(unsigned char)text.ptr[0]);
        text = slice_from(text, len ? len : 1);
    }
    fputc('\n', stderr);
}

static void say_time(const char *name, int64_t time_ns, const char *otherwise)
{
    char text[TIME_TEXT_SIZE];
    say(name, time_ns ? slice_of(text, time_format(time_ns, text)) : slice_text(otherwise));
}

static void show(const struct held *held, const struct key *key)
{
    const struct gate_request *request = &held->request;
    char amount[DECIMAL_TEXT_SIZE], count[64];
    fprintf(stderr, "This is held, and you are asked to let it go:\n\n");
    say("action", request->action);
    say("amount", request->has_amount ? slice_of(amount, decimal_format(request->amount, amount))
                                      : SLICE("-"));
    say("asset", request->asset);
    say("to", request->destination);
    say("from account", request->account);
    say("from wallet", request->wallet);
    say("request", request->request_id);
    say("nonce", request->nonce);
    say_time("asked at", request->at_ns, "-");
    say_time("expires", request->expiry_ns, "never");
    fprintf(stderr, "\n");
    say("held by row", held->row);
    say("because", held->reason);
    say("incident", held->incident);
    snprintf(count, sizeof(count), "%lld of %lld", (long long)held->approvals,
             (long long)held->approvals_needed);
    say("approvals", slice_text(count));
    say("gate", held->gate_id);
    say("you sign as", key->approver);
    fprintf(stderr, "\nOnly the part above the row is proven by the signature; the rest is what the file says.\n");
}

/* ---- signing ---- */

static bool confirmed(void)
{
    char line[16];
    fprintf(stderr, "Type yes to sign: ");
    fflush(stderr);
    return fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0;
}

static int sign(const struct held *held, const struct key *key, struct err *err)
{
    struct approval_text text = {.gate_id = held->gate_id, .hold_id = held->id,
                                 .approver = key->approver, .digest = held->digest,
                                 .expires_ns = clock_wall_ns(clock_real()) + SIGNED_FOR_NS};
    unsigned char signature[GATE_SIGNATURE_SIZE];
    char shown[SIGNATURE_TEXT_SIZE];
    struct buffer out;
    struct json json;
    if (!approval_sign(&text, key->seed, signature))
        return err_nomem(err);
    sodium_bin2base64(shown, sizeof(shown), signature, sizeof(signature),
                      sodium_base64_VARIANT_ORIGINAL);
    buffer_init(&out, 64 * KIB);
    json_init(&json, &out);
    json_open(&json, '{');
    json_put_text(&json, "hold", held->id);
    json_put_text(&json, "gate", held->gate_id);
    json_put_text(&json, "approver", key->approver);
    json_put_time(&json, "expires", text.expires_ns);
    json_put_text(&json, "signature", slice_text(shown));
    json_close(&json, '}');
    buffer_put_char(&out, '\n');
    bool written = !buffer_failed(&out) && cli_write(buffer_slice(&out)) && cli_flush();
    buffer_close(&out);
    return written ? 0 : err_set(err, ERR_IO, "the approval could not be written");
}

static int approve(const char *key_path, const char *held_path, bool yes, struct err *err)
{
    struct key key;
    struct held held = {0};
    struct arena *arena = arena_new(16 * MIB);
    int result = arena ? 0 : err_nomem(err);
    if (result == 0 && (read_key(key_path, arena, &key, err) < 0 ||
                        read_held(held_path, arena, &held, err) < 0))
        result = -1;
    if (result == 0) {
        show(&held, &key);
        result = yes || confirmed() ? sign(&held, &key, err)
                                    : err_set(err, ERR_CANCELLED, "nothing was signed");
    }
    sodium_memzero(&key, sizeof(key));
    arena_free(arena);
    return result;
}

int app_approve(int argc, char **argv)
{
    const char *key = NULL, *fresh = NULL, *name = NULL;
    bool yes = false;
    const struct cli_option options[] = {
        {"--key", &key, NULL}, {"--new-key", &fresh, NULL}, {"--name", &name, NULL}, {"--yes", NULL, &yes}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("approve", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!fresh == !key)
        return cli_usage("approve", "say --key FILE to sign with, or --new-key FILE to make one");
    if (name && !fresh)
        return cli_usage("approve", "the key says whose it is; --name goes with --new-key");
    if (words.count != (fresh ? 0 : 1))
        return cli_usage("approve", fresh ? "--new-key stands alone" : "name the file with the hold");
    if (sodium_init() < 0) {
        err_set(&err, ERR_IO, "libsodium cannot start");
        return cli_fail(&err);
    }
    struct slice approver = name ? slice_text(name) : fresh ? name_from_path(fresh) : SLICE("");
    if (fresh && !approver.len)
        return cli_usage("approve", "say whose key it is with --name NAME");
    int result = fresh ? new_key(fresh, approver, &err) : approve(key, words.words[0], yes, &err);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
