#pragma once
/*
 * A disk in memory that fails by chance and loses what was not made durable when its power is cut.
 *
 * A write is visible at once and durable after fdatasync. An fdatasync that fails leaves the bytes visible and takes them for written:
 * the next one does not write them either, as Linux does. Names are durable after fsync_dir of their folder. A power cut keeps the
 * durable bytes and, of each later write, nothing, a beginning, all, or some of its pages; of later changes of names the first few.
 *
 * Threads  Any; one lock. Chance comes from the seed alone.
 */
#include "base/arena.h"
#include "base/io.h"
#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISK_INODES = 512, DISK_NAMES = 64, DISK_CHANGES = 256, DISK_PAGE = 512, DISK_PATH = 256 };

struct disk_bytes { /* zeros from len to size */
    char *ptr;
    size_t len, room, size;
};

struct disk_range {
    size_t from, to;
};

struct disk_inode {
    struct disk_bytes seen, durable;
    struct disk_range *dirty; /* since the last fdatasync */
    struct disk_range *lost;  /* whose fdatasync failed */
    size_t dirty_count, lost_count, dirty_room, lost_room;
};

struct disk_name {
    char path[DISK_PATH]; /* "": no entry */
    int inode;
};

struct disk_change { /* inode < 0: path is gone; from: it was called that before, or "" */
    char path[DISK_PATH], from[DISK_PATH];
    int inode;
};

struct faulty_disk {
    struct hin_io io;
    struct rand_seeded chance;
    pthread_mutex_t lock;
    struct disk_inode inodes[DISK_INODES];
    int inode_count;
    struct disk_name seen[DISK_NAMES], durable[DISK_NAMES];
    struct disk_change changes[DISK_CHANGES];
    int change_count;
    unsigned one_in;    /* calls that fail; 0: none */
    bool dead;          /* nothing is written any more */
    unsigned long failed;
};

static inline void disk_put(struct disk_bytes *to, size_t at, const char *from, size_t len)
{
    size_t end = at + len;
    while (len && from[len - 1] == 0 && at + len > to->len)
        len--; /* zeros at the end are not kept */
    if (len && at + len > to->room) {
        to->room = (at + len) * 2;
        to->ptr = realloc(to->ptr, to->room);
        assert(to->ptr);
    }
    if (len && at + len > to->len) {
        if (at > to->len)
            memset(to->ptr + to->len, 0, at - to->len);
        to->len = at + len;
    }
    if (len)
        memcpy(to->ptr + at, from, len);
    if (end > to->size)
        to->size = end;
}

static inline void disk_cut_bytes(struct disk_bytes *bytes, size_t size)
{
    bytes->len = bytes->len < size ? bytes->len : size;
    bytes->size = size;
}

static inline void disk_add_range(struct disk_range **list, size_t *count, size_t *room, struct disk_range range)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 64;
        *list = realloc(*list, *room * sizeof(**list));
        assert(*list);
    }
    (*list)[(*count)++] = range;
}

/* As much of it as was seen last. */
static inline void disk_settle(struct disk_inode *inode, struct disk_range range)
{
    size_t end = range.to < inode->seen.size ? range.to : inode->seen.size;
    size_t known = end < inode->seen.len ? end : inode->seen.len;
    if (range.from < known)
        disk_put(&inode->durable, range.from, inode->seen.ptr + range.from, known - range.from);
    for (size_t at = range.from > known ? range.from : known; at < end && at < inode->durable.len; at++)
        inode->durable.ptr[at] = 0;
    if (end > inode->durable.size)
        inode->durable.size = end;
}

static inline bool disk_fails(struct faulty_disk *disk, bool writes)
{
    const struct hin_rand *chance = &disk->chance.rand;
    bool fails = (writes && disk->dead) || (disk->one_in && rand_below(chance, disk->one_in) == 0);
    if (fails) {
        disk->failed++;
        errno = rand_below(chance, 2) ? EIO : ENOSPC;
    }
    return fails;
}

static inline struct disk_name *disk_find(struct disk_name *names, const char *path)
{
    for (int i = 0; i < DISK_NAMES; i++)
        if (strcmp(names[i].path, path) == 0)
            return &names[i];
    return NULL;
}

static inline void disk_set(struct disk_name *names, const char *path, int inode)
{
    struct disk_name *name = disk_find(names, path);
    if (!name)
        name = disk_find(names, "");
    assert(name);
    if (inode < 0)
        name->path[0] = '\0';
    else
        (void)snprintf(name->path, sizeof(name->path), "%s", path);
    name->inode = inode;
}

static inline void disk_apply(struct disk_name *names, const struct disk_change *change)
{
    if (change->from[0])
        disk_set(names, change->from, -1);
    if (change->inode >= 0 || disk_find(names, change->path))
        disk_set(names, change->path, change->inode);
}

static inline void disk_change(struct faulty_disk *disk, const char *from, const char *path, int inode)
{
    assert(disk->change_count < DISK_CHANGES);
    struct disk_change *change = &disk->changes[disk->change_count++];
    (void)snprintf(change->path, sizeof(change->path), "%s", path);
    (void)snprintf(change->from, sizeof(change->from), "%s", from);
    change->inode = inode;
    disk_apply(disk->seen, change);
}

/* ---- the calls ---- */

static inline int disk_open(void *context, const char *path, int flags, mode_t mode)
{
    struct faulty_disk *disk = context;
    int result = -1;
    (void)mode;
    pthread_mutex_lock(&disk->lock);
    if (!disk_fails(disk, false)) {
        struct disk_name *name = disk_find(disk->seen, path);
        if (!name && !(flags & O_CREAT))
            errno = ENOENT;
        else if (name && (flags & O_EXCL))
            errno = EEXIST;
        else if (name)
            result = name->inode;
        else {
            assert(disk->inode_count < DISK_INODES);
            result = disk->inode_count++;
            disk_change(disk, "", path, result);
        }
        if (result >= 0 && (flags & O_TRUNC))
            disk_cut_bytes(&disk->inodes[result].seen, 0);
    }
    pthread_mutex_unlock(&disk->lock);
    return result < 0 ? -1 : result + 1000;
}

static inline int disk_close(void *context, int fd)
{
    (void)context, (void)fd;
    return 0;
}

static inline ssize_t disk_pread(void *context, int fd, void *to, size_t len, off_t at)
{
    struct faulty_disk *disk = context;
    const struct disk_bytes *seen = &disk->inodes[fd - 1000].seen;
    ssize_t result = -1;
    pthread_mutex_lock(&disk->lock);
    if (!disk_fails(disk, false)) {
        size_t from = (size_t)at, end = from + len < seen->size ? from + len : seen->size;
        size_t known = from < seen->len ? (end < seen->len ? end : seen->len) - from : 0;
        result = from < end ? (ssize_t)(end - from) : 0;
        if (known)
            memcpy(to, seen->ptr + from, known);
        memset((char *)to + known, 0, (size_t)result - known);
    }
    pthread_mutex_unlock(&disk->lock);
    return result;
}

/* Short writes are no failure; a failed one may have written a beginning. */
static inline ssize_t disk_pwrite(void *context, int fd, const void *from, size_t len, off_t at)
{
    struct faulty_disk *disk = context;
    struct disk_inode *inode = &disk->inodes[fd - 1000];
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    int error = errno;
    if (len > 1 && (fails || (disk->one_in && rand_below(&disk->chance.rand, disk->one_in) == 0)))
        len = fails ? rand_below(&disk->chance.rand, len) : 1 + rand_below(&disk->chance.rand, len - 1);
    if (len && !(fails && disk->dead)) {
        disk_put(&inode->seen, (size_t)at, from, len);
        disk_add_range(&inode->dirty, &inode->dirty_count, &inode->dirty_room, (struct disk_range){(size_t)at, (size_t)at + len});
    }
    pthread_mutex_unlock(&disk->lock);
    errno = error;
    return fails ? -1 : (ssize_t)len;
}

static inline int disk_fdatasync(void *context, int fd)
{
    struct faulty_disk *disk = context;
    struct disk_inode *inode = &disk->inodes[fd - 1000];
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    if (!fails && inode->seen.size < inode->durable.size)
        disk_cut_bytes(&inode->durable, inode->seen.size);
    for (size_t i = 0; i < inode->dirty_count; i++)
        if (fails)
            disk_add_range(&inode->lost, &inode->lost_count, &inode->lost_room, inode->dirty[i]);
        else
            disk_settle(inode, inode->dirty[i]);
    inode->dirty_count = 0;
    pthread_mutex_unlock(&disk->lock);
    return fails ? -1 : 0;
}

static inline int disk_ftruncate(void *context, int fd, off_t size)
{
    struct faulty_disk *disk = context;
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    if (!fails)
        disk_cut_bytes(&disk->inodes[fd - 1000].seen, (size_t)size);
    pthread_mutex_unlock(&disk->lock);
    return fails ? -1 : 0;
}

static inline int disk_rename(void *context, const char *from, const char *to)
{
    struct faulty_disk *disk = context;
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    struct disk_name *name = disk_find(disk->seen, from);
    if (!fails && name)
        disk_change(disk, from, to, name->inode);
    else if (!fails)
        errno = ENOENT;
    pthread_mutex_unlock(&disk->lock);
    return fails || !name ? -1 : 0;
}

static inline int disk_unlink(void *context, const char *path)
{
    struct faulty_disk *disk = context;
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    bool found = disk_find(disk->seen, path) != NULL;
    if (!fails && found)
        disk_change(disk, "", path, -1);
    else if (!fails)
        errno = ENOENT;
    pthread_mutex_unlock(&disk->lock);
    return fails || !found ? -1 : 0;
}

static inline int disk_mkdir(void *context, const char *path, mode_t mode)
{
    (void)context, (void)path, (void)mode;
    errno = EEXIST;
    return -1;
}

static inline int disk_fsync_dir(void *context, const char *path)
{
    struct faulty_disk *disk = context;
    size_t len = strlen(path);
    int kept = 0;
    pthread_mutex_lock(&disk->lock);
    bool fails = disk_fails(disk, true);
    for (int i = 0; i < disk->change_count && !fails; i++) {
        const struct disk_change *change = &disk->changes[i];
        if (strncmp(change->path, path, len) == 0 && change->path[len] == '/' && !strchr(change->path + len + 1, '/'))
            disk_apply(disk->durable, change);
        else
            disk->changes[kept++] = *change;
    }
    if (!fails)
        disk->change_count = kept;
    pthread_mutex_unlock(&disk->lock);
    return fails ? -1 : 0;
}

static inline off_t disk_size(void *context, int fd)
{
    struct faulty_disk *disk = context;
    return disk_fails(disk, false) ? -1 : (off_t)disk->inodes[fd - 1000].seen.size;
}

/* ---- power ---- */

static inline void disk_keep_some(struct faulty_disk *disk, struct disk_inode *inode, struct disk_range range)
{
    const struct hin_rand *chance = &disk->chance.rand;
    size_t len = range.to - range.from;
    switch (rand_below(chance, 4)) {
    case 0:
        return;
    case 1:
        disk_settle(inode, (struct disk_range){range.from, range.from + rand_below(chance, len + 1)});
        return;
    case 2:
        disk_settle(inode, range);
        return;
    default:
        for (size_t at = range.from; at < range.to;) { /* the rest of a page each; those left out stay as they were */
            size_t next = (at / DISK_PAGE + 1) * DISK_PAGE < range.to ? (at / DISK_PAGE + 1) * DISK_PAGE : range.to;
            if (rand_below(chance, 2))
                disk_settle(inode, (struct disk_range){at, next});
            at = next;
        }
    }
}

static inline void disk_cut_power(struct faulty_disk *disk)
{
    int kept = (int)rand_below(&disk->chance.rand, (uint64_t)disk->change_count + 1);
    for (int i = 0; i < kept; i++)
        disk_apply(disk->durable, &disk->changes[i]);
    disk->change_count = 0;
    memcpy(disk->seen, disk->durable, sizeof(disk->seen));
    for (int i = 0; i < disk->inode_count; i++) {
        struct disk_inode *inode = &disk->inodes[i];
        for (size_t k = 0; k < inode->lost_count; k++)
            disk_keep_some(disk, inode, inode->lost[k]);
        for (size_t k = 0; k < inode->dirty_count; k++)
            disk_keep_some(disk, inode, inode->dirty[k]);
        inode->dirty_count = inode->lost_count = 0;
        inode->seen.len = inode->seen.size = 0;
        disk_put(&inode->seen, 0, inode->durable.ptr, inode->durable.len);
        inode->seen.size = inode->durable.size;
    }
    disk->dead = false;
}

/* What a power cut leaves in the worst case, with no more than a page of the zeros at its end; none: no such file. In the arena. */
static inline struct slice disk_durable(struct faulty_disk *disk, const char *path, struct arena *arena)
{
    struct slice copy = SLICE_NONE;
    pthread_mutex_lock(&disk->lock);
    const struct disk_name *name = disk_find(disk->durable, path);
    const struct disk_bytes *bytes = name ? &disk->inodes[name->inode].durable : NULL;
    if (bytes) {
        size_t zeros = bytes->size - bytes->len < DISK_PAGE ? bytes->size - bytes->len : DISK_PAGE;
        char *to = arena_alloc(arena, bytes->len + zeros + 1);
        assert(to);
        if (bytes->len)
            memcpy(to, bytes->ptr, bytes->len);
        memset(to + bytes->len, 0, zeros);
        copy = slice_of(to, bytes->len + zeros);
    }
    pthread_mutex_unlock(&disk->lock);
    return copy;
}

static inline struct faulty_disk *disk_new(uint64_t seed)
{
    struct faulty_disk *disk = calloc(1, sizeof(*disk));
    assert(disk);
    rand_seeded_init(&disk->chance, seed);
    pthread_mutex_init(&disk->lock, NULL);
    disk->io = (struct hin_io){.open = disk_open, .close = disk_close, .pread = disk_pread, .pwrite = disk_pwrite,
                               .fdatasync = disk_fdatasync, .ftruncate = disk_ftruncate, .rename = disk_rename, .unlink = disk_unlink,
                               .mkdir = disk_mkdir, .fsync_dir = disk_fsync_dir, .size = disk_size, .context = disk};
    return disk;
}

static inline void disk_free(struct faulty_disk *disk)
{
    for (int i = 0; i < disk->inode_count; i++) {
        free(disk->inodes[i].seen.ptr);
        free(disk->inodes[i].durable.ptr);
        free(disk->inodes[i].dirty);
        free(disk->inodes[i].lost);
    }
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}
