#include "know/know_read.h"

#include "base/limits.h"
#include "expr/parse.h"

/* ---- reading ---- */

static int read_cases(const struct yaml_node *node, struct arena *arena, struct know_field *field,
                      struct err *err)
{
    if (node->kind != YAML_MAPPING || node->count == 0)
        return yaml_err(err, node, "cases is a list of value: search");
    struct know_case *cases = arena_array(arena, node->count, sizeof(*cases));
    if (!cases)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *search = node->entries[i].value;
        cases[i] = (struct know_case){node->entries[i].key->text, yaml_text(search, SLICE(""))};
        if (search->kind != YAML_SCALAR || slice_find_char(cases[i].search, '|') >= 0)
            return yaml_err(err, search, "behind the value stands a search without commands");
    }
    field->kind = KNOW_CASES;
    field->cases = cases;
    field->case_count = node->count;
    return 0;
}

static int read_eval(const struct yaml_node *node, struct arena *arena, struct know_field *field,
                     struct err *err)
{
    const struct expr *expr;
    struct err why;
    field->kind = KNOW_EVAL;
    field->eval = yaml_text(node, SLICE(""));
    if (expr_parse(field->eval, arena, &expr, &why) < 0)
        return yaml_err(err, node, "%s", why.text);
    return 0;
}

static int read_field(const struct yaml_entry *entry, struct arena *arena,
                      struct know_field *field, struct err *err)
{
    static const char *const keys[] = {"eval", "cases", NULL};
    const struct yaml_node *node = entry->value;
    *field = (struct know_field){.name = entry->key->text, .kind = KNOW_FIELDS};
    if (!field->name.len || slice_find_char(field->name, '.') >= 0)
        return yaml_err(err, entry->key, "a model's field has a name without dots");
    if (node->kind != YAML_MAPPING)
        return know_read_texts(node, arena, &field->fields, &field->field_count, err);
    if (know_check_keys(node, keys, err) < 0)
        return -1;
    if (node->count != 1)
        return yaml_err(err, node, "a field is a name, a list of names, an eval or cases");
    return slice_is(node->entries[0].key->text, "eval")
               ? read_eval(node->entries[0].value, arena, field, err)
               : read_cases(node->entries[0].value, arena, field, err);
}

static int read_fields(const struct yaml_node *node, struct arena *arena, struct know_node *to,
                       struct err *err)
{
    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "fields is a list of name: field");
    struct know_field *fields = arena_array(arena, node->count + 1, sizeof(*fields));
    if (!fields)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        if (read_field(&node->entries[i], arena, &fields[i], err) < 0)
            return -1;
    to->fields = fields;
    to->field_count = node->count;
    return 0;
}

static int read_node(const struct yaml_entry *entry, struct arena *arena,
                     const struct know_model *model, struct know_node *out, struct err *err)
{
    static const char *const keys[] = {"parent", "constraint", "fields", NULL};
    const struct yaml_node *node = entry->value;
    *out = (struct know_node){.name = entry->key->text, .path = entry->key->text};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, entry->key, "a node has parent, constraint and fields");
    if (know_check_keys(node, keys, err) < 0)
        return -1;
    if (!out->name.len || slice_find_char(out->name, '.') >= 0)
        return yaml_err(err, entry->key, "a node has a name without dots");
    struct slice parent = yaml_text(yaml_get(node, "parent"), SLICE(""));
    out->constraint = yaml_text(yaml_get(node, "constraint"), SLICE(""));
    if (slice_find_char(out->constraint, '|') >= 0)
        return yaml_err(err, yaml_get(node, "constraint"), "a constraint is a search without commands");
    if (!parent.len)
        return out->constraint.len ? read_fields(yaml_get(node, "fields"), arena, out, err)
                                   : yaml_err(err, node, "the key constraint is missing");
    out->parent = know_model_node(model, parent);
    if (!out->parent)
        return yaml_err(err, yaml_get(node, "parent"), "before this node there is no node %.*s",
                        SLICE_ARG(parent));
    out->path = arena_printf(arena, "%.*s.%.*s", SLICE_ARG(out->parent->path), SLICE_ARG(out->name));
    return out->path.ptr ? read_fields(yaml_get(node, "fields"), arena, out, err) : err_nomem(err);
}

int know_read_model(const struct yaml_node *document, struct arena *arena, struct know_model *out,
                    struct err *err)
{
    static const char *const keys[] = {"data_model", "description", "nodes", NULL};
    const struct yaml_node *list = yaml_get(document, "nodes");
    if (know_check_keys(document, keys, err) < 0)
        return -1;
    if (!list || list->kind != YAML_MAPPING || list->count == 0)
        return yaml_err(err, document, "a data model has nodes: a list of name: node");
    struct know_node *nodes = arena_array(arena, list->count, sizeof(*nodes));
    if (!nodes)
        return err_nomem(err);
    out->nodes = nodes;
    for (size_t i = 0; i < list->count; i++) {
        if (read_node(&list->entries[i], arena, out, &nodes[i], err) < 0)
            return -1;
        out->node_count++;
    }
    return 0;
}

/* ---- asking ---- */

const struct know_node *know_model_node(const struct know_model *model, struct slice name)
{
    for (size_t i = 0; i < model->node_count; i++)
        if (slice_equal_nocase(model->nodes[i].path, name))
            return &model->nodes[i];
    for (size_t i = 0; i < model->node_count; i++)
        if (slice_equal_nocase(model->nodes[i].name, name))
            return &model->nodes[i];
    return NULL;
}

const struct know_field *know_node_field(const struct know_node *node, struct slice name,
                                         const struct know_node **owner)
{
    for (; node; node = node->parent)
        for (size_t i = 0; i < node->field_count; i++)
            if (slice_equal(node->fields[i].name, name)) {
                *owner = node;
                return &node->fields[i];
            }
    return NULL;
}

const struct know_field *know_model_field(const struct know_model *model, struct slice name,
                                          const struct know_node **node)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    if (dot < 2)
        return NULL;
    const struct know_node *from = know_model_node(model, slice_sub(name, 0, dot - 1));
    return from ? know_node_field(from, slice_from(name, dot), node) : NULL;
}
