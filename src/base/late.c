#include "base/late.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void late_open(struct late_library *library, const char *name)
{
    library->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library->handle)
        snprintf(library->problem, sizeof(library->problem), "%s", dlerror());
}

void late_find(struct late_library *library, const char *name, void *function)
{
    void *found = library->handle ? dlsym(library->handle, name) : 0;
    if (!found && !library->problem[0])
        snprintf(library->problem, sizeof(library->problem), "%s", dlerror());
    *(void **)function = found; /* POSIX lets a pointer to an object become one to a function, C does not */
}

void late_free(void *ptr)
{
    free(ptr);
}
