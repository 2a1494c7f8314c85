#pragma once
/* search/sed: s/re/new/flags and y/abc/xyz/, for rex mode=sed. Several may stand in a row. */
#include "search/stage.h"

struct sed;

MUST_USE int sed_parse(struct slice text, struct arena *arena, struct sed **out, struct err *err);
/* *out is text itself when nothing changed. */
MUST_USE int sed_apply(const struct sed *sed, struct slice text, struct arena *arena,
                       struct slice *out, struct err *err);
