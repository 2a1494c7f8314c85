#pragma once
/* app/definitions: what the search language knows by name (know/know.h), gathered from where it lies. */
#include "know/know.h"

/* What is shipped and, unless dir is NULL, what lies in the data folder. */
MUST_USE int definitions_begin(const char *dir, struct know_builder **out, struct err *err);
