#include "app/state_copy.h"

#include "app/cli.h"
#include "detect/detector.h"
#include "flow/checkpoint.h"
#include "table/state.h"

#include <unistd.h>

/* Before the first checkpoint nothing is remembered, and that is no error. */
static int read_newest(const char *memory, struct arena *arena, struct state_copy *out,
                       struct err *err)
{
    struct slice content;
    *out = (struct state_copy){0};
    if (access(memory, R_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "what rules remember is in %s, which cannot be read", memory);
    if (checkpoint_read(memory, arena, &out->position, &content, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    out->bytes = detector_snapshot_state(content);
    out->time_ns = detector_snapshot_time(content);
    return out->bytes.ptr ? 0
                          : err_set(err, ERR_CORRUPT, "a checkpoint in %s cannot be understood", memory);
}

int state_copy_init(struct search_states *to, const struct state_definitions *definitions,
                    struct arena *arena, struct err *err)
{
    *to = (struct search_states){.definitions = definitions, .read = read_newest};
    return definitions ? 0 : state_definitions_load(cli_content("state"), arena, &to->definitions, err);
}
