/* Who is silent, and who was: findings, one for what is silent for the same reason. */
#include "base/time.h"
#include "flow/source_entry.h"

#include <math.h>
#include <string.h>

/* Beats of the others that were to be expected since anybody of the group was heard: so many do not fail to come by
 * chance (1 of 150 times, when they are independent). */
#define GROUP_EXPECTED 5.0

static struct rule silent_rule(const struct source_entry *entry)
{
    bool group = entry->members > 1;
    return (struct rule){
        .id = SLICE("hinomi-source-silent"),
        .name = SLICE("hinomi-source-silent"),
        .version = SLICE("1"),
        .title = group ? SLICE("Many sources fell silent at once") : SLICE("A source fell silent"),
        .severity = group ? SEVERITY_HIGH : SEVERITY_MEDIUM,
        .status = RULE_ACTIVE,
        .why_en = SLICE("What happens there is not seen. Most often something is broken; attackers stop logs before they act, too."),
        .why_ja = SLICE("そこで起きていることが見えません。多くは故障ですが、攻撃者が先にログを止めることもあります。"),
        .check_en = group ? SLICE("What do they have in common: a relay, a network, a listener, a certificate that ran out?")
                          : SLICE("Is it up, can it reach this server, and who was logged in last?"),
        .check_ja = group ? SLICE("共通するもの(中継、ネットワーク、受信口、期限切れの証明書)は何ですか。")
                          : SLICE("動いていますか。このサーバーに届きますか。最後にログインしたのは誰ですか。"),
        .do_en = SLICE("Bring it back. If it is gone for good, or need not be heard, put it into heartbeats with every: never."),
        .do_ja = SLICE("復旧してください。廃止した場合や待つ必要がない場合は、heartbeats に every: never と書いてください。"),
    };
}

/* ---- sentences ---- */

struct slice source_entry_name(const struct source_entry *entry, bool japanese, struct arena *arena)
{
    if (entry->kind == SOURCE_EVERYTHING)
        return japanese ? SLICE("すべての入力") : SLICE("every input");
    struct slice inner = entry->path.len ? entry->path : entry->sender;
    struct slice host = entry->host.len ? entry->host : entry->only_host;
    return arena_printf(arena, "%.*s%s%.*s%s%.*s", SLICE_ARG(entry->source), inner.len ? " / " : "", SLICE_ARG(inner),
                        host.len ? " / " : "", SLICE_ARG(host));
}

static struct slice duration_of(int64_t ns, bool japanese, struct arena *arena)
{
    int64_t minutes = ns / NS_PER_MINUTE, hours = minutes / 60, days = hours / 24;
    if (days >= 2)
        return arena_printf(arena, japanese ? "%lld 日と %lld 時間" : "%lld days %lld h", (long long)days, (long long)(hours % 24));
    if (hours)
        return arena_printf(arena, japanese ? "%lld 時間 %lld 分" : "%lld h %lld min", (long long)hours, (long long)(minutes % 60));
    if (minutes)
        return arena_printf(arena, japanese ? "%lld 分" : "%lld min", (long long)minutes);
    return arena_printf(arena, japanese ? "%lld 秒" : "%lld s", (long long)(ns / NS_PER_SECOND));
}

static struct slice time_of(int64_t time_ns, struct arena *arena)
{
    char text[TIME_TEXT_SIZE];
    size_t len = time_format(time_ns - time_ns % NS_PER_SECOND, text);
    return arena_copy(arena, slice_of(text, len));
}

/* Why that is too long: a heartbeat, what the members would have sent, or the source's own pauses. */
static struct slice reason_of(const struct source_entry *entry, bool japanese, struct arena *arena)
{
    const struct rhythm *rhythm = &entry->rhythm;
    if (entry->every_ns > 0) {
        struct slice every = duration_of(entry->every_ns, japanese, arena);
        return arena_printf(arena, japanese ? "設定では %.*s ごとに届くはずです。" : "By configuration it is heard every %.*s.",
                            SLICE_ARG(every));
    }
    if (entry->members > 1)
        return arena_printf(arena, japanese ? "配下の %zu のどれからも、届くはずの時刻を過ぎて何も届いていません。"
                                            : "None of its %zu was heard, and several were due.", entry->members);
    return arena_printf(arena, japanese ? "普段ならこの間に、送信のある分が約 %.0f 回ありました。これまでの最長は %.0f 回分です。"
                                        : "Usually it would have sent in about %.0f minutes of this time; its longest pauses so far were worth %.0f.",
                        fmax(1, rhythm->expected), fmax(1, (double)fmaxf(rhythm->longest[0], rhythm->longest[1])));
}

bool source_entry_entities(const struct source_entry *entry, struct finding *finding, struct arena *arena)
{
    struct entity *list = arena_array(arena, 4, sizeof(*list));
    struct slice host = entry->host.len ? entry->host : entry->only_host;
    size_t count = 0;
    if (!list)
        return false;
    if (host.len && entry->members <= 1)
        list[count++] = (struct entity){SLICE("host"), arena_copy(arena, host)};
    if (entry->sender.len)
        list[count++] = (struct entity){SLICE("ip"), arena_copy(arena, entry->sender)};
    if (entry->path.len)
        list[count++] = (struct entity){SLICE("file"), arena_copy(arena, entry->path)};
    if (!count)
        list[count++] = (struct entity){SLICE("source"), source_entry_name(entry, false, arena)};
    finding->entities = list;
    finding->entity_count = count;
    return list[0].value.ptr;
}

int source_entry_give(struct sources *sources, const struct rule *rule, struct finding *finding, struct err *err)
{
    finding->rule_id = rule->id;
    finding->rule_name = rule->name;
    finding->rule_version = rule->version;
    finding->title = rule->title;
    finding_set_id(finding);
    if (!finding->explanation_en.ptr || !finding->explanation_ja.ptr || !finding->group_key.ptr)
        return err_nomem(err);
    return sources->found ? sources->found(sources->context, finding, rule, err) : 0;
}

static int give(struct sources *sources, const struct source_entry *entry, struct finding *finding, struct err *err)
{
    struct rule rule = silent_rule(entry);
    return source_entry_give(sources, &rule, finding, err);
}

static int raise_silence(struct sources *sources, struct source_entry *entry, int64_t now_ns, struct err *err)
{
    struct arena *arena = sources->scratch;
    int64_t last_ns = entry->rhythm.last_ns;
    struct slice last = time_of(last_ns, arena), en = source_entry_name(entry, false, arena), ja = source_entry_name(entry, true, arena),
                 long_en = duration_of(now_ns - last_ns, false, arena), long_ja = duration_of(now_ns - last_ns, true, arena),
                 why_en = reason_of(entry, false, arena), why_ja = reason_of(entry, true, arena);
    struct finding finding = {.severity = silent_rule(entry).severity, .event_ns = now_ns, .raised_ns = now_ns};
    bool heard = entry->counts.events > 0;
    finding.group_key = arena_printf(arena, "%.*s %.*s", SLICE_ARG(entry->key), SLICE_ARG(last));
    finding.explanation_en = heard
        ? arena_printf(arena, "Nothing has come from %.*s since %.*s (%.*s). %.*s", SLICE_ARG(en), SLICE_ARG(last),
                       SLICE_ARG(long_en), SLICE_ARG(why_en))
        : arena_printf(arena, "%.*s was never heard. %.*s", SLICE_ARG(en), SLICE_ARG(why_en));
    finding.explanation_ja = heard
        ? arena_printf(arena, "%.*s から %.*s 以降(%.*s)何も届いていません。%.*s", SLICE_ARG(ja), SLICE_ARG(last),
                       SLICE_ARG(long_ja), SLICE_ARG(why_ja))
        : arena_printf(arena, "%.*s からは一度も届いていません。%.*s", SLICE_ARG(ja), SLICE_ARG(why_ja));
    if (!source_entry_entities(entry, &finding, arena))
        return err_nomem(err);
    if (give(sources, entry, &finding, err) < 0)
        return -1;
    memcpy(entry->finding, finding.id, sizeof(entry->finding));
    return 0;
}

static int raise_return(struct sources *sources, struct source_entry *entry, int64_t now_ns, struct err *err)
{
    struct arena *arena = sources->scratch;
    struct slice en = source_entry_name(entry, false, arena), ja = source_entry_name(entry, true, arena),
                 long_en = duration_of(now_ns - entry->silent_since_ns, false, arena),
                 long_ja = duration_of(now_ns - entry->silent_since_ns, true, arena);
    struct finding finding = {.event_ns = now_ns, .raised_ns = now_ns, .retracts = slice_of(entry->finding, 32)};
    finding.group_key = arena_copy(arena, finding.retracts);
    finding.explanation_en = arena_printf(arena, "%.*s is heard again, after %.*s", SLICE_ARG(en), SLICE_ARG(long_en));
    finding.explanation_ja = arena_printf(arena, "%.*s から再び届きました(%.*sぶり)", SLICE_ARG(ja), SLICE_ARG(long_ja));
    return give(sources, entry, &finding, err);
}

/* ---- who ---- */

static bool is_within(const struct source_entry *entry, const struct source_entry *group)
{
    while (entry && entry != group)
        entry = entry->group;
    return entry;
}

/* Of those in it that are no groups themselves: what was to be heard since anybody was. */
static bool is_group_silent(const struct sources *sources, const struct source_entry *group)
{
    double expected = 0;
    size_t known = 0;
    for (size_t i = 0; i < sources->count; i++) {
        const struct source_entry *one = sources->list[i];
        if (one->members || one->kind < SOURCE_SENDER || one->silent_with || one->every_ns < 0 ||
            !rhythm_is_known(&one->rhythm) || !is_within(one, group))
            continue;
        known++;
        /* Its share of the time since anybody was heard. */
        if (one->rhythm.quiet_ns > 0)
            expected += one->rhythm.expected * fmin(1, (double)group->rhythm.quiet_ns / (double)one->rhythm.quiet_ns);
    }
    return known > 1 && expected >= GROUP_EXPECTED && group->rhythm.quiet_ns >= SILENCE_LEAST_S * NS_PER_SECOND / 2;
}

static size_t members_known(const struct sources *sources, const struct source_entry *group)
{
    size_t known = 0;
    for (size_t i = 0; i < sources->count; i++)
        known += sources->list[i]->group == group && sources->list[i]->counts.events;
    return known;
}

/* The widest that is silent as a whole. */
static struct source_entry *widest(const struct sources *sources, struct source_entry *entry)
{
    struct source_entry *found = entry;
    for (struct source_entry *group = entry->group; group; group = group->group) {
        if (members_known(sources, group) < 2)
            continue;
        if (!is_group_silent(sources, group))
            break;
        found = group;
    }
    return found;
}

static void mark_silent(struct sources *sources, struct source_entry *group)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct source_entry *one = sources->list[i];
        if (one->silent_with || one->every_ns < 0 || !is_within(one, group))
            continue;
        one->silent_with = group;
        one->silent_since_ns = one->rhythm.last_ns;
        one->rhythm.silent = true;
        one->finding[0] = '\0';
    }
}

static bool is_due(const struct source_entry *entry)
{
    if (entry->silent_with || entry->every_ns < 0)
        return false;
    if (entry->every_ns > 0)
        return entry->rhythm.quiet_ns > entry->every_ns;
    return entry->kind >= SOURCE_SENDER && rhythm_is_broken(&entry->rhythm);
}

int source_silence_look(struct sources *sources, int64_t now_ns, struct err *err)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct source_entry *entry = sources->list[i];
        if (!is_due(entry))
            continue;
        struct source_entry *silent = entry->every_ns > 0 ? entry : widest(sources, entry);
        mark_silent(sources, silent);
        if (raise_silence(sources, silent, now_ns, err) < 0)
            return -1;
        sources->changed = true;
    }
    return 0;
}

/* ---- who is back ---- */

/* What was silent with it has until its own limit, from now on, to be heard again. */
static void excuse_members(struct sources *sources, struct source_entry *group)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct source_entry *one = sources->list[i];
        if (one == group || one->silent_with != group)
            continue;
        one->silent_with = NULL;
        one->silent_since_ns = 0;
        rhythm_excuse(&one->rhythm);
    }
}

int source_silence_heard(struct sources *sources, struct source_entry *entry, int64_t now_ns, struct err *err)
{
    struct source_entry *silent = entry->silent_with;
    if (!silent)
        return 0;
    int result = silent->finding[0] ? raise_return(sources, silent, now_ns, err) : 0;
    excuse_members(sources, silent);
    silent->silent_with = NULL;
    silent->silent_since_ns = 0;
    silent->finding[0] = '\0';
    rhythm_excuse(&silent->rhythm);
    return result;
}
