#include "collect/files/file_names.h"

enum { DATE_DIGITS_MIN = 6 };

struct slice path_folder(struct slice path)
{
    const char *slash = path.ptr ? memrchr(path.ptr, '/', path.len) : NULL;
    if (!slash)
        return SLICE(".");
    return slash == path.ptr ? SLICE("/") : slice_sub(path, 0, (size_t)(slash - path.ptr));
}

struct slice path_name(struct slice path)
{
    const char *slash = path.ptr ? memrchr(path.ptr, '/', path.len) : NULL;
    return slash ? slice_from(path, (size_t)(slash - path.ptr) + 1) : path;
}

bool has_wildcard(struct slice text)
{
    return slice_find_char(text, '*') >= 0 || slice_find_char(text, '?') >= 0 || slice_find_char(text, '[') >= 0;
}

/* ---- one part of a path ---- */

/* Bytes of the set that stands at the pattern's beginning, 0 when it is none (then '[' stands for itself). */
static size_t set_length(struct slice pattern)
{
    size_t at = pattern.len > 1 && (pattern.ptr[1] == '!' || pattern.ptr[1] == '^') ? 2 : 1;
    for (size_t i = at + 1; i < pattern.len; i++)
        if (pattern.ptr[i] == ']')
            return i + 1;
    return 0;
}

static bool set_has(struct slice set, char c)
{
    bool not = set.ptr[1] == '!' || set.ptr[1] == '^', found = false;
    for (size_t i = not ? 2 : 1; i + 1 < set.len; i++) {
        unsigned char from = (unsigned char)set.ptr[i], to = from;
        if (i + 3 < set.len && set.ptr[i + 1] == '-') {
            to = (unsigned char)set.ptr[i + 2];
            i += 2;
        }
        found |= (unsigned char)c >= from && (unsigned char)c <= to;
    }
    return found != not;
}

/* Bytes of the pattern that fit c; 0: none do. */
static size_t fits_one(struct slice pattern, char c)
{
    size_t set = pattern.len && pattern.ptr[0] == '[' ? set_length(pattern) : 0;
    if (!pattern.len)
        return 0;
    if (set)
        return set_has(slice_sub(pattern, 0, set), c) ? set : 0;
    return pattern.ptr[0] == '?' || pattern.ptr[0] == c;
}

/* With one place to come back to: the last star. */
static bool part_fits(struct slice text, struct slice pattern)
{
    size_t at = 0, in = 0, star = SIZE_MAX, back = 0;
    while (at < text.len) {
        size_t len = 0;
        if (in < pattern.len && pattern.ptr[in] == '*') {
            star = in++;
            back = at;
        } else if ((len = fits_one(slice_from(pattern, in), text.ptr[at])) > 0) {
            in += len;
            at++;
        } else if (star != SIZE_MAX) {
            in = star + 1;
            at = ++back;
        } else {
            return false;
        }
    }
    while (in < pattern.len && pattern.ptr[in] == '*')
        in++;
    return in == pattern.len;
}

/* ---- paths ---- */

/* As part_fits, with parts for bytes and "**" for stars. folder: what is left of the pattern does not matter, as
 * long as there is some. */
static bool parts_fit(struct slice path, struct slice pattern, bool folder)
{
    struct slice part, want, path_back = SLICE_NONE, pattern_back = SLICE_NONE;
    while (path.len) {
        struct slice path_before = path;
        bool more = pattern.len && slice_next_part(&pattern, '/', &want);
        if (more && slice_is(want, "**")) {
            if (folder || !pattern.ptr)
                return true;
            path_back = path = path_before;
            pattern_back = pattern;
            continue;
        }
        (void)slice_next_part(&path, '/', &part);
        if (more && part_fits(part, want))
            continue;
        if (!pattern_back.ptr)
            return false;
        pattern = pattern_back;
        path = path_back;
        (void)slice_next_part(&path, '/', &part);
        path_back = path;
    }
    while (!folder && slice_starts(pattern, SLICE("**/")))
        pattern = slice_from(pattern, 3);
    return folder ? pattern.len > 0 : pattern.len == 0;
}

bool path_fits(struct slice path, struct slice pattern)
{
    return parts_fit(path, pattern, false);
}

bool folder_fits(struct slice folder, struct slice pattern)
{
    return slice_is(folder, "/") || parts_fit(folder, pattern, true);
}

/* ---- rotation ---- */

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_';
}

/* A number, a date, or a word that says old or packed. */
static bool is_rotation_word(struct slice word)
{
    static const char *const words[] = {"gz", "zst", "bz2", "xz", "old", "bak", "copy"};
    bool digits = word.len > 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_is(word, words[i]))
            return true;
    for (size_t i = 0; i < word.len; i++)
        digits = digits && ((word.ptr[i] >= '0' && word.ptr[i] <= '9') || (i > 0 && (word.ptr[i] | 0x20) == 't') ||
                            (i > 0 && i + 1 == word.len && word.ptr[i] == 'Z'));
    return digits;
}

bool strip_rotation(struct slice *name)
{
    size_t at = name->len;
    while (at > 0 && !is_separator(name->ptr[at - 1]))
        at--;
    if (at < 2 || !is_rotation_word(slice_from(*name, at)))
        return false;
    name->len = at - 1;
    return true;
}

struct slice unpacked_name(struct slice name)
{
    static const char *const endings[] = {".gz", ".zst", ".bz2", ".xz"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (slice_ends(name, slice_text(endings[i])))
            return slice_sub(name, 0, name.len - strlen(endings[i]));
    return SLICE_NONE;
}

/* "app-20260301.log" of "app.log": a date before the ending. */
static bool is_dated_name(struct slice base, struct slice name)
{
    const char *dot = base.ptr ? memrchr(base.ptr, '.', base.len) : NULL;
    size_t stem = dot ? (size_t)(dot - base.ptr) : 0, ending = base.len - stem, digits = 0;
    struct slice unpacked = unpacked_name(name);
    name = unpacked.ptr ? unpacked : name;
    if (!stem || name.len <= base.len || !slice_starts(name, slice_sub(base, 0, stem)) ||
        !slice_ends(name, slice_from(base, stem)))
        return false;
    struct slice date = slice_sub(name, stem, name.len - stem - ending);
    for (size_t i = 0; i < date.len; i++) {
        bool digit = date.ptr[i] >= '0' && date.ptr[i] <= '9';
        if (!digit && !is_separator(date.ptr[i]))
            return false;
        digits += digit;
    }
    return is_separator(date.ptr[0]) && digits >= DATE_DIGITS_MIN;
}

bool is_rotated_name(struct slice base, struct slice name)
{
    struct slice rest = name;
    while (rest.len > base.len && strip_rotation(&rest))
        if (slice_equal(rest, base))
            return true;
    return is_dated_name(base, name);
}
