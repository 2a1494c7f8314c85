/* Huge pages that were freed stay for the next, so many of them. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/mman.h>

enum { MORE = 20, KEPT = (int)(MEM_HUGE_KEPT / MEM_HUGE_BYTES), PAGES = KEPT + MORE };

static bool is_mapped(void *page)
{
    unsigned char resident;
    return mincore(page, 1, &resident) == 0 || errno != ENOMEM;
}

static void free_huge_pages_are_kept_and_not_all(void **state)
{
    (void)state;
    static void *pages[PAGES];
    mem_keep_pages();
    for (int i = 0; i < PAGES; i++) {
        assert_non_null(pages[i] = mem_alloc_huge());
        assert_int_equal((uintptr_t)pages[i] % MEM_HUGE_BYTES, 0);
    }
    for (int i = 0; i < PAGES; i++)
        mem_free_huge(pages[i]);
    for (int i = 0; i < PAGES; i++)
        assert_int_equal(is_mapped(pages[i]), i < KEPT);
    for (int i = KEPT; i-- > 0;)
        assert_ptr_equal(mem_alloc_huge(), pages[i]);
    for (int i = 0; i < KEPT; i++)
        mem_free_huge(pages[i]);
    mem_free_huge(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_huge_pages_are_kept_and_not_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
