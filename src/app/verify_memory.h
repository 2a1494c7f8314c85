#pragma once
/*
 * app/verify_memory: the part of `hinomi verify` that reads what rules and gate remember: the checkpoints and
 * the gate's journal. A line each, and one per damage.
 *
 * Threads  One. Reads only, also beside a running server.
 */
#include "app/report.h"

void verify_checkpoints(const char *dir, struct report *report);
void verify_gate(const char *dir, struct report *report);
