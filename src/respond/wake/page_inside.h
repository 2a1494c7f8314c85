#pragma once
/* respond/wake/page_inside: what page.c, page_run.c and page_waking.c share. */
#include "respond/wake/page.h"

struct page { /* a row */
    int64_t id, incident, severity, round, step, begun_pace, round_pace, due_pace, unanswered_pace;
    struct slice kind, policy, person;
    bool unanswered; /* what happens then has happened */
};

/* Of one transaction. */
struct paging {
    struct pager *pager;
    const struct plan *plan;
    struct page *page;
    struct incident incident;
    const struct stand_in *stand_ins;
    size_t stand_in_count;
    int64_t pace, wall;
    bool late;
};

struct waking_wish {
    struct slice person, notifier, address;
    struct slice why_en, why_ja; /* why this person */
    int64_t round, step;
    bool instead; /* of a contact that failed */
};

/* A line of the incident's timeline. Texts may be none when memory is out, which is an error. */
MUST_USE int page_entry(struct pager *pager, int64_t incident, struct slice user, struct slice en, struct slice ja,
                        struct arena *arena, struct err *err);
/* Writes the waking and the message it owes: 1, or 0 when there is one already. */
MUST_USE int page_wake(struct paging *paging, const struct waking_wish *wish, struct err *err);
/* What the page says, for events: {"action": ...} and the rest. */
void page_event(struct pager *pager, const char *action, const struct page *page, struct slice person,
                struct slice detail);
