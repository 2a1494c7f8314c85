/* hinomi approve: a person judges a held request away from the server, and signs that it may go. */
#include "app/approve_policy.h"
#include "app/approve_say.h"
#include "app/approve_warn.h"
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
enum { TYPED_LAST = 6, KEY_FILE_MAX = 4096, SEED_TEXT_SIZE = 64, SIGNATURE_TEXT_SIZE = 128 };
static_assert(SIGNED_FOR_NS <= APPROVAL_LIFE_MAX_NS, "the gate would refuse it");

struct key {
    struct slice approver;
    unsigned char seed[APPROVER_SEED_SIZE];
};

/* A held request, or a stop whose next step is asked for. */
struct held {
    bool is_stop;
    struct gate_stop stop;
    uint32_t next_share;
    struct slice id, gate_id, row, reason, incident, approvers;
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

/* As GET /v1/gate/stops/ID shows it; id and digest are computed from what is shown. */
static int read_stop(const struct json_node *node, struct held *out, struct err *err)
{
    struct gate_stop *stop = &out->stop;
    struct decimal next;
    struct slice changed;
    bool zone;
    out->is_stop = true;
    stop->target = json_text_of(json_get(node, "target"), SLICE(""));
    stop->by = json_text_of(json_get(node, "by"), SLICE("-"));
    stop->reason = json_text_of(json_get(node, "reason"), SLICE("-"));
    const struct json_node *share = json_get(node, "next_share");
    if (json_want_text(node, "scope", &stop->scope, err) < 0 || json_want_text(node, "changed", &changed, err) < 0)
        return -1;
    if (!share || share->kind != JSON_NUMBER || !decimal_parse(share->text, &next) ||
        !time_parse_rfc3339(changed, &stop->changed_ns, &zone))
        return err_set(err, ERR_CONFIG, "next_share is a number, changed a time");
    for (uint32_t step = gate_stop_next_share(0); !out->next_share; step = gate_stop_next_share(step)) {
        if (decimal_compare(next, (struct decimal){.coefficient = step, .scale = 4}) == 0)
            out->next_share = step;
        else if (step == GATE_SHARE_WHOLE)
            return err_set(err, ERR_CONFIG, "next_share is 0.01, 0.1 or 1");
    }
    gate_stop_id(stop);
    if (!slice_is(out->id, stop->id))
        return err_set(err, ERR_DENIED, "what is shown does not belong to the stop %.*s", SLICE_ARG(out->id));
    return reopening_digest(stop, out->next_share, out->digest) ? 0 : err_nomem(err);
}

/* "sato, suzuki" */
static bool read_approvers(const struct json_node *list, struct arena *arena, struct slice *out)
{
    *out = SLICE("");
    for (const struct json_node *name = list ? list->first : NULL; name && out->ptr; name = name->next)
        *out = arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(*out), out->len ? ", " : "", SLICE_ARG(json_text_of(name, SLICE("-"))));
    return out->ptr != NULL;
}

static int read_held(const char *path, struct arena *arena, struct held *out, struct err *err)
{
    struct slice text;
    const struct json_node *node;
    if (file_read(path, 1 * MIB, arena, &text, err) < 0)
        return -1;
    if (json_tree_parse(text, arena, &node, err) < 0 ||
        json_want_text(node, "id", &out->id, err) < 0 ||
        json_want_text(node, "gate", &out->gate_id, err) < 0)
        return err_within(err, "%s is no hold as GET /v1/gate/holds/ID shows it", path);
    out->approvals = json_i64_of(json_get(node, "approvals"), 0);
    out->approvals_needed = json_i64_of(json_get(node, "approvals_needed"), 0);
    if (json_get(node, "scope"))
        return read_stop(node, out, err) < 0 ? err_within(err, "%s is no stop as GET /v1/gate/stops/ID shows it", path) : 0;
    if (gate_request_read(node, arena, &out->request, err) < 0)
        return err_within(err, "%s is no hold as GET /v1/gate/holds/ID shows it", path);
    const struct json_node *reasons = json_at(node, "reasons.en");
    out->row = json_text_of(json_get(node, "row"), SLICE("-"));
    out->reason = json_text_of(reasons ? reasons->first : NULL, SLICE("-"));
    out->incident = json_text_of(json_get(node, "incident"), SLICE("-"));
    if (!read_approvers(json_get(node, "approvers"), arena, &out->approvers))
        return err_nomem(err);
    return check_id(out, err) < 0 ? err_within(err, "%s", path) : 0;
}

/* What stands in the file beside what is signed. */
static void show_rest(const struct held *held, const struct key *key, const char *proven)
{
    char count[64];
    snprintf(count, sizeof(count), "%lld of %lld", (long long)held->approvals, (long long)held->approvals_needed);
    approve_say("approvals", slice_text(count));
    approve_say("gate", held->gate_id);
    approve_say("you sign as", key->approver);
    fprintf(stderr, "\nOnly the part above %s is proven by the signature; the rest is what the file says.\n", proven);
}

static void show_stop(const struct held *held, const struct key *key)
{
    char share[64];
    fprintf(stderr, "This is stopped, and you are asked to reopen it by a step:\n\n");
    approve_say("scope", held->stop.scope);
    approve_say("target", held->stop.target);
    snprintf(share, sizeof(share), "%g %% of the usual limits", held->next_share / 100.0);
    approve_say("may pass then", slice_text(share));
    approve_say_time("since change", held->stop.changed_ns, "-");
    fprintf(stderr, "\n");
    approve_say("stopped by", held->stop.by);
    approve_say("because", held->stop.reason);
    show_rest(held, key, "who stopped it");
}

static void show(const struct held *held, const struct key *key, const struct approve_warn *warn)
{
    const struct gate_request *request = &held->request;
    if (held->is_stop) {
        show_stop(held, key);
        return;
    }
    fprintf(stderr, "This is held, and you are asked to let it go:\n\n");
    approve_say("action", request->action);
    approve_warn_amounts(warn);
    approve_say("from account", request->account);
    approve_say("from wallet", request->wallet);
    approve_say("request", request->request_id);
    approve_say("nonce", request->nonce);
    approve_say_time("asked at", request->at_ns, "-");
    approve_say_time("expires", request->expiry_ns, "never");
    fprintf(stderr, "\n");
    approve_say("held by row", held->row);
    approve_say("because", held->reason);
    approve_say("incident", held->incident);
    approve_say("approved by", held->approvers);
    show_rest(held, key, "the row");
}

/* ---- signing ---- */

/* Whoever types the end of an address has looked at it. */
static bool confirmed(struct slice destination, bool looks_alike)
{
    char line[64];
    struct slice want = looks_alike ? slice_from(destination, destination.len > TYPED_LAST ? destination.len - TYPED_LAST : 0) : SLICE("yes");
    fprintf(stderr, looks_alike ? "Type the last %d characters of the destination to sign: " : "Type yes to sign: ", TYPED_LAST);
    fflush(stderr);
    if (!fgets(line, sizeof(line), stdin))
        return false;
    struct slice typed = slice_text(line);
    return slice_ends(typed, SLICE("\n")) && slice_equal(slice_sub(typed, 0, typed.len - 1), want);
}

/* break_glass: why, or none. */
static int sign(const struct held *held, const struct key *key, struct slice break_glass, struct err *err)
{
    struct approval_text text = {.gate_id = held->gate_id, .hold_id = held->id,
                                 .approver = key->approver, .digest = held->digest,
                                 .expires_ns = clock_wall_ns(clock_real()) + SIGNED_FOR_NS,
                                 .break_glass = break_glass};
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
    json_put_text(&json, held->is_stop ? "stop" : "hold", held->id);
    if (held->is_stop) {
        char share[DECIMAL_TEXT_SIZE];
        struct decimal step = decimal_trim((struct decimal){.coefficient = held->next_share, .scale = 4});
        json_key(&json, "share");
        json_raw(&json, slice_of(share, decimal_format(step, share)));
    }
    json_put_text(&json, "gate", held->gate_id);
    json_put_text(&json, "approver", key->approver);
    json_put_time(&json, "expires", text.expires_ns);
    if (break_glass.len)
        json_put_text(&json, "break_glass", break_glass);
    json_put_text(&json, "signature", slice_text(shown));
    json_close(&json, '}');
    buffer_put_char(&out, '\n');
    bool written = !buffer_failed(&out) && cli_write(buffer_slice(&out)) && cli_flush();
    buffer_close(&out);
    return written ? 0 : err_set(err, ERR_IO, "the approval could not be written");
}

struct order {
    const char *key, *held, *known, *policy, *reason;
    const char *policy_to_sign, *against;
    bool break_glass;
    bool yes;
};

/* What the person needs to judge, beside the file. */
static int read_own(const struct order *order, struct arena *arena, struct known *known, const struct policy **policy, struct err *err)
{
    const char *path = order->known;
    if (!path)
        path = arena_printf(arena, "%s.known", order->key).ptr;
    *policy = NULL;
    if (!path)
        return err_nomem(err);
    if (order->policy && policy_load(order->policy, arena, policy, err) < 0)
        return -1;
    return known_read(path, arena, known, err);
}

/* A yes in advance does not do where a person must look. */
static int confirm(const struct order *order, struct slice destination, bool looks_alike, struct err *err)
{
    if (order->yes && looks_alike)
        return err_set(err, ERR_DENIED, "--yes does not go with a destination that looks like another one; nothing was signed");
    return order->yes || confirmed(destination, looks_alike) ? 0 : err_set(err, ERR_CANCELLED, "nothing was signed");
}

static int judge(const struct order *order, struct held *held, const struct key *key, struct arena *arena, struct err *err)
{
    struct known known;
    const struct policy *policy;
    if (read_own(order, arena, &known, &policy, err) < 0)
        return -1;
    struct approve_warn warn = {.request = &held->request, .policy = policy, .known = &known, .now_ns = clock_wall_ns(clock_real())};
    show(held, key, &warn);
    if (held->is_stop)
        return confirm(order, SLICE(""), false, err) < 0 ? -1 : sign(held, key, SLICE_NONE, err);
    struct slice reason = order->break_glass ? slice_trim(slice_text(order->reason)) : SLICE_NONE;
    if (order->break_glass)
        approve_say_danger("break glass", reason);
    if (approve_warn_payload(&warn, arena, err) < 0 ||
        confirm(order, held->request.destination, approve_warn_person(&warn), err) < 0)
        return -1;
    if (held->request.destination.len && known_add(&known, &held->request, warn.now_ns, err) < 0)
        return -1;
    return sign(held, key, reason, err);
}

static int sign_policy(const struct order *order, const struct key *key, struct arena *arena, struct err *err)
{
    const struct approve_policy policy = {.path = order->policy_to_sign, .against = order->against, .seed = key->seed, .arena = arena};
    const struct policy *read;
    return approve_policy_show(&policy, &read, err) < 0 || confirm(order, SLICE(""), false, err) < 0
               ? -1
               : approve_policy_sign(&policy, read, err);
}

static int approve(const struct order *order, struct err *err)
{
    struct key key;
    struct held held = {0};
    struct arena *arena = arena_new(64 * MIB);
    int result = arena ? 0 : err_nomem(err);
    if (result == 0)
        result = read_key(order->key, arena, &key, err);
    if (result == 0 && order->policy_to_sign)
        result = sign_policy(order, &key, arena, err);
    else if (result == 0 && (read_held(order->held, arena, &held, err) < 0 || judge(order, &held, &key, arena, err) < 0))
        result = -1;
    sodium_memzero(&key, sizeof(key));
    arena_free(arena);
    return result;
}

int app_approve(int argc, char **argv)
{
    const char *fresh = NULL, *name = NULL;
    struct order order = {0};
    const struct cli_option options[] = {{"--key", &order.key, NULL},       {"--new-key", &fresh, NULL},
                                         {"--name", &name, NULL},           {"--yes", NULL, &order.yes},
                                         {"--known", &order.known, NULL},   {"--policy", &order.policy, NULL},
                                         {"--reason", &order.reason, NULL}, {"--break-glass", NULL, &order.break_glass},
                                         {"--sign-policy", &order.policy_to_sign, NULL}, {"--against", &order.against, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("approve", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!fresh == !order.key)
        return cli_usage("approve", "say --key FILE to sign with, or --new-key FILE to make one");
    if (name && !fresh)
        return cli_usage("approve", "the key says whose it is; --name goes with --new-key");
    bool alone = fresh || order.policy_to_sign;
    if (words.count != (alone ? 0 : 1) || (fresh && order.policy_to_sign))
        return cli_usage("approve", alone ? "--new-key and --sign-policy stand alone" : "name the file with the hold");
    if (order.against && !order.policy_to_sign)
        return cli_usage("approve", "--against goes with --sign-policy");
    if (order.break_glass != (order.reason && slice_trim(slice_text(order.reason)).len > 0))
        return cli_usage("approve", "--break-glass needs --reason TEXT, which is signed and shown to everybody; nothing else takes one");
    if (sodium_init() < 0) {
        err_set(&err, ERR_IO, "libsodium cannot start");
        return cli_fail(&err);
    }
    struct slice approver = name ? slice_text(name) : fresh ? name_from_path(fresh) : SLICE("");
    if (fresh && !approver.len)
        return cli_usage("approve", "say whose key it is with --name NAME");
    order.held = alone ? NULL : words.words[0];
    int result = fresh ? new_key(fresh, approver, &err) : approve(&order, &err);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
