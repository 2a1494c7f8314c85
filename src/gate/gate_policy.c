/* The policy's life: read at the start, read again while the gate runs, and what is said about it. */
#include "gate/gate_parts.h"
#include "gate/gate_rerun.h"
#include "gate/policy_owner.h"

#include "base/limits.h"

#include <stdio.h>

#define POLICY_ARENA_MAX (64 * MIB)

static void refuse(struct gate *gate, const char *why)
{
    (void)snprintf(gate->policy_refused, sizeof(gate->policy_refused), "%s", why);
    gate->policy_refused_ns = clock_wall_ns(gate->config.clock);
}

/* A rehearsal's is given as text, is nobody's to sign, and is not kept for making decisions again. */
static int read_rehearsed(const struct gate *gate, struct arena *arena, const struct policy **policy, struct err *err)
{
    struct slice text = arena_copy(arena, gate->config.policy_text);
    if (!text.ptr)
        return err_nomem(err);
    return policy_parse(text, arena, policy, err) < 0 ? err_within(err, "%s", gate->config.policy_path) : 0;
}

static int read_kept(const struct gate *gate, struct arena *arena, const struct policy **policy, struct err *err)
{
    const unsigned char *owner = gate->config.policy_owner;
    if (policy_load(gate->config.policy_path, arena, policy, err) < 0 ||
        (owner && policy_owner_check(gate->config.policy_path, *policy, owner, err) < 0))
        return -1;
    return gate_policy_keep(gate->io, gate->config.dir, *policy, err);
}

/* Its own arena, so that one policy can go when the next comes. */
static int read_file(const struct gate *gate, struct arena **arena, const struct policy **policy,
                     struct err *err)
{
    *arena = arena_new(POLICY_ARENA_MAX);
    if (!*arena)
        return err_nomem(err);
    if ((gate->rehearses ? read_rehearsed(gate, *arena, policy, err) : read_kept(gate, *arena, policy, err)) == 0)
        return 0;
    if (err->code != ERR_NOMEM)
        err->code = ERR_CONFIG; /* whatever it is, a person must mend it */
    arena_free(*arena);
    *arena = NULL;
    *policy = NULL;
    return -1;
}

const char *gate_mode_name(enum gate_mode mode)
{
    static const char *const names[] = {"policy", "enforce", "shadow"};
    return names[mode];
}

/* Without a policy only the configuration can say that nothing is to be held. */
static void set_mode(struct gate *gate)
{
    gate->shadow = gate->config.mode == GATE_MODE_POLICY ? gate->policy && gate->policy->shadow
                                                         : gate->config.mode == GATE_MODE_SHADOW;
}

void policy_start(struct gate *gate)
{
    struct err err;
    bool read = read_file(gate, &gate->policy_arena, &gate->policy, &err) == 0;
    set_mode(gate);
    if (read) {
        gate->policy_loaded_ns = clock_wall_ns(gate->config.clock);
        return;
    }
    refuse(gate, err.text);
    (void)err_within(&err, "the gate holds everything until its policy can be read");
    if (gate->config.note)
        gate->config.note(gate->config.context, err.text);
}

/* ---- reading it again ---- */

struct reload {
    struct arena *arena; /* fresh in, old out */
    const struct policy *policy;
    char refused[ERR_TEXT_SIZE];
    struct slice by; /* the caller's, who waits */
};

/* Between two rounds of answers: each is made by one whole policy. */
static int take_policy(struct gate *gate, struct message *message, struct err *err)
{
    struct reload *reload = message->detail;
    struct arena *old = gate->policy_arena;
    if (!reload->policy) {
        refuse(gate, reload->refused);
        return 0;
    }
    bool same = gate->policy && strcmp(gate->policy->digest, reload->policy->digest) == 0;
    if (!same && duty_begin(gate, reload->by, err) < 0) {
        refuse(gate, err->text);
        return -1;
    }
    gate->policy = reload->policy;
    gate->policy_arena = reload->arena;
    set_mode(gate);
    gate->policy_loaded_ns = clock_wall_ns(gate->config.clock);
    gate->policy_refused[0] = '\0';
    gate->policy_refused_ns = 0;
    reload->arena = old;
    return 0;
}

/* Hands the outcome of a reading to the gate's thread; -1: it could not be. */
static int hand_over(struct gate *gate, struct arena *arena, const struct policy *policy, struct slice by,
                     const char *refused, struct err *err)
{
    struct message *message = message_with(take_policy, sizeof(struct reload));
    if (message) {
        struct reload *reload = message->detail;
        *reload = (struct reload){.arena = arena, .policy = policy, .by = by};
        (void)snprintf(reload->refused, sizeof(reload->refused), "%s", refused);
        message = message_ask(gate, message);
    }
    if (!message) {
        arena_free(arena);
        return err_set(err, ERR_NOMEM, "the gate is stopping or has no memory to take the policy");
    }
    int result = message->result;
    if (result < 0)
        *err = message->err;
    arena_free(((struct reload *)message->detail)->arena); /* what is not in force */
    message_leave(message);
    return result;
}

static void tell(struct gate *gate, struct slice by, const struct err *refused)
{
    struct err err;
    struct gate_policy_info info;
    struct arena *arena = arena_new(1 * MIB);
    char line[2 * ERR_TEXT_SIZE];
    if (arena && gate_policy(gate, arena, &info, &err) == 0) {
        struct gate_policy_news news = {.by = by,
                                        .version = info.version,
                                        .digest = info.digest,
                                        .refused = refused ? slice_text(refused->text) : SLICE_NONE,
                                        .time_ns = clock_wall_ns(gate->config.clock)};
        if (gate->config.policy_read)
            gate->config.policy_read(gate->config.context, &news);
        (void)snprintf(line, sizeof(line), "the gate's policy was read again%s%s; %s%.*s",
                       refused ? " and not taken: " : "", refused ? refused->text : "",
                       info.version.len ? "in force is version " : "none is in force, everything holds",
                       SLICE_ARG(info.version));
        if (gate->config.note)
            gate->config.note(gate->config.context, line);
    }
    arena_free(arena);
}

int gate_policy_reload(struct gate *gate, struct slice by, struct err *err)
{
    struct arena *arena;
    const struct policy *policy = NULL;
    struct err ignored;
    pthread_mutex_lock(&gate->reloading);
    int result = read_file(gate, &arena, &policy, err);
    if (result == 0)
        result = hand_over(gate, arena, policy, by, "", err);
    else
        (void)hand_over(gate, NULL, NULL, by, err->text, &ignored);
    tell(gate, by, result < 0 ? err : NULL);
    pthread_mutex_unlock(&gate->reloading);
    return result;
}

/* ---- what is said about it ---- */

static int read_info(struct gate *gate, struct message *message, struct err *err)
{
    struct gate_policy_info *info = message->detail;
    struct arena *arena = message->arena;
    *info = (struct gate_policy_info){.loaded_ns = gate->policy ? gate->policy_loaded_ns : 0,
                                      .refused_ns = gate->policy_refused_ns};
    if (gate->policy) {
        info->version = arena_copy(arena, gate->policy->version);
        info->digest = arena_copy(arena, slice_text(gate->policy->digest));
        info->approvers = gate->policy->approver_count;
    }
    info->refused = arena_copy(arena, slice_text(gate->policy_refused));
    bool whole = info->refused.ptr && (!gate->policy || (info->version.ptr && info->digest.ptr));
    return whole ? 0 : err_nomem(err);
}

static bool copy_text(struct arena *arena, struct slice *text)
{
    if (text->ptr)
        *text = arena_copy(arena, *text);
    return !text->len || text->ptr;
}

int gate_policy(struct gate *gate, struct arena *arena, struct gate_policy_info *out, struct err *err)
{
    struct message *message = message_ask(gate, message_with(read_info, sizeof(*out)));
    if (!message)
        return err_set(err, ERR_CLOSED, "the gate does not answer");
    int result = message->result;
    if (result < 0)
        *err = message->err;
    *out = *(struct gate_policy_info *)message->detail;
    out->path = slice_text(gate->config.policy_path);
    if (result == 0 && (!copy_text(arena, &out->path) || !copy_text(arena, &out->version) ||
                        !copy_text(arena, &out->digest) || !copy_text(arena, &out->refused)))
        result = err_nomem(err);
    message_leave(message);
    return result;
}
