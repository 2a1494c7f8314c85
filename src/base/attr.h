#pragma once
/* base/attr: compiler words every file may use. */

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Before a large local that is written before it is read, on a path taken for every event: the build
 * zeroes locals otherwise. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define UNSET __attribute__((uninitialized))
#else
#define UNSET
#endif
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
