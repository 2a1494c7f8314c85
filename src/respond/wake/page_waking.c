/* One person is to be woken by one contact: the row, the token to answer with, and the notice. */
#include "respond/wake/page_inside.h"

#include <sodium.h>
#include <stdio.h>

enum { TOKEN_BYTES = 16, TEXT_EACH_MAX = 2000 };

/* 26 letters and digits that are not mistaken for each other (RFC 4648 base32, in lower case). */
static void make_token(const struct pager *pager, char token[PAGE_TOKEN_SIZE], char hash_hex[65])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[TOKEN_BYTES + 1] = {0}, hash[32];
    pager->config->rand->fill(pager->config->rand->context, bytes, TOKEN_BYTES);
    for (size_t i = 0; i < PAGE_TOKEN_SIZE - 1; i++) {
        size_t bit = i * 5;
        unsigned two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        token[i] = letters[two >> (11 - bit % 8) & 31];
    }
    token[PAGE_TOKEN_SIZE - 1] = '\0';
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)token, PAGE_TOKEN_SIZE - 1, NULL, 0);
    sodium_bin2hex(hash_hex, 65, hash, sizeof(hash));
}

/* 1 and the new row's id, or 0: it is there. */
static int insert(struct paging *paging, const struct waking_wish *wish, const char *token_hash, int64_t *id,
                  struct err *err)
{
    struct query *query;
    if (query_begin_with(paging->pager->database,
                         "INSERT INTO wakings(page,round,step,person,notifier,address,token,made_ns,made_pace,instead)"
                         " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(page,round,step,person,notifier,address)"
                         " DO NOTHING",
                         BINDS(bind_i64(paging->page->id), bind_i64(wish->round), bind_i64(wish->step),
                               bind_text(wish->person), bind_text(wish->notifier), bind_text(wish->address),
                               bind_text(slice_text(token_hash)), bind_i64(paging->wall), bind_i64(paging->pace),
                               bind_i64(wish->instead)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    int made = database_changes(paging->pager->database) > 0;
    *id = database_last_id(paging->pager->database);
    query_end(query);
    return result < 0 ? -1 : made;
}

static struct slice shortened(struct slice text)
{
    return text.len > TEXT_EACH_MAX ? slice_sub(text, 0, TEXT_EACH_MAX) : text;
}

static struct slice text_of(struct paging *paging, const struct slice texts[INCIDENT_TEXTS], struct slice why,
                            const char *todo)
{
    struct arena *arena = paging->pager->arena;
    struct slice todo_text = shortened(texts[INCIDENT_DO]);
    return arena_printf(arena, "%.*s\n%s%.*s%s%.*s", SLICE_ARG(shortened(texts[INCIDENT_EXPLANATION])),
                        todo_text.len ? todo : "", SLICE_ARG(todo_text), todo_text.len ? "\n" : "", SLICE_ARG(why));
}

static int make_notice(struct paging *paging, const struct waking_wish *wish, const char *token, struct notice *notice,
                       struct err *err)
{
    const struct incident *incident = &paging->incident;
    struct arena *arena = paging->pager->arena;
    struct slice link = paging->pager->config->link, language;
    char name[INCIDENT_NAME_SIZE];
    incident_name(incident->id, name);
    if (roster_language(paging->pager->database, wish->person, arena, &language, err) < 0)
        return -1;
    *notice = (struct notice){
        .event = paging->page->kind, .incident = arena_copy(arena, slice_text(name)),
        .title_en = incident->en[INCIDENT_TITLE], .title_ja = incident->ja[INCIDENT_TITLE],
        .text_en = text_of(paging, incident->en, wish->why_en, "Do: "),
        .text_ja = text_of(paging, incident->ja, wish->why_ja, "対応: "),
        .severity = incident->severity, .entities = incident->entities, .entity_total = incident->entity_count,
        .entity_count = incident->entity_count < NOTICE_ENTITIES_MAX ? incident->entity_count : NOTICE_ENTITIES_MAX,
        .person = wish->person, .language = language, .reply_token = arena_copy(arena, slice_text(token)),
        .sent_ns = paging->wall};
    if (link.len) {
        notice->link = arena_printf(arena, "%.*s/#/incidents?id=%s", SLICE_ARG(link), name);
        notice->answer_link = arena_printf(arena, "%.*s/v1/answer/%s", SLICE_ARG(link), token);
    }
    return notice->text_en.ptr && notice->text_ja.ptr && notice->reply_token.ptr ? 0 : err_nomem(err);
}

static int note(struct paging *paging, const struct waking_wish *wish, struct err *err)
{
    struct arena *arena = paging->pager->arena;
    return page_entry(
        paging->pager, paging->page->incident, wish->person,
        arena_printf(arena, "%.*s is to be woken by %.*s %.*s%s%s. %.*s", SLICE_ARG(wish->person),
                     SLICE_ARG(wish->notifier), SLICE_ARG(wish->address),
                     wish->instead ? ", because the contact before it did not work" : "",
                     paging->late ? "; late, because this program was not running when it was due" : "",
                     SLICE_ARG(wish->why_en)),
        arena_printf(arena, "%.*s を %.*s %.*s で呼び出します%s%s。%.*s", SLICE_ARG(wish->person), SLICE_ARG(wish->notifier),
                     SLICE_ARG(wish->address), wish->instead ? "（前の連絡先が使えなかったため）" : "",
                     paging->late ? "（予定時刻に停止していたため遅延）" : "", SLICE_ARG(wish->why_ja)),
        arena, err);
}

int page_wake(struct paging *paging, const struct waking_wish *wish, struct err *err)
{
    char token[PAGE_TOKEN_SIZE], hash[65];
    struct notice notice;
    int64_t id;
    make_token(paging->pager, token, hash);
    int made = insert(paging, wish, hash, &id, err);
    if (made <= 0)
        return made;
    if (make_notice(paging, wish, token, &notice, err) < 0 || note(paging, wish, err) < 0 ||
        outbox_put_waking(paging->pager->outbox, paging->page->incident, id, wish->notifier, wish->address, &notice,
                          err) < 0)
        return -1;
    page_event(paging->pager, "person_woken", paging->page, wish->person, wish->notifier);
    return 1;
}
