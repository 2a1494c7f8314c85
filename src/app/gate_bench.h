#pragma once
/*
 * app/gate_bench: how many decisions a second a gate makes over its socket, and how long each frame takes. What it asks is
 * decided for real: meant for a gate of its own (bench/gate.py).
 *
 * Threads  One for each connection, while it runs.
 */
#include "base/err.h"

struct gate_bench {
    const char *socket, *asset;
    long connections, batch, seconds;
    long rate; /* frames a second of all connections together; 0: as fast as they are answered */
};

/* Prints a table on standard output. -1: nobody answered, or something was refused. */
MUST_USE int gate_bench_run(const struct gate_bench *bench, struct err *err);
