#include "app/approve_warn.h"

#include "app/approve_say.h"
#include "base/duration.h"
#include "base/time.h"

#include <stdio.h>

#define OLD_NS (30 * NS_PER_MINUTE)
enum { FAR_LARGER = 10 };

static const struct policy_asset *asset_of(const struct approve_warn *warn)
{
    return warn->policy ? policy_asset_find(warn->policy, warn->request->asset) : NULL;
}

void approve_warn_amounts(const struct approve_warn *warn)
{
    char amount[DECIMAL_TEXT_SIZE], units[BASE_UNITS_SIZE];
    const struct gate_request *request = warn->request;
    const struct policy_asset *asset = asset_of(warn);
    struct slice text = request->has_amount ? slice_of(amount, decimal_format(request->amount, amount)) : SLICE("-");
    approve_say("amount", text);
    if (asset && request->has_amount && payload_base_units(request->amount, asset->decimals, units)) {
        approve_say("in base units", slice_text(units));
        approve_say_groups("  in groups", slice_text(units), true);
    }
    approve_say("asset", request->asset);
    approve_say("to", request->destination);
    approve_say_groups("  in groups", request->destination, false);
}

int approve_warn_payload(const struct approve_warn *warn, struct arena *arena, struct err *err)
{
    struct payload_sight sight;
    if (!warn->request->payload.len)
        return 0;
    if (!payload_judge(warn->policy, warn->request, arena, &sight))
        return err_nomem(err);
    fprintf(stderr, "\nThe bytes that will be signed do this:\n\n");
    for (size_t i = 0; i < sight.effects.count; i++) {
        struct slice text = effect_text(&sight.effects.list[i], arena);
        if (!text.ptr)
            return err_nomem(err);
        if (sight.differs[i]) {
            approve_say_danger("effect", text);
            approve_say_danger("", slice_text(sight.differs[i]));
        } else {
            approve_say("effect", text);
        }
    }
    approve_say("fee at most", sight.effects.fee.len ? sight.effects.fee : SLICE("not known"));
    if (sight.matches)
        return 0;
    if (!warn->policy)
        return err_set(err, ERR_DENIED, "say --policy FILE, a policy of your own whose assets tell what %.*s is; nothing was signed",
                       SLICE_ARG(warn->request->asset));
    return err_set(err, ERR_DENIED, "what would be signed is not what was asked for; nothing was signed");
}

static void warn_address(const struct approve_warn *warn, const struct known_address *like)
{
    struct slice to = warn->request->destination;
    if (!to.len)
        return;
    if (known_has(warn->known, to)) {
        fprintf(stderr, "  You approved this destination before.\n");
        return;
    }
    approve_say_danger("destination", SLICE("never approved by you before"));
    if (like) {
        approve_say_danger("destination", SLICE("it looks like one that you approved before, and is another"));
        approve_say_pair("this", to, "approved", like->address);
    }
}

static void warn_amount(const struct approve_warn *warn)
{
    struct decimal largest, far;
    const struct gate_request *request = warn->request;
    if (!request->has_amount || !known_largest(warn->known, request->asset, &largest))
        return;
    bool larger = !decimal_multiply(largest, decimal_from_i64(FAR_LARGER), &far) ? decimal_compare(request->amount, largest) > 0
                                                                                : decimal_compare(request->amount, far) > 0;
    if (larger)
        approve_say_danger("amount", SLICE("more than ten times what you ever approved of this asset"));
}

bool approve_warn_person(const struct approve_warn *warn)
{
    struct slice to = warn->request->destination;
    const struct known_address *like = to.len && !known_has(warn->known, to) ? known_lookalike(warn->known, to) : NULL;
    fprintf(stderr, "\n");
    warn_address(warn, like);
    warn_amount(warn);
    if (warn->now_ns - warn->request->at_ns > OLD_NS)
        approve_say_danger("asked at", SLICE("more than 30 minutes ago"));
    return like != NULL;
}
