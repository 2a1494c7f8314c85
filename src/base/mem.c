#include "base/mem.h"

#include "base/limits.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long fail_countdown = -1;
static _Thread_local long fail_countdown_here = -1;

static bool must_fail(void)
{
    if (fail_countdown_here >= 0 && fail_countdown_here-- == 0)
        return true;
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0)
        return false;
    return atomic_fetch_sub(&fail_countdown, 1) == 0;
}

void mem_fail_after(long n)
{
    atomic_store(&fail_countdown, n);
}

void mem_fail_here_after(long n)
{
    fail_countdown_here = n;
}

/* Huge pages that are free, each with the next one's address in it. */
static pthread_mutex_t huge_lock = PTHREAD_MUTEX_INITIALIZER;
static void **huge_free;
static size_t huge_free_count;
static atomic_bool huge_kept;

static void *huge_take(void)
{
    pthread_mutex_lock(&huge_lock);
    void **page = huge_free;
    if (page) {
        huge_free = *page;
        huge_free_count--;
    }
    pthread_mutex_unlock(&huge_lock);
    return page;
}

/* Twice as much is asked for, and what is not at the right place given back. */
static void *huge_map(void)
{
    enum { BYTES = MEM_HUGE_BYTES };
    char *start = mmap(NULL, 2 * (size_t)BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)start % BYTES;
    if (before)
        munmap(start, before);
    munmap(start + before + BYTES, BYTES - before);
    madvise(start + before, BYTES, MADV_HUGEPAGE); /* a kernel without them maps small ones */
    return start + before;
}

void *mem_alloc_huge(void)
{
    if (must_fail())
        return NULL;
    void *page = huge_take();
    return page ? page : huge_map();
}

/* False: there are enough of them. */
static bool huge_keep(void **page)
{
    if (!atomic_load_explicit(&huge_kept, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&huge_lock);
    bool keep = huge_free_count < MEM_HUGE_KEPT / MEM_HUGE_BYTES;
    if (keep) {
        *page = huge_free;
        huge_free = page;
        huge_free_count++;
    }
    pthread_mutex_unlock(&huge_lock);
    return keep;
}

void mem_free_huge(void *ptr)
{
    if (ptr && !huge_keep(ptr))
        munmap(ptr, MEM_HUGE_BYTES);
}

void mem_keep_pages(void)
{
    atomic_store(&huge_kept, true);
    enum { KEEP = 1 << 30, PAD = 32 << 20 };
    mallopt(M_TRIM_THRESHOLD, KEEP);
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the most that glibc takes */
    mallopt(M_TOP_PAD, PAD);
    mallopt(M_ARENA_MAX, 2); /* each holds what its threads once needed: of 16 of them 1.1 GiB stayed, 69 MiB in use */
}

/* Pages of the process that are in memory and of no file. */
static size_t resident(void)
{
    unsigned long pages = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu %lu", &pages, &shared) != 2)
        pages = shared = 0;
    fclose(file);
    return (size_t)(pages - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

void mem_tidy(void)
{
    enum { CALLS = 10 };
    static unsigned calls;
    static size_t after; /* what was resident when it was last done */
    if (!atomic_load_explicit(&huge_kept, memory_order_relaxed) || mallinfo2().fordblks < MEM_FREE_KEPT || ++calls < CALLS)
        return;
    calls = 0;
    if (resident() < after + MEM_FREE_KEPT / 2)
        return;
    malloc_trim(0);
    after = resident();
}

void *mem_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *mem_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *mem_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size ? size : 1);
}

char *mem_strdup(const char *text, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *ptr)
{
    free(ptr);
}
