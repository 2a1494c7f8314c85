#include "respond/notify/notifier.h"

#define NOTIFIER(name) extern const struct notifier notifier_##name;
#include "respond/notify/notifiers.def"
#undef NOTIFIER

const struct notifier *const notifier_kinds[] = {
#define NOTIFIER(name) &notifier_##name,
#include "respond/notify/notifiers.def"
#undef NOTIFIER
    NULL,
};

const struct notifier *notifier_find(struct slice name)
{
    for (size_t i = 0; notifier_kinds[i]; i++)
        if (slice_is(name, notifier_kinds[i]->name))
            return notifier_kinds[i];
    return NULL;
}

bool notifier_takes_news(const struct respond_notifier *row)
{
    const struct notifier *kind = notifier_find(row->kind);
    return kind && (!kind->takes_news || kind->takes_news(row));
}
