#include "gate/gate_duty.h"

#include "base/time.h"
#include "gate/gate_parts.h"

enum { RECORD_DUTY = 20 }; /* beside those of gate_book.c */

/* ---- as bytes ---- */

void duties_encode(const struct duties *duties, struct buffer *payload)
{
    for (size_t i = 0; i < duties->count; i++)
        gate_journal_put_named(payload, RECORD_DUTY, slice_text(duties->list[i].person), duties->list[i].since_ns);
}

/* The person's own place, a free one, or that of the one whose day began first. */
static struct duty *place_of(struct duties *duties, struct slice person)
{
    struct duty *oldest = &duties->list[0];
    for (size_t i = 0; i < duties->count; i++) {
        if (slice_equal_nocase(slice_text(duties->list[i].person), person))
            return &duties->list[i];
        if (duties->list[i].since_ns < oldest->since_ns)
            oldest = &duties->list[i];
    }
    return duties->count < DUTIES_MAX ? &duties->list[duties->count] : oldest;
}

static void put(struct duties *duties, struct slice person, int64_t since_ns)
{
    struct duty *place = place_of(duties, person);
    if (place == &duties->list[duties->count])
        duties->count++;
    memcpy(place->person, person.ptr, person.len);
    place->person[person.len] = '\0';
    place->since_ns = since_ns;
}

int duties_replay(struct duties *duties, struct slice record, struct err *err)
{
    int64_t since_ns;
    struct slice person;
    int taken = gate_journal_take_named(record, RECORD_DUTY, &person, &since_ns);
    if (taken < 0 || (taken > 0 && person.len > GATE_STOP_TEXT_MAX))
        return err_set(err, ERR_CORRUPT, "who changed the gate's policy cannot be read");
    if (taken > 0)
        put(duties, person, since_ns);
    return taken;
}

/* ---- changing and asking ---- */

int duty_begin(struct gate *gate, struct slice person, struct err *err)
{
    int64_t now_ns = gate_steady_ns(gate);
    const struct duty *place = place_of(&gate->duties, person);
    bool full = gate->duties.count == DUTIES_MAX && !slice_equal_nocase(slice_text(place->person), person);
    if (!person.len || person.len > GATE_STOP_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "who changes the policy needs a name");
    if (full && now_ns - place->since_ns < DUTY_NS)
        return err_set(err, ERR_LIMIT, "%d people changed the policy within a day; one of them must do it", DUTIES_MAX);
    if (gate->journal)
        gate_journal_put_named(&gate->payload, RECORD_DUTY, person, now_ns);
    put(&gate->duties, person, now_ns); /* stands even if the journal fails: it only forbids */
    return gate_commit(gate) == 0 ? 0 : err_set(err, ERR_IO, "the gate's journal cannot be written, so the policy stays as it is");
}

int duty_check(const struct gate *gate, struct slice person, struct err *err)
{
    int64_t now_ns = gate_steady_ns(gate);
    for (size_t i = 0; i < gate->duties.count; i++) {
        const struct duty *duty = &gate->duties.list[i];
        char until[TIME_TEXT_SIZE];
        if (!slice_equal_nocase(slice_text(duty->person), person) || now_ns - duty->since_ns >= DUTY_NS)
            continue;
        time_format(duty->since_ns + DUTY_NS, until);
        return err_set(err, ERR_DENIED, "%.*s changed the gate's policy and cannot approve under it until %.19sZ; others can",
                       SLICE_ARG(person), until);
    }
    return 0;
}
