#include "base/late.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void find(struct late_library *library, void *handle, size_t i)
{
    char name[128];
    void **to = library->functions; /* POSIX lets a pointer to an object become one to a function, C does not */
    snprintf(name, sizeof(name), "%s%s", library->prefix, library->names[i]);
    to[i] = handle ? dlsym(handle, name) : NULL;
    if (!to[i] && !library->problem[0])
        snprintf(library->problem, sizeof(library->problem), "%s", dlerror());
}

static void load(struct late_library *library)
{
    void *handle = dlopen(library->name, RTLD_NOW | RTLD_LOCAL);
    library->tried = true;
    if (!handle)
        snprintf(library->problem, sizeof(library->problem), "%s", dlerror());
    for (size_t i = 0; i < library->count; i++)
        find(library, handle, i);
    if (!library->problem[0] && library->ready)
        library->ready(library->functions);
}

const void *late_load(struct late_library *library, struct err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (!library->tried)
        load(library);
    pthread_mutex_unlock(&lock);
    if (!library->problem[0])
        return library->functions;
    err_set(err, ERR_CONFIG, "%s (%s), which cannot be loaded: %s", library->what, library->name, library->problem);
    return NULL;
}

void late_free(void *ptr)
{
    free(ptr);
}
