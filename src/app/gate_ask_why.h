#pragma once
/* app/gate_ask_why: `hinomi gate explain`: asks a running gate over its socket what it would answer, and why. */
#include "base/err.h"

/* Prints the explanation as JSON on standard output. request: a file, or "-". */
MUST_USE int gate_ask_why(const char *socket_path, const char *request, struct err *err);
