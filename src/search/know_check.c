#include "search/know_check.h"

#include "base/limits.h"
#include "search/lexer.h"
#include "search/macro.h"
#include "search/parser.h"

struct checking {
    const struct know_object *object;
    const struct knowledge *set;
    struct arena *arena;
};

static int check_terms(const struct checking *c, struct slice text, const char *what, struct slice name,
                       struct err *err)
{
    struct macro_text expanded;
    struct spl_search found;
    if (!text.len)
        return 0;
    if (macro_expand(text, c->arena, c->set, c->object->owner, &expanded, err) < 0 ||
        spl_search_text(expanded.text, c->arena, &found, err) < 0)
        return err_within(err, "%s %.*s", what, SLICE_ARG(name));
    return found.places ? err_set(err, ERR_CONFIG, "%s %.*s: a subsearch cannot stand here", what,
                                  SLICE_ARG(name))
                        : 0;
}

static int check_model(const struct checking *c, const struct know_model *model, struct err *err)
{
    for (size_t i = 0; i < model->node_count; i++) {
        const struct know_node *node = &model->nodes[i];
        if (check_terms(c, node->constraint, "the constraint of", node->path, err) < 0)
            return -1;
        for (size_t f = 0; f < node->field_count; f++)
            for (size_t k = 0; k < node->fields[f].case_count; k++)
                if (check_terms(c, node->fields[f].cases[k].search, "a case of", node->fields[f].name,
                                err) < 0)
                    return -1;
    }
    return 0;
}

static int check_saved(const struct checking *c, const struct know_saved_search *saved, struct err *err)
{
    static const struct spl_options options = {.keep_macros = true}; /* their arguments may be $values$ */
    struct spl_query *query;
    if (saved->schedule && !saved->schedule->owner.len &&
        (c->object->origin == KNOW_SHIPPED || c->object->origin == KNOW_FOLDER))
        return err_set(err, ERR_CONFIG, "the schedule of %.*s needs owner: the name of the person whose rights "
                       "it runs with", SLICE_ARG(c->object->name));
    return spl_parse_with(saved->search, c->arena, &options, &query, err);
}

static int check_board_search(const struct checking *c, struct slice search, const char *what, struct slice name, struct err *err)
{
    static const struct spl_options options = {.keep_macros = true};
    struct spl_query *query;
    struct slice text = know_dashboard_search(c->object->spec, search, c->arena);
    if (!text.ptr)
        return err_nomem(err);
    return spl_parse_with(text, c->arena, &options, &query, err) < 0 ? err_within(err, "%s %.*s", what, SLICE_ARG(name)) : 0;
}

static int check_dashboard(const struct checking *c, const struct know_dashboard *board, struct err *err)
{
    for (size_t i = 0; i < board->panel_count; i++)
        if (board->panels[i].search.len && check_board_search(c, board->panels[i].search, "the panel", board->panels[i].id, err) < 0)
            return -1;
    for (size_t i = 0; i < board->annotation_count; i++)
        if (check_board_search(c, board->annotations[i].search, "the annotation", board->annotations[i].title.en, err) < 0)
            return -1;
    return 0;
}

static int check(const struct checking *c, struct err *err)
{
    const struct know_event_type *type = c->object->spec;
    switch (c->object->kind) {
    case KNOW_DATA_MODEL:
        return check_model(c, c->object->spec, err);
    case KNOW_EVENT_TYPE:
        return check_terms(c, type->search, "the search of", c->object->name, err);
    case KNOW_SAVED_SEARCH:
        return check_saved(c, c->object->spec, err);
    case KNOW_DASHBOARD:
        return check_dashboard(c, c->object->spec, err);
    case KNOW_MACRO:  /* what it stands for depends on where it stands */
    case KNOW_LOOKUP:
    case KNOW_TAG:
        break;
    }
    return 0;
}

int know_check_object(const struct know_object *object, const struct knowledge *set, struct err *err)
{
    struct checking c = {object, set, arena_new(64 * MIB)};
    int result = c.arena ? check(&c, err) : err_nomem(err);
    arena_free(c.arena);
    return result;
}
