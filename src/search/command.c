#include "search/command.h"

#include "search/known.h"

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "search/commands.def"
#undef COMMAND
};

const struct command *command_at(size_t index)
{
    if (index < ARRAY_COUNT(commands))
        return commands[index];
    return known_command_at(index - ARRAY_COUNT(commands));
}

const struct command *command_find(struct slice name, const char **nearest)
{
    size_t best = SIZE_MAX;
    *nearest = NULL;
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)); i++) {
        if (slice_is_nocase(name, command->name) ||
            (command->alias && slice_is_nocase(name, command->alias)))
            return command;
        size_t distance = slice_distance(name, slice_text(command->name));
        if (distance < best) {
            best = distance;
            *nearest = command->name;
        }
    }
    return NULL;
}
