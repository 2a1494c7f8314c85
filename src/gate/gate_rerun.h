#pragma once
/*
 * gate/gate_rerun: makes an old decision again from its record: by the policy it was made with, from what that was given then. A
 * decision that comes out otherwise was not made by this program, or its record was altered.
 *
 * Threads  One at a time.
 */
#include "gate/gate_book.h"
#include "gate/gate_inputs.h"

struct gate_rerun;

/* dir: the gate's folder, where policies/DIGEST.yaml are kept. */
MUST_USE int gate_rerun_new(const char *dir, struct gate_rerun **out, struct err *err);
void gate_rerun_free(struct gate_rerun *rerun); /* NULL is fine */

/* 0: the same decision, row, reasons and approvals; *why is "". 1: *why says what differs; it lives until the next call.
 * -1: it cannot be made again (its policy is not there, the record cannot be read). */
/* visit: told of all that the policy was given; NULL: nobody. */
MUST_USE int gate_rerun_decision(struct gate_rerun *rerun, const struct book_decision *decision, gate_given_visit visit,
                                 void *context, const char **why, struct err *err);

/* Keeps the policy's file for later, before it is in force. */
MUST_USE int gate_policy_keep(const struct hin_io *io, const char *dir, const struct policy *policy, struct err *err);
