#include "app/watch_judge.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/time.h"
#include "cut/json_tree.h"

#include <stdio.h>

PRINTF_LIKE(4, 5)
static enum heartbeat_state because(struct watch_judge *judge, enum heartbeat_state state, const char *ja, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(judge->en, sizeof(judge->en), format, args);
    va_end(args);
    snprintf(judge->ja, sizeof(judge->ja), "%s", ja);
    return state;
}

enum heartbeat_state watch_judge_gone(struct watch_judge *judge, const char *why)
{
    return because(judge, HEARTBEAT_GONE, "応答がありません", "%s", why);
}

static const struct {
    const char *name, *en, *ja;
} problems[] = {
    {"pipeline", "the pipeline has stopped", "処理が停止しています"},
    {"journal", "its journal cannot be written", "ジャーナルに書き込めません"},
    {"disk", "its disk is full", "ディスクに空きがありません"},
    {"memory", "what its rules remember is lost or still being read", "ルールの記憶が失われたか、読み込み中です"},
    {"behind", "events wait", "イベントの処理が遅れています"},
    {"gate", "its gate holds everything", "ゲートがすべてを保留しています"},
    {"clock", "its clock was stepped", "時計が急に変わりました"},
    {"notices", "notifications wait to be sent", "通知が送れずに溜まっています"},
    {"waking", "it reaches nobody who is to wake up", "呼び出すべき担当者に届いていません"},
    {"stuck", "nobody looks after it any more", "自己監視が止まっています"},
};

/* Another's words: letters only, or none of them. */
static struct slice harmless(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || name.ptr[i] == '_') || i >= 40)
            return SLICE("?");
    return name;
}

/* What it says is wrong, in both languages; an unknown word (a newer server's) as it is. */
static enum heartbeat_state list_problems(struct watch_judge *judge, const struct json_node *list)
{
    size_t en = 0, ja = 0;
    int len = snprintf(judge->en, sizeof(judge->en), "it says: ");
    en = (size_t)len;
    judge->ja[0] = '\0';
    for (const struct json_node *node = list ? list->first : NULL; node; node = node->next) {
        struct slice name = harmless(json_text_of(node, SLICE("?"))), words[2] = {name, name};
        for (size_t i = 0; i < ARRAY_COUNT(problems); i++)
            if (slice_is(name, problems[i].name)) {
                words[0] = slice_text(problems[i].en);
                words[1] = slice_text(problems[i].ja);
            }
        if (en + words[0].len + 3 >= sizeof(judge->en) || ja + words[1].len + 4 >= sizeof(judge->ja))
            break; /* nine problems fit; a list of strange words need not */
        en += (size_t)snprintf(judge->en + en, sizeof(judge->en) - en, "%s%.*s", node == list->first ? "" : ", ", SLICE_ARG(words[0]));
        ja += (size_t)snprintf(judge->ja + ja, sizeof(judge->ja) - ja, "%s%.*s", node == list->first ? "" : "、", SLICE_ARG(words[1]));
    }
    if (!list || !list->first)
        return because(judge, HEARTBEAT_DEGRADED, "正常に動いていません", "it says that it is degraded");
    return HEARTBEAT_DEGRADED;
}

static enum heartbeat_state judge_clock(struct watch_judge *judge, int64_t answered_ns, int64_t now_ns, int64_t waited_ns)
{
    int64_t ahead_ns = answered_ns - now_ns, behind_ns = now_ns - waited_ns - answered_ns;
    int64_t off_s = (ahead_ns > behind_ns ? ahead_ns : behind_ns) / NS_PER_SECOND;
    if (off_s <= WATCH_CLOCK_S)
        return HEARTBEAT_OK;
    return because(judge, HEARTBEAT_DEGRADED, "時計がこちらと合っていません", "its clock is %lld s %s ours; one of the two is wrong",
                   (long long)off_s, ahead_ns > 0 ? "ahead of" : "behind");
}

enum heartbeat_state watch_judge(struct watch_judge *judge, int status, struct slice body, int64_t now_ns, int64_t waited_ns,
                                 struct arena *arena)
{
    const struct json_node *node;
    struct err err;
    int64_t answered_ns;
    bool zone;
    judge->en[0] = judge->ja[0] = '\0';
    if (json_tree_parse(body, arena, &node, &err) < 0)
        node = NULL;
    struct slice state = json_text_of(json_get(node, "status"), SLICE(""));
    const struct json_node *list = json_get(node, "problems");
    bool degraded = slice_is(state, "degraded");
    if ((!degraded && (status != 200 || !slice_is(state, "ok"))) ||
        !time_parse_rfc3339(json_text_of(json_get(node, "time"), SLICE("")), &answered_ns, &zone))
        return because(judge, HEARTBEAT_GONE, "別のものが応答しています", "what answers there (HTTP %d) is no Hinomi", status);
    if (answered_ns == judge->answered_ns)
        return because(judge, HEARTBEAT_GONE, "古い応答が繰り返されています",
                       "its answer is an old one: something else repeats it, or its clock stands still");
    judge->answered_ns = answered_ns;
    if (degraded || (list && list->first))
        return list_problems(judge, list);
    return judge_clock(judge, answered_ns, now_ns, waited_ns);
}
