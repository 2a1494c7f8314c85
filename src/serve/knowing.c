#include "serve/knowing.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "state/knowledge.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct knowing {
    struct knowing_config config;
    char *shipped, *folder;
    pthread_mutex_t lock; /* of all below */
    struct knowledge *set;
    uint64_t seen; /* what the files and the table looked like */
    bool failed;
};

/* ---- has something changed? ---- */

static uint64_t look(const struct knowing *knowing)
{
    uint64_t sum = file_stamp(knowing->shipped) + file_stamp(knowing->folder);
    struct err err;
    int64_t version;
    if (knowledge_version(knowing->config.database, &version, &err) == 0)
        sum += hash_bytes(slice_of(&version, sizeof(version)));
    return sum;
}

/* ---- reading ---- */

static int add_kept(void *context, const struct kept_definition *kept, struct err *err)
{
    return know_builder_text(context, kept->text, kept->owner, kept->shared, kept->updated_ns, err);
}

int knowing_add_kept(struct know_builder *builder, struct database *database, struct err *err)
{
    struct arena *arena = arena_new(KNOW_BYTES_MAX);
    int result = arena ? knowledge_each(database, arena, add_kept, builder, err) : err_nomem(err);
    arena_free(arena);
    return result;
}

static int build(const struct knowing *knowing, struct knowledge **out, struct err *err)
{
    struct know_builder *builder = know_builder_new();
    *out = NULL;
    if (!builder)
        return err_nomem(err);
    if (know_builder_folder(builder, knowing->shipped, KNOW_SHIPPED, err) < 0 ||
        know_builder_folder(builder, knowing->folder, KNOW_FOLDER, err) < 0 ||
        knowing_add_kept(builder, knowing->config.database, err) < 0) {
        know_builder_free(builder);
        return -1;
    }
    *out = know_builder_done(builder);
    return *out ? 0 : err_nomem(err);
}

static void tell(const struct knowing *knowing, const struct knowledge *set)
{
    for (const struct know_note *n = know_notes(set); n; n = n->next) {
        char text[ERR_TEXT_SIZE + 64];
        snprintf(text, sizeof(text), "%.*s", SLICE_ARG(n->text));
        if (n->wrong)
            knowing->config.note(knowing->config.context, text);
    }
}

/* The lock is held. */
static int reload(struct knowing *knowing, struct err *err)
{
    struct knowledge *set;
    uint64_t seen = look(knowing);
    if (build(knowing, &set, err) < 0)
        return -1;
    tell(knowing, set);
    know_release(knowing->set);
    knowing->set = set;
    knowing->seen = seen;
    knowing->failed = false;
    return 0;
}

int knowing_reload(struct knowing *knowing, struct err *err)
{
    pthread_mutex_lock(&knowing->lock);
    int result = reload(knowing, err);
    pthread_mutex_unlock(&knowing->lock);
    return result;
}

void knowing_tick(struct knowing *knowing)
{
    struct err err;
    pthread_mutex_lock(&knowing->lock);
    if (look(knowing) != knowing->seen && reload(knowing, &err) < 0 && !knowing->failed) {
        knowing->failed = true;
        knowing->config.note(knowing->config.context, err.text);
    }
    pthread_mutex_unlock(&knowing->lock);
}

struct knowledge *knowing_hold(struct knowing *knowing)
{
    pthread_mutex_lock(&knowing->lock);
    struct knowledge *set = know_hold(knowing->set);
    pthread_mutex_unlock(&knowing->lock);
    return set;
}

/* ---- life ---- */

int knowing_open(const struct knowing_config *config, struct knowing **out, struct err *err)
{
    struct knowing *knowing = mem_calloc(1, sizeof(*knowing));
    *out = knowing;
    if (!knowing)
        return err_nomem(err);
    knowing->config = *config;
    pthread_mutex_init(&knowing->lock, NULL);
    knowing->shipped = mem_strdup(config->shipped, strlen(config->shipped));
    knowing->folder = mem_strdup(config->folder, strlen(config->folder));
    int result = knowing->shipped && knowing->folder ? reload(knowing, err) : err_nomem(err);
    if (result == 0)
        return 0;
    knowing_close(knowing);
    *out = NULL;
    return -1;
}

void knowing_close(struct knowing *knowing)
{
    if (!knowing)
        return;
    know_release(knowing->set);
    pthread_mutex_destroy(&knowing->lock);
    mem_free(knowing->shipped);
    mem_free(knowing->folder);
    mem_free(knowing);
}
