#include "collect/files/folder_watch.h"

#include "base/limits.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#define CHANGES (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

struct folder {
    int number;
    char *path;
};

struct folder_watch {
    int fd;
    folder_change change;
    void *context;
    struct folder *folders; /* by number */
    size_t count;
};

struct folder_watch *folder_watch_open(folder_change change, void *context)
{
    struct folder_watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct folder_watch){.change = change, .context = context,
                                   .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    watch->folders = mem_calloc(FILE_FOLDERS_WATCHED_MAX, sizeof(*watch->folders));
    if (watch->fd >= 0 && watch->folders)
        return watch;
    folder_watch_close(watch);
    return NULL;
}

void folder_watch_close(struct folder_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->count; i++)
        mem_free(watch->folders[i].path);
    mem_free(watch->folders);
    if (watch->fd >= 0)
        close(watch->fd);
    mem_free(watch);
}

int folder_watch_fd(const struct folder_watch *watch)
{
    return watch->fd;
}

/* Where the number stands, or would. */
static size_t place_of(const struct folder_watch *watch, int number)
{
    size_t low = 0, high = watch->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (watch->folders[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool folder_watch_add(struct folder_watch *watch, const char *folder)
{
    int number = inotify_add_watch(watch->fd, folder, IN_MODIFY | CHANGES | IN_ONLYDIR);
    if (number < 0)
        return false;
    size_t at = place_of(watch, number);
    if (at < watch->count && watch->folders[at].number == number)
        return true;
    char *path = watch->count < FILE_FOLDERS_WATCHED_MAX ? mem_strdup(folder, strlen(folder)) : NULL;
    if (!path) {
        inotify_rm_watch(watch->fd, number);
        return false;
    }
    memmove(watch->folders + at + 1, watch->folders + at, (watch->count - at) * sizeof(*watch->folders));
    watch->folders[at] = (struct folder){number, path};
    watch->count++;
    return true;
}

static void forget(struct folder_watch *watch, int number)
{
    size_t at = place_of(watch, number);
    if (at == watch->count || watch->folders[at].number != number)
        return;
    mem_free(watch->folders[at].path);
    watch->count--;
    memmove(watch->folders + at, watch->folders + at + 1, (watch->count - at) * sizeof(*watch->folders));
}

static void tell(struct folder_watch *watch, const struct inotify_event *event)
{
    char path[PATH_MAX];
    size_t at = place_of(watch, event->wd);
    bool written = event->mask & IN_MODIFY, known = at < watch->count && watch->folders[at].number == event->wd;
    if (event->mask & IN_IGNORED)
        forget(watch, event->wd);
    else if (event->mask & IN_Q_OVERFLOW || !written)
        watch->change(watch->context, NULL, false);
    else if (known && event->len &&
             snprintf(path, sizeof(path), "%s/%s", watch->folders[at].path, event->name) < (int)sizeof(path))
        watch->change(watch->context, path, true);
}

void folder_watch_read(struct folder_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[32 * 1024];
    ssize_t got;
    while ((got = read(watch->fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t at = 0; at < got;) {
            struct inotify_event event;
            memcpy(&event, bytes + at, sizeof(event));
            tell(watch, (const struct inotify_event *)(const void *)(bytes + at));
            at += (ssize_t)(sizeof(event) + event.len);
        }
}
