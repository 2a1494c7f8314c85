#include "know/know_read.h"

#include "base/duration.h"
#include "base/limits.h"

/* What a panel may show, and whether a search is behind it. */
static const struct panel_kind {
    const char *name;
    bool searches;
} panel_kinds[] = {
    {"line", true},   {"area", true}, {"bar", true},  {"column", true},  {"single", true}, {"table", true},   {"heat", true},
    {"pie", true},    {"map", true},  {"flow", true}, {"events", true},  {"text", false},  {"incidents", false}, {"money", false},
};

static int read_both(const struct yaml_node *node, const char *what, struct know_both *out, struct err *err)
{
    *out = (struct know_both){SLICE_NONE, SLICE_NONE};
    if (yaml_is_null(node))
        return 0;
    if (node->kind == YAML_SCALAR) {
        *out = (struct know_both){node->text, node->text};
        return 0;
    }
    static const char *const keys[] = {"en", "ja", NULL};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "%s is a text, or {en: ..., ja: ...}", what);
    if (know_check_keys(node, keys, err) < 0 || know_read_text(node, "en", true, &out->en, err) < 0 ||
        know_read_text(node, "ja", true, &out->ja, err) < 0)
        return -1;
    return 0;
}

static int read_range(const struct yaml_node *node, struct know_range *out, struct err *err)
{
    static const char *const keys[] = {"from", "to", NULL};
    *out = (struct know_range){SLICE_NONE, SLICE_NONE};
    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "range is {from: -24h, to: now}");
    if (know_check_keys(node, keys, err) < 0 || know_read_text(node, "from", true, &out->from, err) < 0)
        return -1;
    return know_read_text(node, "to", true, &out->to, err);
}

static int read_cells(const struct yaml_node *node, const char *key, int64_t least, int64_t most, uint16_t *out, struct err *err)
{
    int64_t number;
    const struct yaml_node *cell = yaml_get(node, key);
    if (yaml_is_null(cell) || !yaml_to_i64(cell, &number) || number < least || number > most)
        return yaml_err(err, cell ? cell : node, "%s is a whole number from %lld to %lld, in cells of a grid of %d columns", key,
                        (long long)least, (long long)most, DASHBOARD_COLUMNS);
    *out = (uint16_t)number;
    return 0;
}

static const struct panel_kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(panel_kinds); i++)
        if (slice_is(name, panel_kinds[i].name))
            return &panel_kinds[i];
    return NULL;
}

/* What it shows: a search, a saved one's name, or a text. */
static int read_content(const struct yaml_node *node, struct know_panel *panel, struct err *err)
{
    const struct panel_kind *kind = find_kind(panel->kind);
    if (!kind)
        return yaml_err(err, node, "'%.*s' is no kind of panel: line, area, bar, column, single, table, heat, pie, map, flow, events, text, "
                                   "incidents, money", SLICE_ARG(panel->kind));
    if (know_read_text(node, "search", false, &panel->search, err) < 0 || know_read_text(node, "saved", false, &panel->saved, err) < 0 ||
        read_both(yaml_get(node, "text"), "text", &panel->text, err) < 0)
        return -1;
    if (kind->searches && (panel->search.len > 0) == (panel->saved.len > 0))
        return yaml_err(err, node, "a panel of kind %s needs search, or saved with the name of a saved search", kind->name);
    if (!kind->searches && (panel->search.len || panel->saved.len))
        return yaml_err(err, node, "a panel of kind %s has no search", kind->name);
    return 0;
}

static int read_panel(const struct yaml_node *node, struct know_panel *panel, struct err *err)
{
    static const char *const keys[] = {"id", "title", "kind", "search", "saved", "text", "x", "y", "w", "h", "range", "unit", "stacked", "drill", NULL};
    *panel = (struct know_panel){.w = 0};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a panel is {id, title, kind, search, x, y, w, h}");
    if (know_check_keys(node, keys, err) < 0 || know_read_text(node, "id", true, &panel->id, err) < 0 ||
        know_read_text(node, "kind", true, &panel->kind, err) < 0 || read_both(yaml_get(node, "title"), "title", &panel->title, err) < 0 ||
        read_content(node, panel, err) < 0 || read_range(yaml_get(node, "range"), &panel->range, err) < 0 ||
        know_read_text(node, "unit", false, &panel->unit, err) < 0 || know_read_bool(node, "stacked", &panel->stacked, err) < 0 ||
        know_read_text(node, "drill", false, &panel->drill, err) < 0 ||
        read_cells(node, "x", 0, DASHBOARD_COLUMNS - 1, &panel->x, err) < 0 || read_cells(node, "y", 0, DASHBOARD_ROWS_MAX - 1, &panel->y, err) < 0 ||
        read_cells(node, "w", 1, DASHBOARD_COLUMNS, &panel->w, err) < 0 || read_cells(node, "h", 1, DASHBOARD_ROWS_MAX, &panel->h, err) < 0)
        return -1;
    return panel->x + panel->w > DASHBOARD_COLUMNS ? yaml_err(err, node, "x and w together are more than %d columns", DASHBOARD_COLUMNS) : 0;
}

static int read_variable(const struct yaml_node *node, struct know_variable *variable, struct err *err)
{
    static const char *const keys[] = {"name", "title", "field", "default", NULL};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a variable is {name, title, field, default}");
    if (know_check_keys(node, keys, err) < 0 || know_read_text(node, "name", true, &variable->name, err) < 0 ||
        read_both(yaml_get(node, "title"), "title", &variable->title, err) < 0 ||
        know_read_text(node, "field", true, &variable->field, err) < 0 || know_read_text(node, "default", false, &variable->fallback, err) < 0)
        return -1;
    for (size_t i = 0; i < variable->name.len; i++) {
        char c = variable->name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && c != '_' && !(c >= '0' && c <= '9'))
            return yaml_err(err, node, "a variable's name has small letters, digits and _ only");
    }
    return 0;
}

static int read_annotation(const struct yaml_node *node, struct know_annotation *annotation, struct err *err)
{
    static const char *const keys[] = {"title", "search", NULL};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "an annotation is {title, search}");
    if (know_check_keys(node, keys, err) < 0 || read_both(yaml_get(node, "title"), "title", &annotation->title, err) < 0)
        return -1;
    return know_read_text(node, "search", true, &annotation->search, err);
}

/* A list of at most `most`; NULL with a count of 0 where there is none. */
static int read_list(const struct yaml_node *d, const char *key, size_t most, size_t size, struct arena *arena,
                     int (*read)(const struct yaml_node *, void *, struct err *), void **out, size_t *count, struct err *err)
{
    const struct yaml_node *list = yaml_get(d, key);
    *out = NULL;
    *count = 0;
    if (yaml_is_null(list))
        return 0;
    if (list->kind != YAML_SEQUENCE || list->count > most)
        return yaml_err(err, list, "%s is a list of at most %zu", key, most);
    if (!(*out = arena_array(arena, list->count + 1, size)))
        return err_nomem(err);
    memset(*out, 0, (list->count + 1) * size);
    for (; *count < list->count; ++*count)
        if (read(list->entries[*count].value, (char *)*out + *count * size, err) < 0)
            return -1;
    return 0;
}

static int read_one_panel(const struct yaml_node *node, void *out, struct err *err)
{
    return read_panel(node, out, err);
}

static int read_one_variable(const struct yaml_node *node, void *out, struct err *err)
{
    return read_variable(node, out, err);
}

static int read_one_annotation(const struct yaml_node *node, void *out, struct err *err)
{
    return read_annotation(node, out, err);
}

static int check_ids(const struct yaml_node *d, const struct know_dashboard *board, struct err *err)
{
    for (size_t i = 0; i < board->panel_count; i++)
        for (size_t k = 0; k < i; k++)
            if (slice_equal(board->panels[i].id, board->panels[k].id))
                return yaml_err(err, yaml_get(d, "panels"), "two panels have the id %.*s", SLICE_ARG(board->panels[i].id));
    return 0;
}

int know_read_dashboard(const struct yaml_node *d, struct arena *arena, struct know_object *out, struct err *err)
{
    static const char *const keys[] = {"dashboard", "title", "description", "about", "range", "refresh", "home", "variables", "annotations", "panels", NULL};
    struct know_dashboard *board = arena_calloc(arena, sizeof(*board));
    void *panels = NULL, *variables = NULL, *annotations = NULL;
    if (!board)
        return err_nomem(err);
    out->spec = board;
    if (know_check_keys(d, keys, err) < 0 || read_both(yaml_get(d, "title"), "title", &board->title, err) < 0 ||
        read_both(yaml_get(d, "about"), "about", &board->about, err) < 0 ||
        read_range(yaml_get(d, "range"), &board->range, err) < 0 || know_read_span(d, "refresh", &board->refresh_ns, err) < 0 ||
        know_read_texts(yaml_get(d, "home"), arena, &board->home, &board->home_count, err) < 0 ||
        read_list(d, "variables", DASHBOARD_VARIABLES_MAX, sizeof(struct know_variable), arena, read_one_variable, &variables, &board->variable_count, err) < 0 ||
        read_list(d, "annotations", DASHBOARD_ANNOTATIONS_MAX, sizeof(struct know_annotation), arena, read_one_annotation, &annotations,
                  &board->annotation_count, err) < 0 ||
        read_list(d, "panels", DASHBOARD_PANELS_MAX, sizeof(struct know_panel), arena, read_one_panel, &panels, &board->panel_count, err) < 0)
        return -1;
    board->panels = panels;
    board->variables = variables;
    board->annotations = annotations;
    if (board->refresh_ns && board->refresh_ns < DASHBOARD_REFRESH_MIN_S * NS_PER_SECOND)
        return yaml_err(err, yaml_get(d, "refresh"), "refresh is at least %ds", DASHBOARD_REFRESH_MIN_S);
    return check_ids(d, board, err);
}

struct slice know_dashboard_search(const struct know_dashboard *board, struct slice search, struct arena *arena)
{
    for (size_t i = 0; i < board->variable_count; i++) {
        struct slice mark = arena_printf(arena, "$%.*s$", SLICE_ARG(board->variables[i].name));
        for (ptrdiff_t at; mark.ptr && search.ptr && (at = slice_find(search, mark)) >= 0;)
            search = arena_printf(arena, "%.*s*%.*s", (int)at, search.ptr, SLICE_ARG(slice_from(search, (size_t)at + mark.len)));
    }
    return search;
}
