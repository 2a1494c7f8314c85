#pragma once
/* search/commands/label_rows: which rows an event type or a tag is about; typer and tags. */
#include "search/labels.h"

struct label {
    struct slice name;       /* of the event type, or the tagged value */
    struct slice field;      /* the tagged field; "eventtype" for an event type */
    const struct slice *tags;
    size_t tag_count;
    const struct expr *filter;
    int64_t priority;
};
struct label_list {
    struct label *labels;
    size_t count;
};

/* Event types, in order of priority and name, then, if wanted, tags of fields. */
MUST_USE int label_rows_list(struct run *run, bool tags, struct label_list *out, struct err *err);
/* Those of the frame's rows that the label is about: bits in the frame's arena. NULL with err. */
uint64_t *label_rows(struct run *run, struct frame *frame, const struct label *label,
                     struct err *err);
/* Adds value to the row unless it has it. The row is the column's last one, or behind it. */
MUST_USE int label_add(struct frame *frame, struct column *to, uint32_t row, struct slice value);
void label_want_all(const struct spl_command *command, struct wanted *wanted);
