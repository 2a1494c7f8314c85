/* Dashboards: which there are, and one of them to be drawn. They are made and removed as all definitions are (api_knowledge.c). */
#include "serve/api.h"
#include "serve/knowing.h"

static void put_both(struct json *json, const char *key, const struct know_both *text)
{
    json_key(json, key);
    if (!text->en.ptr) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "en", text->en);
    json_put_text(json, "ja", text->ja);
    json_close(json, '}');
}

static void put_range(struct json *json, const struct know_range *range)
{
    json_key(json, "range");
    if (!range->from.ptr) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "from", range->from);
    json_put_text(json, "to", range->to);
    json_close(json, '}');
}

static void put_head(struct json *json, const struct know_object *object)
{
    const struct know_dashboard *board = object->spec;
    json_put_text(json, "name", object->name);
    put_both(json, "title", &board->title);
    put_both(json, "about", &board->about);
    json_put_text(json, "origin", slice_text(know_origin_name(object->origin)));
    json_put_text(json, "owner", object->owner);
    json_put_time_or_null(json, "updated", object->updated_ns);
    json_key(json, "home");
    json_open(json, '[');
    for (size_t i = 0; i < board->home_count; i++)
        json_text(json, board->home[i]);
    json_close(json, ']');
    json_put_i64(json, "panel_count", (int64_t)board->panel_count);
}

void api_dashboards(struct api *api)
{
    struct json *json = &api->json;
    struct knowledge *set = knowing_hold(api->parts->knowing);
    const struct know_object *object;
    json_open(json, '{');
    json_key(json, "dashboards");
    json_open(json, '[');
    for (size_t i = 0; (object = know_at(set, i)); i++) {
        object = know_visible(object, api->caller.user.name);
        if (!object || object->kind != KNOW_DASHBOARD)
            continue;
        json_open(json, '{');
        put_head(json, object);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
    know_release(set);
    api_reply(api, 200);
}

static void put_panel(struct json *json, const struct know_panel *panel)
{
    json_open(json, '{');
    json_put_text(json, "id", panel->id);
    json_put_text(json, "kind", panel->kind);
    put_both(json, "title", &panel->title);
    put_both(json, "text", &panel->text);
    json_put_text_or_null(json, "search", panel->search);
    json_put_text_or_null(json, "saved", panel->saved);
    json_put_text_or_null(json, "unit", panel->unit);
    json_put_text_or_null(json, "drill", panel->drill);
    put_range(json, &panel->range);
    json_put_bool(json, "stacked", panel->stacked);
    json_put_i64(json, "x", panel->x);
    json_put_i64(json, "y", panel->y);
    json_put_i64(json, "w", panel->w);
    json_put_i64(json, "h", panel->h);
    json_close(json, '}');
}

/* What a saved search asks, for panels that name one; theirs is null when there is none of that name any more. */
static void put_saved(struct api *api, const struct knowledge *set, const struct know_dashboard *board)
{
    struct json *json = &api->json;
    json_key(json, "saved");
    json_open(json, '{');
    for (size_t i = 0; i < board->panel_count; i++) {
        struct slice name = board->panels[i].saved;
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= slice_equal(board->panels[k].saved, name);
        if (!name.len || again)
            continue;
        const struct know_object *object = know_find(set, KNOW_SAVED_SEARCH, name, api->caller.user.name);
        const struct know_saved_search *saved = object ? object->spec : NULL;
        json_key_slice(json, name);
        saved ? json_text(json, saved->search) : json_null(json);
    }
    json_close(json, '}');
}

static void put_board(struct api *api, const struct knowledge *set, const struct know_object *object)
{
    struct json *json = &api->json;
    const struct know_dashboard *board = object->spec;
    json_open(json, '{');
    put_head(json, object);
    put_range(json, &board->range);
    json_put_i64(json, "refresh_s", board->refresh_ns / NS_PER_SECOND);
    json_key(json, "variables");
    json_open(json, '[');
    for (size_t i = 0; i < board->variable_count; i++) {
        const struct know_variable *variable = &board->variables[i];
        json_open(json, '{');
        json_put_text(json, "name", variable->name);
        put_both(json, "title", &variable->title);
        json_put_text(json, "field", variable->field);
        json_put_text(json, "default", variable->fallback.len ? variable->fallback : SLICE("*"));
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "annotations");
    json_open(json, '[');
    for (size_t i = 0; i < board->annotation_count; i++) {
        json_open(json, '{');
        put_both(json, "title", &board->annotations[i].title);
        json_put_text(json, "search", board->annotations[i].search);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "panels");
    json_open(json, '[');
    for (size_t i = 0; i < board->panel_count; i++)
        put_panel(json, &board->panels[i]);
    json_close(json, ']');
    put_saved(api, set, board);
    json_close(json, '}');
}

void api_dashboard(struct api *api)
{
    struct knowledge *set = knowing_hold(api->parts->knowing);
    const struct know_object *object = know_find(set, KNOW_DASHBOARD, api->param, api->caller.user.name);
    if (object)
        put_board(api, set, object);
    know_release(set);
    if (object)
        api_reply(api, 200);
    else
        api_error(api, 404, "not_found", "there is no dashboard of that name");
}
