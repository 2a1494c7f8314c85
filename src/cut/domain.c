#include "cut/domain.h"

#include "base/hash.h"
#include "event/ip.h"

#include <libpsl.h>

enum { NAME_MAX_BYTES = 253 }; /* RFC 1035, section 3.1 */

bool domain_cut(struct slice name, struct domain *out)
{
    char text[NAME_MAX_BYTES + 1];
    struct ip ip;
    *out = (struct domain){0};
    if (slice_ends(name, SLICE(".")))
        name.len--;
    if (name.len == 0 || name.len > NAME_MAX_BYTES || slice_find_char(name, '.') < 0 || ip_parse(name, &ip))
        return false;
    for (size_t i = 0; i < name.len; i++)
        text[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20 : name.ptr[i]);
    text[name.len] = '\0';
    const char *suffix = psl_unregistrable_domain(psl_builtin(), text);
    const char *registered = psl_registrable_domain(psl_builtin(), text);
    if (suffix)
        out->suffix = slice_from(name, (size_t)(suffix - text));
    if (!registered)
        return suffix != NULL;
    size_t start = (size_t)(registered - text);
    out->registered = slice_from(name, start);
    out->subdomain = slice_sub(name, 0, start ? start - 1 : 0);
    return true;
}

bool domain_cut_known(struct domain_memo *memo, struct slice name, struct domain *out)
{
    if (name.len == 0 || name.len > DOMAIN_MEMO_BYTES)
        return domain_cut(name, out);
    struct domain_known *known = &memo->list[hash_bytes(name) % DOMAIN_MEMO_NAMES];
    if (!known->len || !slice_equal_short(slice_of(known->name, known->len), name)) {
        if (!domain_cut(name, out))
            return false;
        struct slice last = out->suffix.len ? out->suffix : out->registered;
        memcpy(known->name, name.ptr, name.len);
        known->len = (uint8_t)name.len;
        known->end = (uint8_t)(last.ptr + last.len - name.ptr);
        known->suffix = (uint8_t)(known->end - out->suffix.len);
        known->registered = (uint8_t)(known->end - out->registered.len);
        return true;
    }
    *out = (struct domain){.suffix = slice_sub(name, known->suffix, (size_t)(known->end - known->suffix)),
                           .registered = slice_sub(name, known->registered, (size_t)(known->end - known->registered))};
    if (out->registered.len)
        out->subdomain = slice_sub(name, 0, known->registered ? known->registered - 1U : 0);
    return true;
}
