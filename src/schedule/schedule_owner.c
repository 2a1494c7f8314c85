#include "schedule/schedule_owner.h"

struct slice schedule_owner(const struct know_object *object)
{
    const struct know_saved_search *saved = object->spec;
    return object->origin != KNOW_OWN && saved->schedule->owner.len ? saved->schedule->owner
                                                                    : object->owner;
}

static struct slice why_not(const struct user *user, bool found, struct slice owner, struct arena *arena)
{
    if (!owner.len)
        return SLICE("it has no owner: schedule needs owner: NAME in a file");
    if (!found)
        return arena_printf(arena, "the owner %.*s is nobody who may sign in: there is no person of that name",
                            SLICE_ARG(owner));
    if (user->disabled)
        return arena_printf(arena, "the owner %.*s is disabled", SLICE_ARG(owner));
    if (!role_allows(user->role, ROLE_ANALYST))
        return arena_printf(arena, "the owner %.*s has the role %s; a scheduled search takes analyst",
                            SLICE_ARG(owner), role_name(user->role));
    return SLICE("");
}

int schedule_owner_may(struct database *database, struct slice owner, struct arena *arena,
                       enum schedule_right *out, struct slice *reason, struct err *err)
{
    struct user user = {0};
    int result = owner.len ? users_find(database, owner, arena, &user, err) : 0;
    if (result < 0 && err->code != ERR_NOT_FOUND)
        return -1;
    *reason = why_not(&user, result == 0, owner, arena);
    *out = reason->len ? SCHEDULE_MAY_NOT : SCHEDULE_MAY;
    return reason->ptr ? 0 : err_nomem(err);
}
