#include "respond/notify/notice.h"

#include "base/time.h"
#include "base/utf8.h"
#include "cut/json_tree.h"

static void put_both(struct json *json, const char *key, struct slice en, struct slice ja)
{
    if (!en.len && !ja.len)
        return;
    json_key(json, key);
    json_open(json, '{');
    json_put_text(json, "en", en);
    json_put_text(json, "ja", ja);
    json_close(json, '}');
}

static void put_some(struct json *json, const char *key, struct slice text)
{
    if (text.len)
        json_put_text(json, key, text);
}

static void put_entities(const struct notice *notice, struct json *json)
{
    json_key(json, "entities");
    json_open(json, '[');
    for (size_t i = 0; i < notice->entity_count && i < NOTICE_ENTITIES_MAX; i++) {
        json_open(json, '{');
        json_put_text(json, "type", notice->entities[i].type);
        json_put_text(json, "value", notice->entities[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_put_i64(json, "entity_count", (int64_t)notice->entity_total);
}

void notice_put(const struct notice *notice, struct json *json)
{
    json_open(json, '{');
    put_some(json, "incident", notice->incident);
    json_put_text(json, "event", notice->event);
    put_both(json, "title", notice->title_en, notice->title_ja);
    put_both(json, "text", notice->text_en, notice->text_ja);
    json_put_text(json, "severity", slice_text(severity_name(notice->severity)));
    put_entities(notice, json);
    put_some(json, "person", notice->person);
    put_some(json, "language", notice->language);
    put_some(json, "link", notice->link);
    put_some(json, "answer_link", notice->answer_link);
    put_some(json, "reply_token", notice->reply_token);
    json_put_time(json, "sent", notice->sent_ns);
    json_close(json, '}');
}

static struct slice text_at(const struct json_node *node, const char *key)
{
    return json_text_of(json_get(node, key), SLICE_NONE);
}

static int read_entities(const struct json_node *list, struct arena *arena, struct notice *out, struct err *err)
{
    size_t count = list ? list->count : 0;
    struct entity *entities = arena_array(arena, count + 1, sizeof(*entities));
    if (!entities)
        return err_nomem(err);
    for (const struct json_node *node = list ? list->first : NULL; node; node = node->next)
        entities[out->entity_count++] = (struct entity){text_at(node, "type"), text_at(node, "value")};
    out->entities = entities;
    return 0;
}

int notice_read(struct slice text, struct arena *arena, struct notice *out, struct err *err)
{
    const struct json_node *node;
    bool zone;
    *out = (struct notice){0};
    if (json_tree_parse(text, arena, &node, err) < 0)
        return err_within(err, "a notice");
    out->event = text_at(node, "event");
    out->incident = text_at(node, "incident");
    out->title_en = text_at(json_get(node, "title"), "en");
    out->title_ja = text_at(json_get(node, "title"), "ja");
    out->text_en = text_at(json_get(node, "text"), "en");
    out->text_ja = text_at(json_get(node, "text"), "ja");
    out->severity = severity_parse(text_at(node, "severity"));
    out->person = text_at(node, "person");
    out->language = text_at(node, "language");
    out->link = text_at(node, "link");
    out->answer_link = text_at(node, "answer_link");
    out->reply_token = text_at(node, "reply_token");
    if (!time_parse_rfc3339(text_at(node, "sent"), &out->sent_ns, &zone))
        out->sent_ns = 0;
    out->entity_total = (size_t)json_i64_of(json_get(node, "entity_count"), 0);
    return read_entities(json_get(node, "entities"), arena, out, err);
}

/* ---- for people ---- */

static bool is_hidden(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           c == 0xad || c == 0x61c || c == 0x180e || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static bool is_control(uint32_t c)
{
    return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/* What would be a link, or a mark that a reply is found by, is broken open: looked at as it comes out, for hidden characters may
 * stand in the middle of it. */
static void put_character(struct slice character, struct buffer *to)
{
    if (slice_is(character, "/") && slice_ends(buffer_slice(to), SLICE(":/"))) {
        to->len -= 2;
        buffer_put_text(to, "[:]//");
    } else if (slice_is(character, ":") && slice_ends(buffer_slice(to), SLICE("[HIN"))) {
        buffer_put_text(to, "[:]");
    } else {
        buffer_put(to, character);
    }
}

static void put_plain(struct slice text, struct buffer *to)
{
    while (text.len) {
        uint32_t c = 0;
        size_t len = utf8_decode(text, &c);
        if (!len)
            buffer_put_text(to, "\xef\xbf\xbd");
        else if (is_control(c))
            buffer_put_char(to, ' ');
        else if (!is_hidden(c))
            put_character(slice_sub(text, 0, len), to);
        text = slice_from(text, len ? len : 1);
    }
}

struct slice notice_plain(struct slice text, struct arena *arena)
{
    struct buffer plain;
    buffer_init(&plain, NOTICE_BYTES_MAX * 4);
    put_plain(text, &plain);
    struct slice copy = buffer_failed(&plain) ? SLICE_NONE : arena_copy(arena, buffer_slice(&plain));
    buffer_close(&plain);
    return copy;
}

static bool wants(const struct notice *notice, const char *language)
{
    return !notice->language.len || slice_is(notice->language, language);
}

static const char *severity_ja(enum severity severity)
{
    static const char *const names[] = {"情報", "低", "中", "高", "重大"};
    return names[severity];
}

static const char *severity_en(enum severity severity)
{
    return severity == SEVERITY_NONE ? "info" : severity_name(severity);
}

const char *notice_word(const struct notice *notice, bool ja)
{
    static const struct {
        const char *event, *en, *ja;
    } words[] = {{"severity", "graver", "重大度上昇"}, {"closed", "closed", "終了"},       {"acknowledged", "acknowledged", "受領済み"},
                 {"drill", "drill", "訓練"},           {"test", "test", "試験"},           {"recovered", "recovered", "復旧"}};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (slice_is(notice->event, words[i].event))
            return ja ? words[i].ja : words[i].en;
    return "";
}

/* "[high] INC-7 (closed) ": what stands before a title. */
static void put_head(const struct notice *notice, bool ja, struct buffer *to)
{
    const char *word = notice_word(notice, ja);
    buffer_printf(to, "[%s] ", ja ? severity_ja(notice->severity) : severity_en(notice->severity));
    put_plain(notice->incident, to);
    buffer_put_text(to, notice->incident.len ? " " : "");
    if (word[0])
        buffer_printf(to, "(%s) ", word);
}

struct slice notice_line(const struct notice *notice, struct arena *arena)
{
    bool ja = wants(notice, "ja") && notice->title_ja.len, en = wants(notice, "en") || !ja;
    struct buffer line;
    buffer_init(&line, NOTICE_BYTES_MAX * 4);
    put_head(notice, !en, &line);
    if (ja)
        put_plain(notice->title_ja, &line);
    if (ja && en)
        buffer_put_text(&line, " / ");
    if (en)
        put_plain(notice->title_en, &line);
    struct slice copy = buffer_failed(&line) ? SLICE_NONE : arena_copy(arena, buffer_slice(&line));
    buffer_close(&line);
    return copy;
}

static void put_line(struct buffer *to, const char *label, struct slice text)
{
    if (text.len)
        buffer_printf(to, "%s%.*s\n", label, SLICE_ARG(text));
}

static void put_plain_line(struct buffer *to, struct slice text)
{
    put_plain(text, to);
    buffer_put_text(to, text.len ? "\n" : "");
}

static void put_language(const struct notice *notice, bool ja, struct buffer *to)
{
    put_plain_line(to, ja ? notice->title_ja : notice->title_en);
    put_plain_line(to, ja ? notice->text_ja : notice->text_en);
    for (size_t i = 0; i < notice->entity_count && i < NOTICE_ENTITIES_MAX; i++) {
        buffer_put_text(to, i ? ", " : ja ? "対象: " : "About: ");
        put_plain(notice->entities[i].type, to);
        buffer_put_char(to, ' ');
        put_plain(notice->entities[i].value, to);
    }
    if (notice->entity_total > notice->entity_count)
        buffer_printf(to, " (+%zu)", notice->entity_total - notice->entity_count);
    buffer_put_text(to, notice->entity_count ? "\n" : "");
    put_line(to, ja ? "受領する: " : "Acknowledge: ", notice->answer_link);
    put_line(to, ja ? "詳しく: " : "Details: ", notice->link);
    if (notice->reply_token.len)
        buffer_printf(to, "%s[HIN:%.*s]\n", ja ? "メールの場合は、次の印を残して返信すると受領になります: " : "By mail: answer and leave this mark in: ",
                      SLICE_ARG(notice->reply_token));
}

struct slice notice_body(const struct notice *notice, struct arena *arena)
{
    struct buffer text;
    bool ja = wants(notice, "ja"), en = wants(notice, "en") || !ja;
    buffer_init(&text, NOTICE_BYTES_MAX * 4);
    if (ja)
        put_language(notice, true, &text);
    buffer_put_text(&text, ja && en ? "\n" : "");
    if (en)
        put_language(notice, false, &text);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}
