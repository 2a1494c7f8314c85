#include "flow/crash_mark.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_SIZE = 4096, STACK_SIZE = 64 * 1024 };
static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { DEADLY = sizeof(deadly) / sizeof(*deadly) };

/* The file. Positions are kept plus one, so that zero is none. */
struct page {
    _Atomic uint64_t working; /* being walked now */
    _Atomic uint64_t died_at; /* set by the handler */
    uint64_t blamed;          /* of the deaths counted so far */
    uint32_t deaths;
};

struct crash_mark {
    struct page *page;
    pthread_t thread;
    void *stack; /* for the handler, when the walk's own has overflown */
    struct sigaction before[DEADLY];
};

static struct crash_mark *_Atomic installed;

/* Only stores to memory and sigaction: safe in a handler. */
static void on_signal(int number)
{
    struct crash_mark *mark = atomic_load(&installed);
    if (mark && pthread_equal(mark->thread, pthread_self()))
        atomic_store(&mark->page->died_at, atomic_load(&mark->page->working));
    for (int i = 0; mark && i < DEADLY; i++)
        if (deadly[i] == number)
            sigaction(number, &mark->before[i], NULL);
    if (!mark)
        signal(number, SIG_DFL);
    raise(number);
}

static int install(struct crash_mark *mark, struct err *err)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = mark->stack, .ss_size = STACK_SIZE};
    sigemptyset(&action.sa_mask);
    if (sigaltstack(&stack, NULL) < 0)
        return err_set_errno(err, errno, "cannot give the walk's thread a stack for signals");
    for (int i = 0; i < DEADLY; i++)
        sigaction(deadly[i], NULL, &mark->before[i]);
    atomic_store(&installed, mark);
    for (int i = 0; i < DEADLY; i++)
        sigaction(deadly[i], &action, NULL);
    return 0;
}

/* A death that the last run left behind is counted. */
static void count_death(struct page *page)
{
    uint64_t died_at = atomic_exchange(&page->died_at, 0);
    atomic_store(&page->working, 0);
    if (!died_at)
        return;
    page->deaths = page->blamed == died_at ? page->deaths + 1 : 1;
    page->blamed = died_at;
}

static int map_file(struct crash_mark *mark, const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    int result = ftruncate(fd, FILE_SIZE);
    void *page = result == 0
                     ? mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                     : MAP_FAILED;
    int code = errno;
    close(fd);
    if (page == MAP_FAILED)
        return err_set_errno(err, code, "cannot map %s", path);
    mark->page = page;
    count_death(mark->page);
    return 0;
}

int crash_mark_open(const char *path, struct crash_mark **out, struct err *err)
{
    *out = NULL;
    struct crash_mark *mark = mem_calloc(1, sizeof(*mark));
    if (!mark)
        return err_nomem(err);
    mark->thread = pthread_self();
    mark->stack = mem_alloc(STACK_SIZE);
    if (!mark->stack || map_file(mark, path, err) < 0 || install(mark, err) < 0) {
        int result = mark->stack ? -1 : err_nomem(err);
        crash_mark_close(mark);
        return result;
    }
    *out = mark;
    return 0;
}

void crash_mark_close(struct crash_mark *mark)
{
    if (!mark)
        return;
    if (atomic_load(&installed) == mark) {
        stack_t none = {.ss_flags = SS_DISABLE};
        for (int i = 0; i < DEADLY; i++)
            sigaction(deadly[i], &mark->before[i], NULL);
        atomic_store(&installed, NULL);
        sigaltstack(&none, NULL);
    }
    if (mark->page)
        munmap(mark->page, FILE_SIZE);
    mem_free(mark->stack);
    mem_free(mark);
}

uint32_t crash_mark_deaths(const struct crash_mark *mark, uint64_t position)
{
    return mark->page->blamed == position + 1 ? mark->page->deaths : 0;
}

void crash_mark_begin(struct crash_mark *mark, uint64_t position)
{
    atomic_store(&mark->page->working, position + 1);
}

void crash_mark_end(struct crash_mark *mark)
{
    atomic_store(&mark->page->working, 0);
}
