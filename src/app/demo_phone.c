#include "app/demo_phone.h"

#include "app/config.h"
#include "base/arena.h"
#include "cut/json_tree.h"
#include "net/http_client.h"

#include <stdio.h>
#include <time.h>

/* sato has the night; suzuki is called a minute later, and after two minutes the gate is tightened. */
static const char plan[] =
    "version: 1\ntime_zone: Asia/Tokyo\nholidays: japan\npeople: [sato, suzuki]\n"
    "on_call:\n"
    "  primary: {rotations: [{people: [sato], every: 1w, from: 2018-01-01 09:00}]}\n"
    "  backup: {rotations: [{people: [suzuki], every: 1w, from: 2018-01-01 09:00}]}\n"
    "policies:\n"
    "  usual:\n"
    "    steps:\n"
    "      - {at: 0m, wake: [primary]}\n"
    "      - {at: 1m, wake: [backup]}\n"
    "    again_after: 10m\n"
    "    unanswered: {after: 2m, do: tighten_gate}\n"
    "routes: [{severity: high, policy: usual}]\n"
    "drill: never\n";

static struct slice text_at(const struct json_node *node, const char *key)
{
    return json_text_of(json_get(node, key), SLICE(""));
}

static void ring(const struct json_node *notice)
{
    struct tm now;
    char at[16];
    time_t seconds = time(NULL);
    struct slice person = text_at(notice, "person"), link = text_at(notice, "answer_link");
    gmtime_r(&seconds, &now);
    strftime(at, sizeof(at), "%H:%M:%SZ", &now);
    printf("  %s  the phone of %.*s rings / %.*s の電話: [%.*s] %.*s %.*s / %.*s\n            %.*s\n", at, SLICE_ARG(person),
           SLICE_ARG(person), SLICE_ARG(text_at(notice, "severity")), SLICE_ARG(text_at(notice, "incident")),
           SLICE_ARG(text_at(json_get(notice, "title"), "ja")), SLICE_ARG(text_at(json_get(notice, "title"), "en")),
           SLICE_ARG(link));
    fflush(stdout);
}

static int take(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply,
                struct err *err)
{
    const struct json_node *notice;
    struct arena *arena = arena_new(4 * MIB);
    (void)net;
    if (!arena)
        return err_nomem(err);
    if (json_tree_parse(request->body, arena, &notice, err) < 0) {
        arena_free(arena);
        return -1;
    }
    if (text_at(notice, "person").len)
        ring(notice);
    reply->status = 200;
    arena_free(arena);
    return 0;
}

const struct hin_net *demo_phone_net(void)
{
    static struct hin_net phones;
    phones = *net_real();
    phones.fetch = take;
    return &phones;
}

void demo_phone_notifiers(struct config *config)
{
    config->notifiers[config->notifier_count++] = (struct respond_notifier){
        .kind = SLICE("webhook"), .name = SLICE("phone"), .url = SLICE("https://phones.example/demo"),
        .secret = SLICE("the demo signs as well"), .least = SEVERITY_CRITICAL};
}

int demo_phone_plan(struct respond *respond, struct err *err)
{
    static const char *const people[] = {"sato", "suzuki"};
    if (respond_plan_save(respond, slice_text(plan), SLICE("the demo"), err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(people); i++) {
        const struct respond_contact contact = {SLICE("phone"), slice_text(people[i])};
        if (respond_contacts_set(respond, slice_text(people[i]), &contact, 1, err) < 0)
            return -1;
    }
    return 0;
}
