#include "search/hold.h"

#include "search/spill.h"

static void release(void *arena)
{
    arena_free(arena);
}

int shelf_init(struct shelf *shelf, struct run *run)
{
    for (int i = 0; i < 2; i++) {
        shelf->arenas[i] = arena_new_within(&run->memory->budget);
        if (!shelf->arenas[i] || arena_defer(run->arena, release, shelf->arenas[i]) < 0)
            return -1;
    }
    row_store_init(&shelf->rows, shelf->arenas[0]);
    return 0;
}

uint32_t shelf_count(const struct shelf *shelf)
{
    return shelf->rows.batch ? shelf->rows.batch->row_count : 0;
}

int shelf_keep(struct shelf *shelf, const uint32_t *rows, uint32_t count)
{
    struct row_store kept;
    struct frame held = {.batch = shelf->rows.batch, .selected = NULL};
    struct arena *full = shelf->arenas[0];
    row_store_init(&kept, shelf->arenas[1]);
    for (uint32_t i = 0; i < count; i++)
        if (row_store_add_row(&kept, &held, rows[i]) < 0)
            return -1;
    arena_reset(full);
    shelf->arenas[0] = shelf->arenas[1];
    shelf->arenas[1] = full;
    shelf->rows = kept;
    return 0;
}

static int hold_push(struct stage *op, struct frame *frame, struct err *err)
{
    struct hold *hold = op->state;
    return row_store_add(&hold->rows, frame) < 0 ? run_nomem(op->run, err) : 0;
}

int stage_hold(struct run *run, struct stage *op, size_t state_size,
               int (*finish)(struct stage *op, struct err *err), struct err *err)
{
    struct hold *hold = arena_calloc(run->arena, state_size ? state_size : sizeof(*hold));
    op->state = hold;
    op->push = hold_push;
    op->finish = finish;
    if (!hold)
        return run_nomem(run, err);
    row_store_init(&hold->rows, run->arena);
    return 0;
}

int hold_make(struct run *run, const struct spl_command *command, struct stage *op,
              struct err *err)
{
    return stage_hold(run, op, 0, command->descriptor->finish, err);
}

bool hold_frame(struct stage *op, struct frame *frame, bool *failed, struct err *err)
{
    const struct hold *hold = op->state;
    *failed = false;
    if (!hold->rows.batch || hold->rows.batch->row_count == 0)
        return false;
    if (frame_share(frame, hold->rows.batch, NULL, op->run->arena) == 0)
        return true;
    run_nomem(op->run, err);
    *failed = true;
    return false;
}

int hold_emit(struct stage *op, const struct frame *frame, struct err *err)
{
    return stage_emit(op, frame->batch, NULL, frame->batch->row_count, err);
}
