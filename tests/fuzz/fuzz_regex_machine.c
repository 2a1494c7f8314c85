/* Where a regular expression may match: a text that PCRE2 finds a match in is never ruled out. The first
 * byte says how long the pattern is; the rest is the text, cut in two in the middle. */
#include "pattern/regex.h"
#include "pattern/regex_machine.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool may_match(const struct regex_machine *machine, struct slice text, bool back)
{
    struct regex_walk walk;
    size_t half = text.len / 2;
    struct slice first = slice_sub(text, 0, half), second = slice_from(text, half);
    regex_walk_begin(&walk, machine, back);
    regex_walk_text(&walk, back ? second : first);
    bool any = walk.hit;
    regex_walk_text(&walk, back ? first : second);
    return any || walk.hit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct regex *regex;
    if (size < 1)
        return 0;
    size_t len = data[0] < size - 1 ? data[0] : size - 1;
    struct slice pattern = slice_of(data + 1, len), text = slice_of(data + 1 + len, size - 1 - len);
    if (regex_new(pattern, 0, &regex, NULL) < 0)
        return 0;
    struct arena *arena = arena_new(MIB);
    struct regex_machine *machine = arena ? regex_machine_new(arena) : NULL;
    if (machine && regex_machine_add(machine, pattern)) {
        bool forward = may_match(machine, text, false), back = may_match(machine, text, true);
        if (forward != back || (!forward && regex_match(regex, text) == REGEX_YES))
            abort();
    }
    arena_free(arena);
    regex_free(regex);
    return 0;
}
