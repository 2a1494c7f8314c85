#include "collect/remote/poll_page.h"

#include "base/limits.h"
#include "cut/json_scan.h"
#include "cut/xml_path.h"

/* ---- JSON ---- */

enum { NOWHERE = -1 };

/* The token at the path, from this one on; or NOWHERE. */
static int64_t find(const struct json_tokens *tokens, uint32_t at, const char *path)
{
    struct slice rest = slice_text(path);
    while (tokens->list[at].kind == JSON_OBJECT) {
        struct slice name, behind;
        uint32_t found = json_member(tokens, at, rest);
        if (found)
            return found;
        if (!slice_cut(rest, '.', &name, &behind) || !(found = json_member(tokens, at, name)))
            return NOWHERE;
        at = found;
        rest = behind;
    }
    return NOWHERE;
}

static int value_at(const struct json_tokens *tokens, uint32_t at, const char *path, struct arena *arena, struct slice *out,
                    struct err *err)
{
    int64_t found = path ? find(tokens, at, path) : NOWHERE;
    *out = SLICE_NONE;
    if (found == NOWHERE || tokens->list[found].kind == JSON_NULL)
        return 0;
    const struct json_token *token = &tokens->list[found];
    *out = json_token_text(token);
    if (token->text_escaped)
        *out = json_unescape(*out, arena);
    return out->ptr ? 0 : err_nomem(err);
}

/* A record that lacks a part has none. */
static int id_of(const struct poll_form *form, const struct json_tokens *tokens, uint32_t at, struct arena *arena, struct slice *out,
                 struct err *err)
{
    struct slice part;
    *out = SLICE_NONE;
    for (size_t i = 0; i < form->id_count; i++) {
        if (value_at(tokens, at, form->ids[i].ptr, arena, &part, err) < 0)
            return -1;
        if (!part.ptr) {
            *out = SLICE_NONE;
            return 0;
        }
        if (i == 0) {
            *out = part;
            continue;
        }
        char *both = arena_alloc(arena, out->len + 1 + part.len);
        if (!both)
            return err_nomem(err);
        memcpy(both, out->ptr, out->len);
        both[out->len] = '\n';
        memcpy(both + out->len + 1, part.ptr, part.len);
        *out = slice_of(both, out->len + 1 + part.len);
    }
    return 0;
}

static int take_item(const struct poll_form *form, const struct json_tokens *tokens, uint32_t at, struct arena *arena,
                     struct poll_item *to, struct err *err)
{
    const struct json_token *token = &tokens->list[at];
    to->raw = json_token_text(token);
    if (token->kind == JSON_STRING) /* as it stands: with its quotes */
        to->raw = slice_of(to->raw.ptr - 1, to->raw.len + 2);
    if (id_of(form, tokens, at, arena, &to->id, err) < 0)
        return -1;
    return value_at(tokens, at, form->entry, arena, &to->entry, err);
}

static int take_list(const struct poll_form *form, const struct json_tokens *tokens, uint32_t list, struct arena *arena,
                     struct poll_page *out, struct err *err)
{
    bool one = tokens->list[list].kind != JSON_ARRAY;
    uint32_t first = one ? list : list + 1, end = tokens->list[list].next;
    size_t count = 0;
    for (uint32_t at = first; at < end; at = tokens->list[at].next)
        count++;
    out->items = arena_array(arena, count + 1, sizeof(*out->items));
    if (!out->items)
        return err_nomem(err);
    for (uint32_t at = first; at < end; at = tokens->list[at].next)
        if (take_item(form, tokens, at, arena, &out->items[out->count++], err) < 0)
            return -1;
    return 0;
}

static int read_json(const struct poll_form *form, const struct json_tokens *tokens, struct arena *arena, struct poll_page *out,
                     struct err *err)
{
    int64_t list = form->records ? find(tokens, 0, form->records) : 0;
    bool lacks = list == NOWHERE || tokens->list[list].kind == JSON_NULL;
    if (lacks && !form->may_lack)
        return err_set(err, ERR_INPUT, "the answer has no '%s', where its records should be", form->records ? form->records : "list");
    if (!lacks && take_list(form, tokens, (uint32_t)list, arena, out, err) < 0)
        return -1;
    return value_at(tokens, 0, form->next, arena, &out->next, err);
}

static int read_json_text(const struct poll_form *form, struct slice body, struct arena *arena, struct poll_page *out,
                          struct err *err)
{
    struct json_tokens tokens;
    struct json_scanner *scanner = json_scanner_new();
    if (!scanner)
        return err_nomem(err);
    int result = json_scan(scanner, body, JSON_DEPTH_MAX, NULL, &tokens, err);
    if (result == 0)
        result = read_json(form, &tokens, arena, out, err);
    json_scanner_free(scanner);
    return result;
}

/* ---- lines ---- */

static int line_item(const struct poll_form *form, struct json_scanner *scanner, struct slice line, struct arena *arena,
                     struct poll_item *to, struct err *err)
{
    struct json_tokens tokens;
    *to = (struct poll_item){.raw = line};
    if ((!form->id_count && !form->entry) || json_scan(scanner, line, JSON_DEPTH_MAX, NULL, &tokens, NULL) < 0)
        return 0; /* kept as it is */
    return take_item(form, &tokens, 0, arena, to, err);
}

static int read_lines(const struct poll_form *form, struct slice body, struct arena *arena, struct poll_page *out, struct err *err)
{
    struct slice rest = body, line;
    size_t count = 0;
    int result = 0;
    while (slice_next_line(&rest, &line))
        count++;
    struct json_scanner *scanner = json_scanner_new();
    out->items = arena_array(arena, count + 1, sizeof(*out->items));
    if (!scanner || !out->items)
        result = err_nomem(err);
    for (rest = body; result == 0 && slice_next_line(&rest, &line);)
        if (line.len)
            result = line_item(form, scanner, line, arena, &out->items[out->count++], err);
    json_scanner_free(scanner);
    return result;
}

/* ---- lists of S3 ---- */

struct keys {
    struct arena *arena;
    struct poll_page *page;
    size_t size;
};

static int put_key(void *context, struct slice path, struct slice text)
{
    struct keys *keys = context;
    struct poll_page *page = keys->page;
    (void)path;
    if (page->count == keys->size) {
        size_t size = keys->size ? keys->size * 2 : 64;
        struct poll_item *more = arena_grow(keys->arena, page->items, keys->size * sizeof(*more), size * sizeof(*more));
        if (!more)
            return -1;
        page->items = more;
        keys->size = size;
    }
    page->items[page->count++] = (struct poll_item){text, text, text};
    return 0;
}

static int put_text(void *context, struct slice path, struct slice text)
{
    (void)path;
    *(struct slice *)context = text;
    return 0;
}

static int read_s3(struct slice body, struct arena *arena, struct poll_page *out, struct err *err)
{
    struct keys keys = {arena, out, 0};
    struct slice more = SLICE_NONE;
    if (xml_path_each(body, SLICE("ListBucketResult.Contents.Key"), arena, put_key, &keys) < 0 ||
        xml_path_each(body, SLICE("ListBucketResult.IsTruncated"), arena, put_text, &more) < 0 ||
        xml_path_each(body, SLICE("ListBucketResult.NextContinuationToken"), arena, put_text, &out->next) < 0)
        return err_nomem(err);
    if (!more.ptr)
        return err_set(err, ERR_INPUT, "the answer is no whole list of objects (ListBucketResult of ListObjectsV2)");
    if (!slice_is_nocase(more, "true"))
        out->next = SLICE_NONE;
    else if (!out->next.ptr)
        return err_set(err, ERR_INPUT, "the list of objects goes on, but says not where (NextContinuationToken)");
    return 0;
}

int poll_page_read(const struct poll_form *form, struct slice body, struct arena *arena, struct poll_page *out, struct err *err)
{
    *out = (struct poll_page){.next = SLICE_NONE};
    if (form->format == POLL_S3)
        return read_s3(body, arena, out, err);
    return form->format == POLL_LINES ? read_lines(form, body, arena, out, err) : read_json_text(form, body, arena, out, err);
}

/* ---- Link ---- */

static bool is_next(struct slice parameters)
{
    struct slice one, name, value;
    while (slice_next_part(&parameters, ';', &one)) {
        if (!slice_cut(one, '=', &name, &value) || !slice_is_nocase(slice_trim(name), "rel"))
            continue;
        value = slice_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = slice_sub(value, 1, value.len - 2);
        return slice_is_nocase(slice_trim(value), "next");
    }
    return false;
}

/* <target>; a=b; c="d", <target>...: the targets may hold commas, so links end where the next '<' begins. */
static struct slice next_of_links(struct slice links)
{
    for (;;) {
        ptrdiff_t from = slice_find_char(links, '<');
        ptrdiff_t to = from < 0 ? -1 : slice_find_char(slice_from(links, (size_t)from), '>');
        if (to < 0)
            return SLICE_NONE;
        struct slice target = slice_sub(links, (size_t)from + 1, (size_t)to - 1);
        links = slice_from(links, (size_t)(from + to) + 1);
        ptrdiff_t end = slice_find_char(links, '<');
        struct slice parameters = slice_trim(end < 0 ? links : slice_sub(links, 0, (size_t)end));
        if (parameters.len && parameters.ptr[parameters.len - 1] == ',')
            parameters.len--;
        if (is_next(parameters))
            return target;
    }
}

struct slice poll_link_next(struct slice headers)
{
    struct slice line, name, value, found = SLICE_NONE;
    while (!found.ptr && slice_next_line(&headers, &line))
        if (slice_cut(line, ':', &name, &value) && slice_is_nocase(slice_trim(name), "link"))
            found = next_of_links(value);
    return found;
}
