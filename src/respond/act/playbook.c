#include "respond/act/playbook.h"

#include "base/file.h"
#include "base/limits.h"

const char *playbook_kind_name(enum playbook_kind kind)
{
    static const char *const names[] = {"action", "task", "approval"};
    return names[kind];
}

struct loading {
    struct arena *arena;
    struct playbook *list; /* room for PLAYBOOKS_MAX */
    size_t count, kept; /* of the folder before */
};

const struct playbook *playbook_find(const struct playbooks *books, struct slice name)
{
    for (size_t i = 0; i < books->count; i++)
        if (slice_equal(books->list[i].name, name))
            return &books->list[i];
    return NULL;
}

static int read_both(const struct yaml_node *node, struct slice *en, struct slice *ja, struct err *err)
{
    *en = yaml_text(yaml_get(node, "en"), SLICE_NONE);
    *ja = yaml_text(yaml_get(node, "ja"), SLICE_NONE);
    return en->len && ja->len ? 0 : yaml_err(err, node, "a text in both languages is needed: {en: ..., ja: ...}");
}

static int read_approval(const struct yaml_node *node, struct playbook_step *step, struct err *err)
{
    const struct yaml_node *people = yaml_get(node, "people"), *role = yaml_get(node, "role");
    step->people = 1;
    step->role = role ? role_parse(yaml_text(role, SLICE(""))) : ROLE_APPROVER;
    if ((people && !yaml_to_i64(people, &step->people)) || step->people < 1 || step->people > ACTION_APPROVALS_MAX)
        return yaml_err(err, node, "people is a number from 1 to %d", ACTION_APPROVALS_MAX);
    if (step->role == ROLE_NONE)
        return yaml_err(err, node, "role is one such as approver");
    return read_both(node, &step->en, &step->ja, err);
}

static int read_step(const struct yaml_node *node, struct playbook_step *step, struct err *err)
{
    const struct yaml_node *action = yaml_get(node, "action"), *task = yaml_get(node, "task"), *approval = yaml_get(node, "approval");
    *step = (struct playbook_step){.kind = PLAYBOOK_ACTION, .action = yaml_text(action, SLICE("")), .en = SLICE(""), .ja = SLICE("")};
    if (node->kind != YAML_MAPPING || node->count != 1 || (!action && !task && !approval))
        return yaml_err(err, node, "a step is one of action, task and approval");
    if (task) {
        step->kind = PLAYBOOK_TASK;
        return read_both(task, &step->en, &step->ja, err);
    }
    if (approval) {
        step->kind = PLAYBOOK_APPROVAL;
        return read_approval(approval, step, err);
    }
    return step->action.len ? 0 : yaml_err(err, node, "action is the name of one in the configuration");
}

static int read_steps(struct loading *loading, const struct yaml_node *node, struct playbook *to, struct err *err)
{
    if (!node || node->kind != YAML_SEQUENCE || !node->count || node->count > PLAYBOOK_STEPS_MAX)
        return yaml_err(err, node, "steps is a list of 1 to %d", PLAYBOOK_STEPS_MAX);
    struct playbook_step *steps = arena_array(loading->arena, node->count, sizeof(*steps));
    if (!steps)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        if (read_step(node->entries[i].value, &steps[i], err) < 0)
            return -1;
    to->steps = steps;
    to->count = node->count;
    return 0;
}

static int read_rules(struct loading *loading, const struct yaml_node *node, struct playbook *to, struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_SEQUENCE || node->count > PLAYBOOK_STEPS_MAX)
        return yaml_err(err, node, "rules is a list of at most %d ids of rules", PLAYBOOK_STEPS_MAX);
    struct slice *ids = arena_array(loading->arena, node->count + 1, sizeof(*ids));
    if (!ids)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        ids[i] = yaml_text(node->entries[i].value, SLICE(""));
        if (!ids[i].len)
            return yaml_err(err, node->entries[i].value, "the id of a rule is needed");
    }
    to->rules = ids;
    to->rule_count = node->count;
    return 0;
}

static int check_keys(const struct yaml_node *document, struct err *err)
{
    static const char *const known[] = {"playbook", "title", "rules", "steps"};
    for (size_t i = 0; document->kind == YAML_MAPPING && i < document->count; i++) {
        bool found = false;
        for (size_t k = 0; k < ARRAY_COUNT(known); k++)
            found |= slice_is(document->entries[i].key->text, known[k]);
        if (!found)
            return yaml_err(err, document->entries[i].key, "there is no '%.*s' in a playbook", SLICE_ARG(document->entries[i].key->text));
    }
    return 0;
}

static int add(void *context, const struct yaml_node *document, struct err *err)
{
    struct loading *loading = context;
    struct playbook one = {.name = yaml_text(yaml_get(document, "playbook"), SLICE(""))};
    if (!one.name.len || one.name.len > ACTION_NAME_MAX)
        return yaml_err(err, document, "playbook: a name of at most %d bytes is needed", ACTION_NAME_MAX);
    if (check_keys(document, err) < 0 || read_both(yaml_get(document, "title"), &one.title_en, &one.title_ja, err) < 0 ||
        read_rules(loading, yaml_get(document, "rules"), &one, err) < 0 || read_steps(loading, yaml_get(document, "steps"), &one, err) < 0)
        return -1;
    size_t at = 0;
    while (at < loading->count && !slice_equal(loading->list[at].name, one.name))
        at++;
    if (at < loading->count && at >= loading->kept)
        return yaml_err(err, document, "two playbooks are named %.*s", SLICE_ARG(one.name));
    if (at == PLAYBOOKS_MAX)
        return yaml_err(err, document, "there are more than %d playbooks", PLAYBOOKS_MAX);
    loading->list[at] = one;
    loading->count += at == loading->count;
    return 0;
}

int playbooks_load(const char *path, const char *more_path, struct arena *arena, struct playbooks *out, struct err *err)
{
    struct loading loading = {.arena = arena, .list = arena_array(arena, PLAYBOOKS_MAX + 1, sizeof(struct playbook))};
    *out = (struct playbooks){0};
    if (!loading.list)
        return err_nomem(err);
    if (yaml_walk(path, arena, add, &loading, err) < 0)
        return -1;
    loading.kept = loading.count;
    if (more_path && file_is_dir(more_path) && yaml_walk(more_path, arena, add, &loading, err) < 0)
        return -1;
    *out = (struct playbooks){loading.list, loading.count};
    return 0;
}
