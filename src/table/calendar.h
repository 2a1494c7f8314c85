#pragma once
/*
 * table/calendar: which days are holidays somewhere, by rules. Data in content/calendars/ (docs/rules.md):
 *
 *   calendar: japan
 *   zone: Asia/Tokyo
 *   holidays:
 *     - {name: 元日, date: 01-01}
 *     - {name: 成人の日, month: 1, monday: 2}          the second Monday of January
 *     - {name: 春分の日, equinox: spring}
 *   dates: [{name: 即位の日, date: 2019-05-01}]        of one year
 *   substitute: true    a holiday on a Sunday moves to the next day that is none
 *   between: true       a day between two holidays is one
 *   like: other         its holidays as well
 *
 * A holiday may begin later in the day: after: 12 (a half day).
 *
 * Rules may have from, to (years) and except (a list of years).
 *
 * Ownership  Lives in the arena; immutable. Threads: any number of readers.
 * Source     Act on National Holidays (Japan) for substitute and between; equinoxes by the usual linear formula, which
 *            agrees with the published days for 1980 to 2099.
 */
#include "base/zone.h"
#include "cut/yaml.h"

struct calendars;
struct calendar;

/* Every .yaml below a folder, which may be missing. */
MUST_USE int calendars_load(const char *folder, struct arena *arena, const struct calendars **out, struct err *err);
/* NULL when there is none of that name. */
const struct calendar *calendar_find(const struct calendars *calendars, struct slice name);

const struct zone *calendar_zone(const struct calendar *calendar);
/* The name of the holiday on a day there; none when it is none. Days since 1970 of the local date. */
struct slice calendar_holiday(const struct calendar *calendar, int64_t day);
/* The same of an hour, 0 to 23, of the day: half days are over then, too. */
struct slice calendar_off(const struct calendar *calendar, int64_t day, int hour);
