/* Sixteen bytes looked at together say what a look at one after the other says. */
#include "base/lane.h"

#include "test.h"

#include <string.h>

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Every byte at every place, between letters and between digits. */
static void folding_stops_where_the_word_ends(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (unsigned place = 0; place < LANE; place++)
            for (int filler = 0; filler < 2; filler++) {
                char text[LANE], folded[LANE];
                bool telling;
                memset(text, filler ? '7' : 'B', LANE);
                text[place] = (char)c;
                unsigned count = lane_fold_word(text, folded, &telling);
                bool word = is_letter((unsigned char)c) || (c >= '0' && c <= '9');
                assert_int_equal(count, word ? LANE : place);
                for (unsigned i = 0; i < count; i++)
                    assert_int_equal(folded[i], is_letter((unsigned char)text[i]) ? text[i] | 0x20 : text[i]);
                assert_int_equal(telling, is_letter((unsigned char)c) && (c | 0x20) > 'f' && !strchr("txz", (int)(c | 0x20)));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folding_stops_where_the_word_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
