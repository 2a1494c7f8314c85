/*
 * Answers by link: whoever has the token acknowledges, without signing in. Looking changes nothing, for mail programs and
 * chats look at links by themselves; a button does.
 *
 *   GET  application/json   what the token is about
 *   GET  text/html          the same as a page with one button, without a script
 *   POST application/json   acknowledges, and says how the incident stands
 *   POST a form             from the page (by=page): a page; else from a telephone gateway, which reads the answer out
 */
#include "serve/api.h"

#include "base/limits.h"

/* ---- a page that needs nothing but a browser ---- */

static void put_escaped(struct buffer *to, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
        if (entity)
            buffer_put_text(to, entity);
        else
            buffer_put_char(to, c);
    }
}

static void put_element(struct buffer *to, const char *name, struct slice text)
{
    if (!text.len)
        return;
    buffer_printf(to, "<%s>", name);
    put_escaped(to, text);
    buffer_printf(to, "</%s>\n", name);
}

static void reply_page(struct api *api, int status, const struct respond_answer_about *about, struct slice sentence)
{
    struct buffer *to = &api->body;
    buffer_clear(to);
    buffer_put_text(to, "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                        "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">"
                        "<title>Hinomi</title><link rel=\"stylesheet\" href=\"/app.css\"></head>"
                        "<body class=\"answer-page\">\n");
    put_element(to, "h1", about->incident);
    put_element(to, "p", about->title_ja);
    put_element(to, "p", about->title_en);
    put_element(to, "p", sentence);
    if (about->open)
        buffer_put_text(to, "<form method=\"post\" action=\"?by=page\"><button class=\"primary\">受領する / Acknowledge</button></form>\n");
    buffer_put_text(to, "</body></html>\n");
    if (buffer_failed(to))
        http_reply_error(api->request, 503, "out_of_memory", "memory is out");
    else
        http_reply(api->request, status, "text/html; charset=utf-8",
                   SLICE("Cache-Control: no-store\r\n"), buffer_slice(to));
}

static struct slice sentence_of(struct api *api, const struct respond_answer_about *about)
{
    if (about->open)
        return arena_printf(api->arena, "%.*s — %.*s: 受領すると、ほかの人への呼び出しは止まります。 / Acknowledging stops the "
                            "calls to others.", SLICE_ARG(about->person), SLICE_ARG(slice_text(severity_name(about->severity))));
    if (about->owner.len)
        return arena_printf(api->arena, "%.*s が対応しています。 / %.*s has it.", SLICE_ARG(about->owner), SLICE_ARG(about->owner));
    return SLICE("この呼び出しは終わっています。 / This call is over.");
}

/* ---- looking ---- */

static void put_about(struct json *json, const struct respond_answer_about *about)
{
    json_open(json, '{');
    json_put_text(json, "incident", about->incident);
    json_put_text(json, "person", about->person);
    json_put_text(json, "state", about->state);
    json_put_text_or_null(json, "owner", about->owner);
    json_put_text(json, "severity", slice_text(severity_name(about->severity)));
    json_put_text_or_null(json, "title_en", about->title_en);
    json_put_text_or_null(json, "title_ja", about->title_ja);
    json_put_bool(json, "open", about->open);
    json_close(json, '}');
}

static void reply_about(struct api *api, bool page)
{
    struct err err;
    struct respond_answer_about about = {0};
    int result = respond_answer_about(api->parts->respond, api->param, api->arena, &about, &err);
    if (page) {
        reply_page(api, result < 0 ? 404 : 200, &about, result < 0 ? slice_text(err.text) : sentence_of(api, &about));
    } else if (result < 0) {
        api_reply_err(api, &err);
    } else {
        put_about(&api->json, &about);
        api_reply(api, 200);
    }
}

void api_answer(struct api *api)
{
    reply_about(api, slice_find(http_header(api->request, "accept"), SLICE("text/html")) >= 0);
}

/* ---- answering ---- */

static void reply_voice(struct api *api, bool done)
{
    http_reply(api->request, 200, "application/xml", SLICE("Cache-Control: no-store\r\n"),
               done ? SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>Acknowledged. Thank you.</Say></Response>")
                    : SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>This was answered or closed already.</Say></Response>"));
}

void api_answer_post(struct api *api)
{
    struct err err;
    struct respond_answered answered;
    bool form = slice_starts(http_header(api->request, "content-type"), SLICE("application/x-www-form-urlencoded"));
    bool page = slice_is(http_param(api->request, "by"), "page"), voice = form && !page;
    int result = respond_answer(api->parts->respond, api->param, voice ? "voice" : "link", api->arena, &answered, &err);
    struct slice actor = answered.person.len ? answered.person : SLICE("somebody with a link");
    if (!api_record_claim(api, actor, "incident.acknowledge", answered.incident.len ? answered.incident : SLICE(""),
                          result < 0 ? &err : NULL))
        return;
    if (voice && (result == 0 || err.code == ERR_CONFLICT))
        reply_voice(api, result == 0);
    else if (page || result == 0)
        reply_about(api, page);
    else
        api_reply_err(api, &err);
}
