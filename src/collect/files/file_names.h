#pragma once
/*
 * collect/file_names: patterns of paths, and the names that rotated logs get.
 *
 *   /var/log/a*.log   '*' and '?' do not go over '/', [a-z] and [!a-z] neither
 *   a part '**'       any folders, none too
 *   /var/log          a folder stands for the files in it
 *
 * Rotated: app.log.1, app.log.2.gz, app.log-20260301, app.log.old, app-20260301.log; not app-1.log, which may well
 * be another program's.
 *
 * Threads  Any. Limits  Linear in path times pattern.
 */
#include "base/slice.h"

/* The whole path. */
bool path_fits(struct slice path, struct slice pattern);
/* Whether a folder may hold what the pattern means. */
bool folder_fits(struct slice folder, struct slice pattern);
bool has_wildcard(struct slice text);

struct slice path_folder(struct slice path); /* without the slash; "/" for what lies there, "." for a bare name */
struct slice path_name(struct slice path);

/* Whether `name` is what a file called `base` is called once it was rotated. Both without folders. */
bool is_rotated_name(struct slice base, struct slice name);
/* Shortens a name by one of the endings that rotation gives ("app.log.1.gz" -> "app.log.1" -> "app.log"). False when
 * it has none. */
bool strip_rotation(struct slice *name);
/* "app.log.1" of "app.log.1.gz"; SLICE_NONE: not the name of a packed file. */
struct slice unpacked_name(struct slice name);
