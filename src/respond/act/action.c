#include "respond/act/action.h"

#define ACTION(name) extern const struct action_kind action_##name;
#include "respond/act/actions.def"
#undef ACTION

static const struct action_kind *const kinds[] = {
#define ACTION(name) &action_##name,
#include "respond/act/actions.def"
#undef ACTION
};

const struct action_kind *action_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (slice_is(name, kinds[i]->name))
            return kinds[i];
    return NULL;
}
