#include "flow/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_ROOM = 4400, SLOTS = 2, HEADER_SIZE = 40, HASH_AT = 8, COVERED_AT = 24 };
static const char magic[] = "HINCKPT2"; /* 8 bytes, hash, position, length */
static const char magic_before[] = "HINCKPT1"; /* its checksum did not cover the position */

struct slot {
    bool valid;
    uint64_t position;
};

struct checkpoint {
    struct checkpoint_config config;
    char dir[PATH_ROOM - 64];
    struct arena *arena; /* of the content that was read */
    struct slice content;
    uint64_t position;
    bool found;

    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t offered; /* something waits, or what waited is written */
    struct slot slots[SLOTS];
    int unproved; /* the slot whose word was taken at the start, SLOTS: none */
    struct buffer waiting;
    uint64_t waiting_position;
    bool proving, busy, stopping;
};

static void path_of(const struct checkpoint *checkpoint, const char *name, char to[PATH_ROOM])
{
    snprintf(to, PATH_ROOM, "%s/%s", checkpoint->dir, name);
}

static void slot_path(const struct checkpoint *checkpoint, int slot, char to[PATH_ROOM])
{
    snprintf(to, PATH_ROOM, "%s/checkpoint.%d", checkpoint->dir, slot);
}

static void say(const struct checkpoint *checkpoint, const char *text)
{
    if (checkpoint->config.note)
        checkpoint->config.note(checkpoint->config.context, text);
}

/* ---- reading ---- */

static bool take_hash(struct slice *from, struct hash128 *hash)
{
    return slice_take_le64(from, &hash->low) && slice_take_le64(from, &hash->high);
}

static bool take_place(struct slice *from, uint64_t *position, uint64_t *length)
{
    return slice_take_le64(from, position) && slice_take_le64(from, length);
}

/* What a file says of itself. */
struct head {
    struct hash128 hash;
    uint64_t position, length;
    size_t covered_at; /* the hash is of all bytes from here */
};

static bool take_head(struct slice *from, struct head *head)
{
    struct slice name;
    *head = (struct head){.covered_at = COVERED_AT};
    if (!slice_take(from, 8, &name))
        return false;
    if (slice_equal(name, slice_of(magic, 8)))
        return take_hash(from, &head->hash) && take_place(from, &head->position, &head->length);
    head->covered_at = HEADER_SIZE;
    return slice_equal(name, slice_of(magic_before, 8)) && take_place(from, &head->position, &head->length) &&
           take_hash(from, &head->hash);
}

static bool is_hash(struct hash128 hash, const struct head *head)
{
    return hash.low == head->hash.low && hash.high == head->hash.high;
}

static bool take_apart(struct slice bytes, uint64_t *position, struct slice *content)
{
    struct head head;
    *content = bytes;
    if (!take_head(content, &head))
        return false;
    *position = head.position;
    return content->len == head.length && is_hash(hash_bytes128(slice_from(bytes, head.covered_at)), &head);
}

static int read_file(const char *path, struct arena *arena, uint64_t *position,
                     struct slice *content, struct err *err)
{
    struct slice bytes;
    if (file_read(path, CHECKPOINT_BYTES_MAX + HEADER_SIZE, arena, &bytes, err) < 0)
        return -1;
    return take_apart(bytes, position, content)
               ? 0
               : err_set(err, ERR_CORRUPT, "%s: bytes 0 to %zu do not fit their checksum", path, bytes.len);
}

static bool read_head(FILE *file, struct head *head)
{
    char bytes[HEADER_SIZE];
    struct slice from = slice_of(bytes, file ? fread(bytes, 1, sizeof(bytes), file) : 0);
    return take_head(&from, head);
}

/* The position that a file says it has, unproved: which of them to read first. 0: it says none. */
static uint64_t said_position(const char *path)
{
    struct head head;
    FILE *file = fopen(path, "rb");
    uint64_t position = read_head(file, &head) ? head.position : 0;
    if (file)
        (void)fclose(file);
    return position;
}

/* They may be large, so the older one is read only when the newer cannot be. */
int checkpoint_read(const char *dir, struct arena *arena, uint64_t *position,
                    struct slice *content, struct err *err)
{
    char paths[SLOTS][PATH_ROOM];
    uint64_t said[SLOTS];
    struct err why;
    err_set(err, ERR_NOT_FOUND, "there is no checkpoint of the rules in %s yet", dir);
    for (int slot = 0; slot < SLOTS; slot++) {
        snprintf(paths[slot], sizeof(paths[slot]), "%s/checkpoint.%d", dir, slot);
        said[slot] = said_position(paths[slot]);
    }
    int newer = said[1] > said[0];
    for (int turn = 0; turn < SLOTS; turn++) {
        const char *path = paths[turn == 0 ? newer : !newer];
        if (access(path, F_OK) != 0)
            continue;
        if (read_file(path, arena, position, content, &why) == 0)
            return 0;
        *err = why;
    }
    return -1;
}

int checkpoint_check_file(const char *path, uint64_t *position, uint64_t *content_bytes,
                          struct err *err)
{
    struct slice content;
    struct arena *arena = arena_new(CHECKPOINT_BYTES_MAX + 2 * MIB);
    int result = arena ? read_file(path, arena, position, &content, err) : err_nomem(err);
    *content_bytes = result == 0 ? content.len : 0;
    arena_free(arena);
    return result;
}

static void put_aside(const struct checkpoint *checkpoint, const char *path, const char *why)
{
    const struct hin_io *io = checkpoint->config.io;
    char to[PATH_ROOM + 16], text[ERR_TEXT_SIZE + 2 * PATH_ROOM + 64];
    snprintf(to, sizeof(to), "%s.damaged", path);
    io->rename(io->context, path, to);
    snprintf(text, sizeof(text), "%s cannot be used (%s); it is kept as %s.damaged", path, why, path);
    say(checkpoint, text);
}

/* 1: read, 0: not there or of no use (*damaged), -1: memory is out, which says nothing of the file. */
static int read_slot(struct checkpoint *checkpoint, int slot, struct arena *arena,
                     struct slice *content, bool *damaged, struct err *err)
{
    char path[PATH_ROOM];
    struct slice bytes;
    struct err why;
    slot_path(checkpoint, slot, path);
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (file_read(path, CHECKPOINT_BYTES_MAX + HEADER_SIZE, arena, &bytes, &why) < 0) {
        if (why.code == ERR_NOMEM) {
            *err = why;
            return -1;
        }
        put_aside(checkpoint, path, why.text);
        *damaged = true;
        return 0;
    }
    if (!take_apart(bytes, &checkpoint->slots[slot].position, content)) {
        put_aside(checkpoint, path, "its checksum does not fit");
        *damaged = true;
        return 0;
    }
    checkpoint->slots[slot].valid = true;
    return 1;
}

static void use(struct checkpoint *checkpoint, struct arena *arena, uint64_t position,
                struct slice content)
{
    arena_free(checkpoint->arena);
    checkpoint->arena = arena;
    checkpoint->position = position;
    checkpoint->content = content;
    checkpoint->found = true;
}

int checkpoint_lose(struct checkpoint *checkpoint, struct err *err)
{
    char path[PATH_ROOM], text[PATH_ROOM + 256];
    static const char why[] = "What the rules and the gate remembered could not be read. The gate "
                              "holds everything until this file is removed.\n";
    path_of(checkpoint, "lost", path);
    snprintf(text, sizeof(text),
             "what the rules and the gate remembered is lost: the gate holds everything; restore "
             "the folder from a backup, or remove %s to go on with what is known since", path);
    say(checkpoint, text);
    return io_replace_file(checkpoint->config.io, path, slice_text(why), err);
}

/* 1: it is what goes on, 0: of no use, -1. */
static int use_slot(struct checkpoint *checkpoint, int slot, bool *damaged, struct err *err)
{
    struct slice content;
    struct arena *arena = arena_new(CHECKPOINT_BYTES_MAX + MIB);
    if (!arena)
        return err_nomem(err);
    int got = read_slot(checkpoint, slot, arena, &content, damaged, err);
    if (got > 0)
        use(checkpoint, arena, checkpoint->slots[slot].position, content);
    else
        arena_free(arena);
    return got;
}

/* They may be large, so the older one is loaded only when the newer cannot be. Else its word is taken for how far back the
 * journal is needed, and the thread proves it beside what follows a start. */
static int read_all(struct checkpoint *checkpoint, struct err *err)
{
    char paths[SLOTS][PATH_ROOM];
    bool damaged = false;
    for (int i = 0; i < SLOTS; i++)
        slot_path(checkpoint, i, paths[i]);
    int newer = said_position(paths[1]) > said_position(paths[0]), older = !newer;
    int got = use_slot(checkpoint, newer, &damaged, err);
    uint64_t said = got > 0 ? said_position(paths[older]) : 0;
    checkpoint->slots[older] = (struct slot){said != 0, said};
    if (got > 0 && access(paths[older], F_OK) == 0)
        checkpoint->unproved = older;
    if (got == 0)
        got = use_slot(checkpoint, older, &damaged, err);
    if (got < 0)
        return -1;
    return damaged && !checkpoint->found ? checkpoint_lose(checkpoint, err) : 0;
}

/* Whether the file fits its checksum, without the memory that loading it would take. */
static bool is_whole(const char *path)
{
    struct head head;
    struct hash128 hash;
    uint64_t bytes;
    FILE *file = fopen(path, "rb");
    bool whole = read_head(file, &head) && fseek(file, (long)head.covered_at, SEEK_SET) == 0 &&
                 hash_file128(file, &hash, &bytes) == 0 && bytes + head.covered_at == HEADER_SIZE + head.length &&
                 is_hash(hash, &head);
    if (file)
        (void)fclose(file);
    return whole;
}

static void prove(struct checkpoint *checkpoint)
{
    char path[PATH_ROOM];
    slot_path(checkpoint, checkpoint->unproved, path);
    if (is_whole(path))
        return;
    put_aside(checkpoint, path, "its checksum does not fit");
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->slots[checkpoint->unproved].valid = false;
    pthread_mutex_unlock(&checkpoint->lock);
}

/* ---- writing ---- */

/* The slot that is lost least by: an empty one, else the older. */
static int slot_to_write(struct checkpoint *checkpoint)
{
    const struct slot *slots = checkpoint->slots;
    if (!slots[0].valid || !slots[1].valid)
        return slots[0].valid ? 1 : 0;
    return slots[0].position <= slots[1].position ? 0 : 1;
}

static void put_file(struct buffer *to, uint64_t position, struct slice content)
{
    static const char zeros[COVERED_AT - HASH_AT] = {0};
    buffer_put(to, slice_of(magic, HASH_AT));
    buffer_put(to, slice_of(zeros, sizeof(zeros)));
    buffer_put_le64(to, position);
    buffer_put_le64(to, content.len);
    buffer_put(to, content);
    if (buffer_failed(to))
        return;
    struct hash128 hash = hash_bytes128(slice_from(buffer_slice(to), COVERED_AT));
    bytes_set_le64(to->ptr + HASH_AT, hash.low);
    bytes_set_le64(to->ptr + HASH_AT + 8, hash.high);
}

static int write_slot(struct checkpoint *checkpoint, uint64_t position, struct slice content,
                      struct err *err)
{
    char path[PATH_ROOM];
    struct buffer bytes;
    if (content.len > CHECKPOINT_BYTES_MAX)
        return err_set(err, ERR_LIMIT,
                       "what the rules remember takes %zu MiB, more than a checkpoint may have "
                       "(%zu MiB); make the windows of content/state smaller",
                       content.len / MIB, CHECKPOINT_BYTES_MAX / MIB);
    buffer_init(&bytes, CHECKPOINT_BYTES_MAX + HEADER_SIZE);
    put_file(&bytes, position, content);
    pthread_mutex_lock(&checkpoint->lock);
    int slot = slot_to_write(checkpoint);
    pthread_mutex_unlock(&checkpoint->lock);
    slot_path(checkpoint, slot, path);
    int result = buffer_failed(&bytes) ? err_nomem(err)
                                       : io_replace_file(checkpoint->config.io, path,
                                                         buffer_slice(&bytes), err);
    buffer_close(&bytes);
    if (result < 0)
        return -1;
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->slots[slot] = (struct slot){true, position};
    pthread_mutex_unlock(&checkpoint->lock);
    return 0;
}

static void write_waiting(struct checkpoint *checkpoint, struct buffer *content, uint64_t position)
{
    struct err err;
    char text[ERR_TEXT_SIZE + 160];
    if (write_slot(checkpoint, position, buffer_slice(content), &err) < 0) {
        snprintf(text, sizeof(text), "a checkpoint of the rules could not be written: %s; the "
                 "journal is kept from the one before", err.text);
        say(checkpoint, text);
    }
    buffer_close(content);
}

static void *run(void *context)
{
    struct checkpoint *checkpoint = context;
    pthread_setname_np(pthread_self(), "checkpoint");
    if (checkpoint->unproved < SLOTS)
        prove(checkpoint);
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->proving = false;
    pthread_cond_broadcast(&checkpoint->offered);
    while (checkpoint->busy || !checkpoint->stopping) {
        if (!checkpoint->busy) {
            pthread_cond_wait(&checkpoint->offered, &checkpoint->lock);
            continue;
        }
        struct buffer content = checkpoint->waiting;
        uint64_t position = checkpoint->waiting_position;
        pthread_mutex_unlock(&checkpoint->lock);
        write_waiting(checkpoint, &content, position);
        pthread_mutex_lock(&checkpoint->lock);
        checkpoint->busy = false;
        pthread_cond_broadcast(&checkpoint->offered);
    }
    pthread_mutex_unlock(&checkpoint->lock);
    return NULL;
}

bool checkpoint_offer(struct checkpoint *checkpoint, uint64_t position, struct buffer *content)
{
    pthread_mutex_lock(&checkpoint->lock);
    bool taken = !checkpoint->busy && !checkpoint->proving;
    if (taken) {
        checkpoint->waiting = *content;
        checkpoint->waiting_position = position;
        checkpoint->busy = true;
        buffer_init(content, content->max);
        pthread_cond_broadcast(&checkpoint->offered);
    }
    pthread_mutex_unlock(&checkpoint->lock);
    return taken;
}

int checkpoint_write(struct checkpoint *checkpoint, uint64_t position, struct slice content,
                     struct err *err)
{
    pthread_mutex_lock(&checkpoint->lock);
    while (checkpoint->busy || checkpoint->proving)
        pthread_cond_wait(&checkpoint->offered, &checkpoint->lock);
    pthread_mutex_unlock(&checkpoint->lock);
    return write_slot(checkpoint, position, content, err);
}

/* ---- life ---- */

int checkpoint_open(const struct checkpoint_config *config, struct checkpoint **out,
                    struct err *err)
{
    *out = NULL;
    struct checkpoint *checkpoint = mem_calloc(1, sizeof(*checkpoint));
    if (!checkpoint)
        return err_nomem(err);
    checkpoint->config = *config;
    checkpoint->unproved = SLOTS;
    checkpoint->proving = true;
    if (!checkpoint->config.io)
        checkpoint->config.io = io_real();
    snprintf(checkpoint->dir, sizeof(checkpoint->dir), "%s", config->dir);
    pthread_mutex_init(&checkpoint->lock, NULL);
    pthread_cond_init(&checkpoint->offered, NULL);
    int result = io_make_dirs(checkpoint->config.io, checkpoint->dir, err);
    if (result == 0)
        result = read_all(checkpoint, err);
    int code = result == 0 ? pthread_create(&checkpoint->thread, NULL, run, checkpoint) : 0;
    if (code)
        result = err_set_errno(err, code, "cannot start the checkpoint's thread");
    checkpoint->thread_runs = result == 0;
    if (result < 0) {
        checkpoint_close(checkpoint);
        return -1;
    }
    *out = checkpoint;
    return 0;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->stopping = true;
    pthread_cond_broadcast(&checkpoint->offered);
    pthread_mutex_unlock(&checkpoint->lock);
    if (checkpoint->thread_runs)
        pthread_join(checkpoint->thread, NULL);
    arena_free(checkpoint->arena);
    pthread_cond_destroy(&checkpoint->offered);
    pthread_mutex_destroy(&checkpoint->lock);
    mem_free(checkpoint);
}

bool checkpoint_content(const struct checkpoint *checkpoint, uint64_t *position,
                        struct slice *content)
{
    *position = checkpoint->position;
    *content = checkpoint->content;
    return checkpoint->found;
}

void checkpoint_forget(struct checkpoint *checkpoint)
{
    arena_free(checkpoint->arena);
    checkpoint->arena = NULL;
    checkpoint->content = SLICE_NONE;
}

uint64_t checkpoint_kept(struct checkpoint *checkpoint)
{
    uint64_t kept = UINT64_MAX;
    pthread_mutex_lock(&checkpoint->lock);
    for (int i = 0; i < SLOTS; i++)
        if (checkpoint->slots[i].valid && checkpoint->slots[i].position < kept)
            kept = checkpoint->slots[i].position;
    pthread_mutex_unlock(&checkpoint->lock);
    return kept;
}

bool checkpoint_lost(const struct checkpoint *checkpoint)
{
    char path[PATH_ROOM];
    path_of(checkpoint, "lost", path);
    return access(path, F_OK) == 0;
}
