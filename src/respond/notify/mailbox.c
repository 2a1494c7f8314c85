#include "respond/notify/mailbox.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "respond/notify/imap.h"
#include "respond/notify/mail_reply.h"

#include <stdio.h>

#define EVERY_DEFAULT_NS (15 * NS_PER_SECOND)

struct mailbox {
    const struct mailbox_config *config;
    struct mailbox_place place;
    pthread_t thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t woken;
    bool stopping;
    bool failed; /* the last round */
};

static const uint16_t ports[] = {993, 0};

static struct wire_request request_of(const struct mailbox_config *config)
{
    return (struct wire_request){.url = config->url, .ports = ports, .timeout_ms = MAILBOX_ROUND_MS, .allow_private = config->allow_private};
}

int mailbox_check(const struct mailbox_config *config, struct err *err)
{
    const struct wire_request request = request_of(config);
    if (!slice_starts(config->url, SLICE("imaps://")) && !slice_starts(config->url, SLICE("imap://")))
        return err_set(err, ERR_CONFIG, "the mailbox's url is such as imaps://imap.example.jp/INBOX");
    if (!config->user.len || !config->password.len)
        return err_set(err, ERR_CONFIG, "the mailbox needs a user and a password");
    return wire_check(&request, err);
}

/* "imaps://host/Folder": the folder, INBOX when there is none. */
static struct slice folder_of(struct slice url)
{
    struct slice rest = slice_from(url, (size_t)slice_find(url, SLICE("://")) + 3), host, folder;
    return slice_cut(rest, '/', &host, &folder) && folder.len ? folder : SLICE("INBOX");
}

/* ---- one round ---- */

/* 1: an answer was taken, 0: it is none, -1. *later: it comes again. */
static int look_at(const struct mailbox_config *config, struct imap *imap, uint32_t uid, bool *later, struct err *err)
{
    struct slice mail;
    struct mail_reply_found found;
    if (imap_peek(imap, uid, &mail, err) < 0)
        return -1;
    if (!mail.ptr)
        return 0;
    mail_reply_read(mail, imap->arena, &found);
    if (!found.token.len || found.automatic)
        return 0;
    enum mailbox_result result = config->reply(config->context, found.token, found.from.ptr ? found.from : SLICE(""));
    *later = result == MAILBOX_LATER;
    if (result != MAILBOX_TAKEN)
        return 0;
    return imap_mark_seen(imap, uid, err) < 0 ? -1 : 1;
}

static int read_new(const struct mailbox_config *config, struct imap *imap, struct mailbox_place *place, struct err *err)
{
    uint32_t uids[MAILBOX_MAILS_MAX];
    size_t count;
    int taken = 0;
    bool waits = false;
    if (imap->validity != place->validity)
        *place = (struct mailbox_place){imap->validity, 1};
    if (imap_search_new(imap, place->next, uids, MAILBOX_MAILS_MAX, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool later = false;
        struct arena_mark mark = arena_mark(imap->arena);
        int result = look_at(config, imap, uids[i], &later, err);
        arena_rewind(imap->arena, &mark);
        if (result < 0)
            return -1;
        taken += result;
        waits = waits || later;
        if (!waits)
            place->next = uids[i] + 1;
    }
    return taken;
}

int mailbox_round(const struct mailbox_config *config, struct mailbox_place *place, struct err *err)
{
    struct wire_request request = request_of(config);
    const struct hin_net *net = config->net ? config->net : net_real();
    struct arena *arena = arena_new(64 * MIB);
    struct wire *wire;
    struct imap imap;
    if (!arena)
        return err_nomem(err);
    request.ca_file = config->ca_file.len ? arena_string(arena, config->ca_file) : NULL;
    int result = wire_open(net, &request, &wire, err);
    if (result == 0) {
        result = imap_begin(&imap, wire, arena, config->user, config->password, folder_of(config->url), err);
        if (result == 0)
            result = read_new(config, &imap, place, err);
        imap_end(&imap);
    }
    arena_free(arena);
    return result;
}

/* ---- the thread ---- */

static bool wait_for_next(struct mailbox *mailbox)
{
    int64_t every_ns = mailbox->config->every_ns ? mailbox->config->every_ns : EVERY_DEFAULT_NS;
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, every_ns);
    pthread_mutex_lock(&mailbox->lock);
    for (int code = 0; !mailbox->stopping && code == 0;)
        code = pthread_cond_timedwait(&mailbox->woken, &mailbox->lock, &until);
    bool on = !mailbox->stopping;
    pthread_mutex_unlock(&mailbox->lock);
    return on;
}

static void say(const struct mailbox *mailbox, const char *text)
{
    if (mailbox->config->note)
        mailbox->config->note(mailbox->config->context, text);
}

static void *run(void *context)
{
    struct mailbox *mailbox = context;
    pthread_setname_np(pthread_self(), "mailbox");
    do {
        struct err err;
        char line[ERR_TEXT_SIZE + 128];
        bool fails = mailbox_round(mailbox->config, &mailbox->place, &err) < 0;
        snprintf(line, sizeof(line), "the mailbox cannot be read, replies by mail acknowledge nothing: %s", err.text);
        if (fails != mailbox->failed)
            say(mailbox, fails ? line : "the mailbox is read again");
        mailbox->failed = fails;
    } while (wait_for_next(mailbox));
    return NULL;
}

int mailbox_start(const struct mailbox_config *config, struct mailbox **out, struct err *err)
{
    pthread_condattr_t monotonic;
    *out = NULL;
    if (mailbox_check(config, err) < 0)
        return -1;
    struct mailbox *mailbox = mem_calloc(1, sizeof(*mailbox));
    if (!mailbox)
        return err_nomem(err);
    mailbox->config = config;
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&mailbox->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = thread_start(&mailbox->thread, run, mailbox);
    if (code == 0) {
        *out = mailbox;
        return 0;
    }
    pthread_cond_destroy(&mailbox->woken);
    pthread_mutex_destroy(&mailbox->lock);
    mem_free(mailbox);
    return err_set_errno(err, code, "a thread for the mailbox");
}

void mailbox_stop(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->stopping = true;
    pthread_cond_signal(&mailbox->woken);
    pthread_mutex_unlock(&mailbox->lock);
    pthread_join(mailbox->thread, NULL);
    pthread_cond_destroy(&mailbox->woken);
    pthread_mutex_destroy(&mailbox->lock);
    mem_free(mailbox);
}
