#include "flow/patient_store.h"

#include "base/time.h"

#include <stdio.h>
#include <time.h>

static void say(struct patient_store *patient, const char *text)
{
    if (patient->note)
        patient->note(patient->context, text);
}

static bool disk_refused(struct patient_store *patient, const struct err *err)
{
    bool refused = err->code == ERR_IO || err->code == ERR_LIMIT;
    char text[ERR_TEXT_SIZE + 128];
    if (refused && !patient->waiting) {
        snprintf(text, sizeof(text),
                 "the store cannot be written and is tried again until it can; "
                 "make room on its disk: %s",
                 err->text);
        say(patient, text);
        patient->waiting = true;
    }
    return refused;
}

static void went_well(struct patient_store *patient)
{
    if (patient->waiting)
        say(patient, "the store is written again");
    patient->waiting = false;
}

int patient_append(struct patient_store *patient, const struct batch *batch, struct err *err)
{
    const struct timespec pause = {.tv_nsec = PATIENCE_MS * NS_PER_MS};
    struct err why;
    while (store_append(patient->store, batch, &why) < 0) {
        if (!disk_refused(patient, &why)) {
            *err = why;
            return -1;
        }
        if (atomic_load(patient->stopping))
            return err_set(err, ERR_CLOSED, "stopped while the disk refused");
        nanosleep(&pause, NULL);
    }
    went_well(patient);
    return 0;
}

static int leave_it(struct patient_store *patient, int result, const struct err *why,
                    struct err *err)
{
    if (result == 0 || disk_refused(patient, why))
        return 0;
    *err = *why;
    return -1;
}

int patient_tick(struct patient_store *patient, struct err *err)
{
    struct err why;
    return leave_it(patient, store_tick(patient->store, &why), &why, err);
}

int patient_trim(struct patient_store *patient, uint64_t covered, struct err *err)
{
    struct err why;
    return leave_it(patient, journal_trim(patient->journal, covered, &why), &why, err);
}
