#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_clear(struct err *err)
{
    if (!err)
        return;
    err->code = ERR_NONE;
    err->start = err->end = -1;
    err->text[0] = '\0';
    err->suggestion[0] = '\0';
}

PRINTF_LIKE(3, 0)
static void set_text(struct err *err, enum err_code code, const char *format, va_list args)
{
    err_clear(err);
    err->code = code;
    vsnprintf(err->text, sizeof(err->text), format, args);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    set_text(err, code, format, args);
    va_end(args);
    return -1;
}

int err_set_at(struct err *err, enum err_code code, int start, int end, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    set_text(err, code, format, args);
    va_end(args);
    err->start = start;
    err->end = end;
    return -1;
}

int err_set_errno(struct err *err, int errno_value, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    set_text(err, errno_value == ENOMEM ? ERR_NOMEM : ERR_IO, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    char reason[128];
    const char *text = strerror_r(errno_value, reason, sizeof(reason));
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", text);
    return -1;
}

int err_within(struct err *err, const char *format, ...)
{
    if (!err)
        return -1;
    char inner[ERR_TEXT_SIZE];
    memcpy(inner, err->text, sizeof(inner));
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
    return -1;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}
