#pragma once
/*
 * respond/act/act_body: what is sent of a deed: a JSON template in which {entity.value} and the like stand for texts,
 * escaped as JSON texts are, so that no value can end its string.
 *
 * Names: entity.type entity.value incident severity action id key do reason by until
 */
#include "respond/act/action.h"

/* -1: a {name} that there is none, or braces that do not fit; ERR_CONFIG. */
MUST_USE int act_body_check(struct slice template, struct err *err);
/* The template filled in; an empty one: all of the names as an object. SLICE_NONE when memory is out. */
struct slice act_body_fill(struct slice template, const struct act_work *work);
