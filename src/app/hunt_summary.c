#include "app/hunt_summary.h"

#include "base/mem.h"
#include "base/time.h"

#include <stdlib.h>

#define ARENA_BYTES_MAX (64 * MIB)

struct hunt_host_count {
    struct slice name;
    uint64_t count;
};

int hunt_summary_init(struct hunt_summary *summary, const struct rule_set *rules, struct err *err)
{
    *summary = (struct hunt_summary){.rules = rules, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
    summary->arena = arena_new(ARENA_BYTES_MAX);
    summary->by_rule = mem_calloc(rules->count + 1, sizeof(*summary->by_rule));
    if (!summary->arena || !summary->by_rule) {
        hunt_summary_close(summary);
        return err_nomem(err);
    }
    map_init(&summary->hosts, summary->arena);
    return 0;
}

void hunt_summary_close(struct hunt_summary *summary)
{
    arena_free(summary->arena);
    mem_free(summary->by_rule);
    *summary = (struct hunt_summary){0};
}

static int count_host(struct hunt_summary *summary, const struct hunt_place *place, struct err *err)
{
    char room[VALUE_TEXT_SIZE];
    struct slice name = hunt_host(place, room);
    if (!name.len)
        return 0;
    struct hunt_host_count *known = map_find(&summary->hosts, name);
    if (!known && summary->hosts.count >= HUNT_HOSTS_MAX) {
        summary->other_hosts++;
        return 0;
    }
    if (!known) {
        known = arena_calloc(summary->arena, sizeof(*known));
        struct slice key = arena_copy(summary->arena, name);
        if (!known || !key.ptr || map_put(&summary->hosts, key, known) < 0)
            return err_nomem(err);
        known->name = key;
    }
    known->count++;
    return 0;
}

int hunt_summary_add(struct hunt_summary *summary, const struct finding *finding,
                     const struct rule *rule, const struct hunt_place *place, struct err *err)
{
    summary->findings++;
    summary->by_rule[rule->index]++;
    if (finding->event_ns < summary->first_ns)
        summary->first_ns = finding->event_ns;
    if (finding->event_ns > summary->last_ns)
        summary->last_ns = finding->event_ns;
    return count_host(summary, place, err);
}

/* ---- print ---- */

/* A line of a list: a name, findings, and how many rules gave them. */
struct count_line {
    struct slice name;
    uint64_t findings, rules;
};

struct count_list {
    struct count_line lines[64];
    size_t count;
};

static void count_in(struct count_list *list, struct slice name, uint64_t findings)
{
    size_t i = 0;
    while (i < list->count && !slice_equal_nocase(list->lines[i].name, name))
        i++;
    bool last = list->count == ARRAY_COUNT(list->lines) - 1; /* more names than any taxonomy has */
    if (i == list->count && list->count < ARRAY_COUNT(list->lines))
        list->lines[list->count++] = (struct count_line){.name = last ? SLICE("others") : name};
    i = i < ARRAY_COUNT(list->lines) ? i : ARRAY_COUNT(list->lines) - 1;
    list->lines[i].findings += findings;
    list->lines[i].rules++;
}

static int most_first(const void *a, const void *b)
{
    const struct count_line *x = a, *y = b;
    if (x->findings != y->findings)
        return x->findings > y->findings ? -1 : 1;
    return slice_compare(x->name, y->name);
}

static void print_list(const char *title, const struct count_line *lines, size_t count, bool rules,
                       struct buffer *to)
{
    buffer_printf(to, "\n%-64s %10s%s\n", title, "findings", rules ? "   rules" : "");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(to, "%-64.*s %10llu", SLICE_ARG(lines[i].name), (unsigned long long)lines[i].findings);
        if (rules)
            buffer_printf(to, " %7llu", (unsigned long long)lines[i].rules);
        buffer_put_char(to, '\n');
    }
}

static void print_levels(const struct hunt_summary *summary, struct buffer *to)
{
    static const char *const order[] = {"critical", "high", "medium", "low", "informational"};
    struct count_list list = {0};
    for (size_t i = 0; i < ARRAY_COUNT(order); i++)
        list.lines[list.count++].name = slice_text(order[i]);
    for (size_t i = 0; i < summary->rules->count; i++)
        if (summary->by_rule[i])
            count_in(&list, summary->rules->rules[i]->level.len ? summary->rules->rules[i]->level : SLICE("none"),
                     summary->by_rule[i]);
    print_list("severity", list.lines, list.count, true, to);
}

static void print_tactics(const struct hunt_summary *summary, struct buffer *to)
{
    struct count_list list = {0};
    for (size_t i = 0; i < summary->rules->count; i++) {
        const struct rule *rule = summary->rules->rules[i];
        bool any = false;
        for (size_t t = 0; summary->by_rule[i] && t < rule->tag_count; t++) {
            struct slice tactic = rule_tactic(rule->tags[t]);
            if (tactic.len)
                count_in(&list, tactic, summary->by_rule[i]);
            any |= tactic.len != 0;
        }
        if (summary->by_rule[i] && !any)
            count_in(&list, SLICE("without a tactic"), summary->by_rule[i]);
    }
    qsort(list.lines, list.count, sizeof(*list.lines), most_first);
    print_list("tactic (a finding may have several)", list.lines, list.count, true, to);
}

/* The most of them, and how many there are besides. */
static void print_top(const char *title, struct count_line *lines, size_t count, struct buffer *to)
{
    qsort(lines, count, sizeof(*lines), most_first);
    print_list(title, lines, count < HUNT_TOP ? count : HUNT_TOP, false, to);
    if (count > HUNT_TOP)
        buffer_printf(to, "and %zu more\n", count - HUNT_TOP);
}

static void print_tops(const struct hunt_summary *summary, struct buffer *to)
{
    size_t room = summary->rules->count > summary->hosts.count ? summary->rules->count : summary->hosts.count;
    struct count_line *lines = mem_calloc(room + 1, sizeof(*lines));
    size_t count = 0, at = 0;
    if (!lines) {
        buffer_put_text(to, "memory is out: the rules and machines with the most findings are not listed\n");
        return;
    }
    for (size_t i = 0; i < summary->rules->count; i++)
        if (summary->by_rule[i])
            lines[count++] = (struct count_line){summary->rules->rules[i]->title, summary->by_rule[i], 1};
    print_top("rule", lines, count, to);
    count = 0;
    for (const struct map_entry *entry; (entry = map_next(&summary->hosts, &at));) {
        const struct hunt_host_count *host = entry->value;
        lines[count++] = (struct count_line){host->name, host->count, 0};
    }
    if (count)
        print_top("host", lines, count, to);
    if (summary->other_hosts)
        buffer_printf(to, "%llu findings are of more than %d machines and not told apart\n",
                      (unsigned long long)summary->other_hosts, HUNT_HOSTS_MAX);
    mem_free(lines);
}

void hunt_summary_print(const struct hunt_summary *summary, struct buffer *to)
{
    char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
    if (!summary->findings)
        return;
    time_format(summary->first_ns, first);
    time_format(summary->last_ns, last);
    buffer_printf(to, "from %s to %s\n", first, last);
    print_levels(summary, to);
    print_tactics(summary, to);
    print_tops(summary, to);
}
