#pragma once
/*
 * decode/line_rule: how the lines of a text make records, told by the decoder that its source names or that most
 * of its first lines are for, or by where stamps stand.
 */
#include "decode/registry.h"

/* source: sourcetype or dataset, or none. head: the beginning of the text. False when each line is an event.
 * *out borrows from the decoders. */
bool decoders_line_rule(const struct decoders *decoders, struct slice source, struct slice head,
                        struct line_join *out);
