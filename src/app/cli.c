#include "app/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/zone.h"
#include "cut/encoding.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int cli_fail(const struct err *err)
{
    cli_flush();
    fprintf(stderr, "hinomi: %s\n", err->text);
    return EXIT_FAILED;
}

int cli_usage(const char *command, const char *format, ...)
{
    va_list args;
    cli_flush();
    fprintf(stderr, "hinomi %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry: hinomi help %s\n", command);
    return EXIT_USAGE;
}

static const struct cli_option *find_option(const struct cli_option *options, size_t count,
                                            struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, options[i].name))
            return &options[i];
    return NULL;
}

static const char *nearest_option(const struct cli_option *options, size_t count, struct slice name)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t distance = slice_distance(name, slice_text(options[i].name));
        if (distance < best_distance) {
            best_distance = distance;
            best = options[i].name;
        }
    }
    return best;
}

int cli_parse(const char *command, int argc, char **argv, const struct cli_option *options,
              size_t option_count, struct cli_words *words)
{
    int kept = 0;
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        struct slice word = slice_text(argv[i]), name = word, value = SLICE_NONE;
        if (only_words || word.len < 3 || !slice_starts(word, SLICE("--"))) {
            if (!only_words && slice_is(word, "--"))
                only_words = true;
            else
                argv[kept++] = argv[i];
            continue;
        }
        bool has_value = slice_cut(word, '=', &name, &value);
        const struct cli_option *option = find_option(options, option_count, name);
        if (!option)
            return cli_usage(command, "there is no option %.*s%s%s", SLICE_ARG(name),
                             option_count ? "; did you mean " : "",
                             option_count ? nearest_option(options, option_count, name) : "");
        if (option->flag) {
            *option->flag = true;
        } else if (has_value) {
            *option->value = value.ptr;
        } else if (i + 1 < argc) {
            *option->value = argv[++i];
        } else {
            return cli_usage(command, "%s needs a value", option->name);
        }
    }
    *words = (struct cli_words){argv, kept};
    return 0;
}

const char *cli_content(const char *name)
{
    static char path[PATH_MAX + 64];
    char program[PATH_MAX];
    const char *set = getenv("HINOMI_CONTENT");
    if (set && *set) {
        snprintf(path, sizeof(path), "%s/%s", set, name);
        return path;
    }
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, sizeof(path), "%.4000s/../content/%s", program, name); /* build/hinomi in the tree */
    if (access(path, R_OK) != 0)
        snprintf(path, sizeof(path), "%.4000s/../share/hinomi/%s", program, name);
    return path;
}

const char *cli_own_decoders(const char *dir)
{
    static char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%.4000s/content/decoders", dir);
    return access(path, R_OK) == 0 ? path : NULL;
}

int cli_load_decoders(const char *own, struct decoders **out, struct err *err)
{
    return decoders_load(cli_content("decoders"), own && *own ? own : NULL, out, err);
}

int cli_check_text(const char *command, const char *zone, const char *encoding)
{
    if (zone && *zone && !zone_find(slice_text(zone)))
        return cli_usage(command, "there is no time zone '%s'; name one such as Asia/Tokyo", zone);
    if (encoding && !encoding_is_known(slice_text(encoding)))
        return cli_usage(command, "there is no encoding '%s'; name one such as CP932 or EUC-JP",
                         encoding);
    return 0;
}

void cli_note_source(const struct decoders *decoders, const char *source)
{
    struct slice nearest;
    if (!source || !*source || decoders_know_source(decoders, slice_text(source), &nearest))
        return;
    fprintf(stderr,
            "hinomi: no decoder answers to --source %s (the nearest name is %.*s); the events are "
            "taken by what they look like\n",
            source, SLICE_ARG(nearest));
}

/* ---- output ---- */

static struct buffer output;
static bool output_open = true;

bool cli_flush(void)
{
    struct slice rest = buffer_slice(&output);
    while (rest.len && output_open) {
        ssize_t wrote = write(STDOUT_FILENO, rest.ptr, rest.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            output_open = false;
            if (errno != EPIPE)
                fprintf(stderr, "hinomi: cannot write the output: %s\n", strerror(errno));
            break;
        }
        rest = slice_from(rest, (size_t)wrote);
    }
    buffer_clear(&output);
    return output_open;
}

bool cli_write(struct slice bytes)
{
    enum { FLUSH_AT = 256 * 1024 };
    if (output.max == 0)
        buffer_init(&output, SIZE_MAX / 2);
    buffer_put(&output, bytes);
    return output.len < FLUSH_AT ? output_open : cli_flush();
}

void cli_progress(bool done, const char *format, ...)
{
    static int64_t last_ns;
    static bool shown;
    int64_t now = clock_mono_ns(clock_real());
    va_list args;
    if (!isatty(STDERR_FILENO) || (!done && now - last_ns < 200 * NS_PER_MS))
        return;
    last_ns = now;
    if (done && !shown)
        return;
    shown = !done;
    fputs("\r\033[K", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (done)
        fputc('\n', stderr);
    fflush(stderr);
}
