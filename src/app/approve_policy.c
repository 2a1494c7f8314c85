#include "app/approve_policy.h"

#include "app/approve_say.h"
#include "base/io.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void say_number(const char *name, size_t n)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%zu", n);
    approve_say(name, slice_text(text));
}

static const struct policy_value *value_named(const struct policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->value_count; i++)
        if (slice_equal(policy->values[i].name, name))
            return &policy->values[i];
    return NULL;
}

static const struct policy_row *row_named(const struct policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->row_count; i++)
        if (slice_equal(policy->rows[i].name, name))
            return &policy->rows[i];
    return NULL;
}

/* from or to without a place: there was none, or there is none any more. */
static void say_change(struct arena *arena, const char *what, struct slice name, struct slice from, struct slice to)
{
    struct slice title = arena_printf(arena, "%s %.*s", what, SLICE_ARG(name)), text;
    if (from.ptr && to.ptr)
        text = arena_printf(arena, "%.*s  ->  %.*s", SLICE_ARG(from), SLICE_ARG(to));
    else if (from.ptr)
        text = arena_printf(arena, "gone, was: %.*s", SLICE_ARG(from));
    else
        text = to.ptr ? arena_printf(arena, "new: %.*s", SLICE_ARG(to)) : SLICE("");
    approve_say(title.ptr ? title.ptr : what, text);
}

static void say_values(const struct policy *old, const struct policy *new, struct arena *arena)
{
    for (size_t i = 0; i < new->value_count; i++) {
        const struct policy_value *was = value_named(old, new->values[i].name);
        if (!was || !slice_equal(was->text, new->values[i].text))
            say_change(arena, "value", new->values[i].name, was ? was->text : SLICE_NONE, new->values[i].text);
    }
    for (size_t i = 0; i < old->value_count; i++)
        if (!value_named(new, old->values[i].name))
            say_change(arena, "value", old->values[i].name, old->values[i].text, SLICE_NONE);
}

/* "hold 2: request.amount > 5" */
static struct slice row_text(const struct policy_row *row, struct arena *arena)
{
    return arena_printf(arena, "%s %u: %.*s", gate_decision_name(row->effect), row->approvals, SLICE_ARG(row->condition));
}

static void say_rows(const struct policy *old, const struct policy *new, struct arena *arena)
{
    for (size_t i = 0; i < new->row_count; i++) {
        const struct policy_row *was = row_named(old, new->rows[i].name);
        struct slice to = row_text(&new->rows[i], arena), from = was ? row_text(was, arena) : SLICE_NONE;
        if (!was || !slice_equal(from, to))
            say_change(arena, "row", new->rows[i].name, from, to);
    }
    for (size_t i = 0; i < old->row_count; i++)
        if (!row_named(new, old->rows[i].name))
            say_change(arena, "row", old->rows[i].name, row_text(&old->rows[i], arena), SLICE_NONE);
    size_t same = 0;
    while (same < old->row_count && same < new->row_count && slice_equal(old->rows[same].name, new->rows[same].name))
        same++;
    if (same < old->row_count && same < new->row_count)
        approve_say("order of rows", arena_printf(arena, "differs from row %zu on", same + 1));
}

static void say_approvers(const struct policy *old, const struct policy *new, struct arena *arena)
{
    for (size_t i = 0; i < new->approver_count; i++) {
        const struct policy_approver *now = &new->approvers[i], *was = policy_approver_find(old, now->name);
        if (!was || memcmp(was->key, now->key, sizeof(now->key)) != 0)
            say_change(arena, "approver", now->name, was ? SLICE("a key") : SLICE_NONE, SLICE("another key"));
    }
    for (size_t i = 0; i < old->approver_count; i++)
        if (!policy_approver_find(new, old->approvers[i].name))
            say_change(arena, "approver", old->approvers[i].name, SLICE("a key"), SLICE_NONE);
}

int approve_policy_show(const struct approve_policy *order, const struct policy **out, struct err *err)
{
    const struct policy *policy, *old = NULL;
    if (policy_load(order->path, order->arena, &policy, err) < 0 ||
        (order->against && policy_load(order->against, order->arena, &old, err) < 0))
        return -1;
    fprintf(stderr, "This is a policy of the gate, and you are asked to sign it as its owner:\n\n");
    approve_say("file", slice_text(order->path));
    approve_say("version", policy->version);
    approve_say("mode", policy->shadow ? SLICE("shadow: nothing is held") : SLICE("enforce"));
    say_number("rows", policy->row_count);
    say_number("approvers", policy->approver_count);
    approve_say("digest", slice_text(policy->digest));
    if (old) {
        fprintf(stderr, "\nOther than in %s:\n\n", order->against);
        if (old->shadow != policy->shadow)
            say_change(order->arena, "mode", SLICE(""), old->shadow ? SLICE("shadow") : SLICE("enforce"),
                       policy->shadow ? SLICE("shadow") : SLICE("enforce"));
        say_values(old, policy, order->arena);
        say_rows(old, policy, order->arena);
        say_approvers(old, policy, order->arena);
    }
    *out = policy;
    return 0;
}

int approve_policy_sign(const struct approve_policy *order, const struct policy *policy, struct err *err)
{
    char path[PATH_MAX], text[POLICY_SIGNATURE_TEXT_SIZE];
    if (snprintf(path, sizeof(path), "%s.sig", order->path) >= PATH_MAX)
        return err_set(err, ERR_CONFIG, "the path %s is too long", order->path);
    if (!policy_owner_sign(policy, order->seed, text))
        return err_nomem(err);
    struct slice line = arena_printf(order->arena, "%s\n", text);
    return line.ptr ? io_replace_file(io_real(), path, line, err) : err_nomem(err);
}
