#include "search/help.h"

#include "expr/function.h"
#include "search/command.h"
#include "search/stat.h"

/* A name of any kind as help shows it. */
struct entry {
    const char *kind;
    const char *name, *alias;
    const char *syntax; /* NULL: not said */
    struct slice summary;
    const char *notes;
    const struct command *command; /* or NULL */
};

static struct entry command_entry(const struct command *command)
{
    return (struct entry){
        .kind = "command",
        .name = command->name,
        .alias = command->alias,
        .syntax = command->syntax,
        .summary = slice_text(command->summary),
        .notes = command->notes,
        .command = command,
    };
}

static struct entry stat_entry(const struct stat *stat)
{
    return (struct entry){
        .kind = "stats",
        .name = stat->name,
        .alias = stat->alias,
        .syntax = stat->syntax,
        .summary = slice_text(stat->summary),
        .notes = stat->notes,
    };
}

/* "round(x[, places]): half away from zero" is syntax and summary in one. */
static struct entry function_entry(const struct expr_function *function)
{
    struct slice text = slice_text(function->summary);
    ptrdiff_t close = slice_find(text, SLICE("): "));
    return (struct entry){
        .kind = "eval",
        .name = function->name,
        .syntax = function->summary,
        .summary = close < 0 ? SLICE("") : slice_from(text, (size_t)close + 3),
    };
}

/* One after the other, from number 0; false at the end. */
static bool entry_at(size_t index, struct entry *out)
{
    size_t commands = 0, stats = 0;
    while (command_at(commands))
        commands++;
    while (stat_at(stats))
        stats++;
    if (index < commands)
        *out = command_entry(command_at(index));
    else if (index < commands + stats)
        *out = stat_entry(stat_at(index - commands));
    else if (function_at(index - commands - stats))
        *out = function_entry(function_at(index - commands - stats));
    else
        return false;
    return true;
}

static struct slice entry_syntax(const struct entry *entry)
{
    struct slice text = slice_text(entry->syntax ? entry->syntax : entry->name);
    ptrdiff_t close = entry->command ? -1 : slice_find(text, SLICE("): "));
    return close < 0 ? text : slice_sub(text, 0, (size_t)close + 1);
}

static bool command_runs(const struct command *command)
{
    return command->make || command->push || command->expand;
}

static bool example_shows(const struct spl_example *example, const struct entry *entry)
{
    struct slice rest = slice_text(example->names), name;
    if (!slice_is(slice_text(example->kind), entry->kind))
        return false;
    while (slice_next_part(&rest, ',', &name))
        if (slice_is(slice_trim(name), entry->name))
            return true;
    return false;
}

/* The next example of the entry from *at on, or NULL. */
static const struct spl_example *next_example(const struct entry *entry, size_t *at)
{
    while (*at < spl_example_count)
        if (example_shows(&spl_examples[(*at)++], entry))
            return &spl_examples[*at - 1];
    return NULL;
}

/* ---- text ---- */

static const char *const kind_words[] = {
    [OPTION_TEXT] = "text", [OPTION_FIELD] = "field",   [OPTION_BOOL] = "t|f",
    [OPTION_I64] = "N",     [OPTION_NUMBER] = "number", [OPTION_TIME] = "time",
    [OPTION_SPAN] = "span",
};

static void put_option(const struct command_option *option, struct buffer *to)
{
    size_t start = to->len;
    buffer_printf(to, "  %s=", option->name);
    for (size_t i = 0; option->words && option->words[i]; i++)
        buffer_printf(to, "%s%s", i ? "|" : "", option->words[i]);
    if (!option->words)
        buffer_put_text(to, kind_words[option->kind]);
    size_t width = to->len - start;
    buffer_printf(to, "%*s  %s", width < 26 ? (int)(26 - width) : 0, "", option->summary);
    if (option->standard)
        buffer_printf(to, " (%s)", option->standard);
    buffer_put_char(to, '\n');
}

/* Each line behind so many blanks, the first behind what stands there. */
static void put_lines(const char *text, const char *first, const char *others, struct buffer *to)
{
    struct slice rest = slice_text(text), line;
    for (const char *before = first; slice_next_line(&rest, &line); before = others)
        buffer_printf(to, "%s%.*s\n", before, SLICE_ARG(line));
}

static void put_examples(const struct entry *entry, struct buffer *to)
{
    const struct spl_example *example;
    bool some = false;
    for (size_t at = 0; (example = next_example(entry, &at)); some = true) {
        buffer_printf(to, "\n%s  %s\n", some ? "" : "Examples\n\n", example->title);
        put_lines(example->given, "    given   ", "            ", to);
        put_lines(example->search, "    search  ", "            ", to);
        put_lines(example->expect, "    gives   ", "            ", to);
    }
}

static void put_entry(const struct entry *entry, struct buffer *to)
{
    const struct command *command = entry->command;
    buffer_printf(to, "%s (%s)%s%s: %.*s\n\n  %.*s\n", entry->name,
                  command               ? "command"
                  : *entry->kind == 's' ? "statistics function"
                                        : "eval function",
                  entry->alias ? ", also " : "", entry->alias ? entry->alias : "",
                  SLICE_ARG(entry->summary), SLICE_ARG(entry_syntax(entry)));
    if (command && !command_runs(command))
        buffer_put_text(to, "\nIt can be read but not run yet.\n");
    if (command && command->option_count)
        buffer_put_text(to, "\nOptions (what holds when they are not written)\n\n");
    for (size_t i = 0; command && i < command->option_count; i++)
        put_option(&command->options[i], to);
    if (entry->notes) {
        buffer_put_text(to, "\nNotes\n\n");
        put_lines(entry->notes, "  ", "  ", to);
    }
    put_examples(entry, to);
}

void help_list(struct buffer *to)
{
    struct entry entry;
    const char *kind = "command";
    size_t line = 0;
    buffer_put_text(to, "Commands of a search\n\n");
    for (size_t i = 0; entry_at(i, &entry); i++) {
        bool other = !slice_is(slice_text(kind), entry.kind);
        kind = entry.kind;
        if (entry.command) {
            buffer_printf(to, "  %-16s %.*s%s\n", entry.name, SLICE_ARG(entry.summary),
                          command_runs(entry.command) ? "" : " (cannot run yet)");
            continue;
        }
        if (other)
            buffer_printf(to, "%s\n%s\n\n", line ? "\n" : "",
                          *kind == 's' ? "Functions of stats, chart, timechart"
                                       : "Functions of eval and where");
        if (other || to->len - line > 84) {
            buffer_put_text(to, other ? " " : "\n ");
            line = to->len;
        }
        buffer_printf(to, " %s", entry.name);
    }
    buffer_put_text(to, "\n\nMore: hinomi help search NAME, such as timechart, dc, eval:round\n");
}

bool help_name(struct slice name, struct buffer *to, const char **nearest)
{
    struct slice kind = SLICE_NONE, word = name;
    struct entry entry;
    bool found = false;
    size_t best = SIZE_MAX;
    slice_cut(name, ':', &kind, &word);
    if (word.len == name.len)
        kind = SLICE_NONE;
    *nearest = NULL;
    for (size_t i = 0; entry_at(i, &entry); i++) {
        if (kind.ptr && !slice_is_nocase(kind, entry.kind))
            continue;
        if (slice_is_nocase(word, entry.name) ||
            (entry.alias && slice_is_nocase(word, entry.alias))) {
            buffer_put_text(to, found ? "\n" : "");
            put_entry(&entry, to);
            found = true;
        }
        size_t distance = slice_distance(word, slice_text(entry.name));
        if (distance < best) {
            best = distance;
            *nearest = entry.name;
        }
    }
    return found;
}

/* ---- JSON ---- */

/* SLICE_NONE: null */
static void put_json_text(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    if (text.ptr)
        json_text(json, text);
    else
        json_null(json);
}

static void put_list(struct json *json, const char *key, const char *lines)
{
    struct slice rest = slice_text(lines ? lines : ""), line;
    json_key(json, key);
    json_open(json, '[');
    while (slice_next_line(&rest, &line))
        json_text(json, line);
    json_close(json, ']');
}

static void put_json_option(struct json *json, const struct command_option *option)
{
    static const char *const kinds[] = {
        [OPTION_TEXT] = "text",   [OPTION_FIELD] = "field",   [OPTION_BOOL] = "bool",
        [OPTION_I64] = "integer", [OPTION_NUMBER] = "number", [OPTION_TIME] = "time",
        [OPTION_SPAN] = "span",
    };
    json_open(json, '{');
    json_put_text(json, "name", slice_text(option->name));
    json_put_text(json, "kind", slice_text(kinds[option->kind]));
    json_put_text(json, "summary", slice_text(option->summary));
    put_json_text(json, "default", option->standard ? slice_text(option->standard) : SLICE_NONE);
    json_key(json, "words");
    json_open(json, '[');
    for (size_t i = 0; option->words && option->words[i]; i++)
        json_text(json, slice_text(option->words[i]));
    json_close(json, ']');
    json_close(json, '}');
}

static void put_json_command(struct json *json, const struct command *command)
{
    json_put_bool(json, "runs", command_runs(command));
    json_put_bool(json, "generates", command->flags & COMMAND_GENERATES);
    json_put_bool(json, "transforms", command->flags & COMMAND_TRANSFORMS);
    json_key(json, "options");
    json_open(json, '[');
    for (size_t i = 0; i < command->option_count; i++)
        put_json_option(json, &command->options[i]);
    json_close(json, ']');
}

static void put_json_entry(struct json *json, const struct entry *entry)
{
    json_open(json, '{');
    json_put_text(json, "name", slice_text(entry->name));
    put_json_text(json, "alias", entry->alias ? slice_text(entry->alias) : SLICE_NONE);
    put_json_text(json, "syntax", entry->syntax ? entry_syntax(entry) : SLICE_NONE);
    json_put_text(json, "summary", entry->summary);
    put_list(json, "notes", entry->notes);
    if (entry->command)
        put_json_command(json, entry->command);
    json_key(json, "examples");
    json_open(json, '[');
    const struct spl_example *example;
    for (size_t at = 0; (example = next_example(entry, &at));) {
        json_open(json, '{');
        json_put_text(json, "title", slice_text(example->title));
        put_list(json, "given", example->given);
        json_put_text(json, "search", slice_text(example->search));
        put_list(json, "expect", example->expect);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

void help_json(struct json *json)
{
    static const struct {
        const char *kind, *key;
    } parts[] = {{"command", "commands"}, {"stats", "stats"}, {"eval", "functions"}};
    struct entry entry;
    json_open(json, '{');
    for (size_t part = 0; part < ARRAY_COUNT(parts); part++) {
        json_key(json, parts[part].key);
        json_open(json, '[');
        for (size_t i = 0; entry_at(i, &entry); i++)
            if (slice_is(slice_text(parts[part].kind), entry.kind))
                put_json_entry(json, &entry);
        json_close(json, ']');
    }
    json_close(json, '}');
}
