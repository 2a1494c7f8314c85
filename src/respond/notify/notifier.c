#include "respond/notify/notifier.h"

#define NOTIFIER(name) extern const struct notifier notifier_##name;
#include "respond/notify/notifiers.def"
#undef NOTIFIER

static const struct notifier *const notifiers[] = {
#define NOTIFIER(name) &notifier_##name,
#include "respond/notify/notifiers.def"
#undef NOTIFIER
};

const struct notifier *notifier_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(notifiers); i++)
        if (slice_is(name, notifiers[i]->name))
            return notifiers[i];
    return NULL;
}
