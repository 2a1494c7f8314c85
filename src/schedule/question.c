#include "schedule/question.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/time_modifier.h"
#include "cut/yaml.h"
#include "schedule/fill.h"
#include "search/parser.h"

struct loading {
    struct arena *arena;
    struct question *list; /* room for QUESTIONS_MAX */
    struct question_type *types; /* room for QUESTION_TYPES_MAX */
    size_t count, kept, type_count; /* kept: of the folder before */
};

const struct question *question_find(const struct questions *questions, struct slice name)
{
    for (size_t i = 0; i < questions->count; i++)
        if (slice_equal(questions->list[i].name, name))
            return &questions->list[i];
    return NULL;
}

const struct question_type *question_type_find(const struct questions *questions, struct slice name)
{
    for (size_t i = 0; i < questions->type_count; i++)
        if (slice_equal(questions->types[i].name, name))
            return &questions->types[i];
    return NULL;
}

/* ---- reading ---- */

static int check_keys(const struct yaml_node *document, const char *const *known, size_t count, struct err *err)
{
    if (document->kind != YAML_MAPPING)
        return yaml_err(err, document, "a question, or the fields of an entity, is a mapping");
    for (size_t i = 0; i < document->count; i++) {
        bool found = false;
        for (size_t k = 0; k < count; k++)
            found |= slice_is(document->entries[i].key->text, known[k]);
        if (!found)
            return yaml_err(err, document->entries[i].key, "there is no '%.*s' here", SLICE_ARG(document->entries[i].key->text));
    }
    return 0;
}

/* A list of texts, or one text. */
static int read_list(struct loading *loading, const struct yaml_node *node, const char *what, const struct slice **out,
                     size_t *count, struct err *err)
{
    size_t most = !node ? 0 : node->kind == YAML_SCALAR ? 1 : node->count;
    struct slice *list = arena_array(loading->arena, most + 1, sizeof(*list));
    *count = 0;
    if (!list)
        return err_nomem(err);
    if (!most || node->kind == YAML_MAPPING || most > QUESTION_LIST_MAX)
        return yaml_err(err, node, "%s is a list of 1 to %d", what, QUESTION_LIST_MAX);
    for (size_t i = 0; i < most; i++) {
        list[i] = yaml_text(node->kind == YAML_SCALAR ? node : node->entries[i].value, SLICE(""));
        if (!list[i].len)
            return yaml_err(err, node, "%s is a list of texts", what);
    }
    *out = list;
    *count = most;
    return 0;
}

static int check_text(const struct yaml_node *node, struct slice text, bool of_rows, struct err *err)
{
    struct fill_piece piece;
    struct err why;
    int more;
    while ((more = fill_next(&text, &piece, &why)) == 1) {
        bool list = piece.word_count && slice_is(piece.words[0], "list"), time = piece.word_count && slice_is(piece.words[0], "time");
        if (piece.word_count > 1 && !(list || (time && piece.word_count == 2)))
            return yaml_err(err, node, "'{%.*s %.*s}' is none of {field}, {time field}, {list field} and {list field count}",
                            SLICE_ARG(piece.words[0]), SLICE_ARG(piece.words[1]));
        if (piece.word_count && !of_rows && !slice_is(piece.words[0], "entity"))
            return yaml_err(err, node, "only {entity} is known here, not {%.*s}", SLICE_ARG(piece.words[0]));
    }
    return more < 0 ? yaml_err(err, node, "%s", why.text) : 0;
}

static int read_both(const struct yaml_node *document, const char *key, bool of_rows, struct both *out, struct err *err)
{
    const struct yaml_node *node = yaml_get(document, key);
    *out = (struct both){yaml_text(yaml_get(node, "en"), SLICE_NONE), yaml_text(yaml_get(node, "ja"), SLICE_NONE)};
    if (!out->en.len || !out->ja.len)
        return yaml_err(err, node ? node : document, "%s: a text in both languages is needed: {en: ..., ja: ...}", key);
    return check_text(node, out->en, of_rows, err) < 0 ? -1 : check_text(node, out->ja, of_rows, err);
}

static int try_about(const struct questions *all, const struct question *question, const struct question_type *type,
                     struct arena *arena, struct err *err)
{
    const struct slice list = SLICE("intel_test");
    const struct entity entity = {type ? type->name : SLICE(""), SLICE("\"] | delete \\ * [ `m` ```")};
    const struct evidence evidence = {.event_id = entity.value};
    const struct finding finding = {.rule_name = entity.value, .entities = &entity, .entity_count = 1, .evidence = &evidence,
                                    .evidence_count = 1};
    const struct question_subject subject = {all, &finding, type ? &entity : NULL, &list, 1};
    struct spl_query *query;
    struct slice text;
    return question_search(question, &subject, arena, &text, err) < 0 ? -1 : spl_parse_with(text, arena, &(struct spl_options){0}, &query, err);
}

/* For each kind of entity that it is for. */
static int try_question(const struct questions *all, const struct question *question, struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    int result = arena ? 0 : err_nomem(err);
    for (size_t i = 0; result == 0 && i < question->type_count; i++) {
        const struct question_type *type = question_type_find(all, question->types[i]);
        result = type ? try_about(all, question, type, arena, err)
                      : err_set(err, ERR_CONFIG, "no entity: %.*s says which fields hold one", SLICE_ARG(question->types[i]));
    }
    if (result == 0 && question->any)
        result = try_about(all, question, NULL, arena, err);
    arena_free(arena);
    return result;
}

/* The search as it will be filled in, so that a mistake is found before there is an incident. */
static int check_search(struct loading *loading, const struct yaml_node *document, struct question *question, struct err *err)
{
    const struct questions all = {.types = loading->types, .type_count = loading->type_count};
    struct slice rest = question->search;
    struct fill_piece piece;
    struct err why;
    while (fill_next(&rest, &piece, &why) == 1)
        question->uses_lists |= piece.word_count && slice_is(piece.words[0], "lists");
    if (question->uses_lists && !question->missing.en.len)
        return yaml_err(err, document, "missing: what is said when there is no list is needed with {lists}");
    return try_question(&all, question, &why) < 0
               ? yaml_err(err, document, "the question %.*s: %s", SLICE_ARG(question->name), why.text)
               : 0;
}

static int read_time(const struct yaml_node *document, const char *key, const char *usual, struct slice *out, struct err *err)
{
    const struct yaml_node *window = yaml_get(document, "window"), *node = yaml_get(window, key);
    struct err why;
    int64_t time_ns;
    *out = yaml_text(node, slice_text(usual));
    if (time_modifier_read(*out, 1700000000 * NS_PER_SECOND, NULL, &time_ns, &why) < 0)
        return yaml_err(err, node, "window: %s", why.text);
    return 0;
}

static int read_for(struct loading *loading, const struct yaml_node *document, struct question *to, struct err *err)
{
    const struct yaml_node *types = yaml_get(document, "for"), *rules = yaml_get(document, "rules");
    to->any = !types || slice_is(yaml_text(types, SLICE("")), "any");
    if (!to->any && read_list(loading, types, "for", &to->types, &to->type_count, err) < 0)
        return -1;
    return rules ? read_list(loading, rules, "rules", &to->rules, &to->rule_count, err) : 0;
}

static enum question_around around_of(struct slice text)
{
    return slice_is(text, "opened") ? AROUND_OPENED : slice_is(text, "evidence") ? AROUND_EVIDENCE : AROUND_EVENTS;
}

static int add_question(struct loading *loading, const struct yaml_node *document, struct err *err)
{
    static const char *const known[] = {"question", "ask", "for", "rules", "search", "window", "around", "answer", "none", "missing"};
    const struct yaml_node *around = yaml_get(document, "around");
    struct question one = {.name = yaml_text(yaml_get(document, "question"), SLICE("")),
                           .search = yaml_text(yaml_get(document, "search"), SLICE("")),
                           .around = around_of(yaml_text(around, SLICE("")))};
    if (check_keys(document, known, ARRAY_COUNT(known), err) < 0)
        return -1;
    if (!one.name.len || !one.search.len)
        return yaml_err(err, document, "question: a name, and search: what is asked, are needed");
    if (around && one.around == AROUND_EVENTS)
        return yaml_err(err, around, "around is opened or evidence, or left out");
    if (read_for(loading, document, &one, err) < 0 || read_both(document, "ask", false, &one.ask, err) < 0 ||
        read_both(document, "answer", true, &one.answer, err) < 0 || read_both(document, "none", false, &one.none, err) < 0 ||
        (yaml_get(document, "missing") && read_both(document, "missing", false, &one.missing, err) < 0) ||
        read_time(document, "from", "-30d", &one.from, err) < 0 || read_time(document, "to", "1h", &one.to, err) < 0 ||
        check_search(loading, document, &one, err) < 0)
        return -1;
    size_t at = 0;
    while (at < loading->count && !slice_equal(loading->list[at].name, one.name))
        at++;
    if (at < loading->count && at >= loading->kept)
        return yaml_err(err, document, "two questions are named %.*s", SLICE_ARG(one.name));
    if (at == QUESTIONS_MAX)
        return yaml_err(err, document, "there are more than %d questions", QUESTIONS_MAX);
    loading->list[at] = one;
    loading->count += at == loading->count;
    return 0;
}

static int add_type(struct loading *loading, const struct yaml_node *document, struct err *err)
{
    static const char *const known[] = {"entity", "fields"};
    struct question_type one = {.name = yaml_text(yaml_get(document, "entity"), SLICE(""))};
    size_t at = 0;
    if (check_keys(document, known, ARRAY_COUNT(known), err) < 0)
        return -1;
    if (!one.name.len)
        return yaml_err(err, document, "entity: a kind of entity is needed, such as user");
    while (at < loading->type_count && !slice_equal(loading->types[at].name, one.name))
        at++;
    if (at == QUESTION_TYPES_MAX)
        return yaml_err(err, document, "there are more than %d kinds of entities", QUESTION_TYPES_MAX);
    if (read_list(loading, yaml_get(document, "fields"), "fields", &one.fields, &one.field_count, err) < 0)
        return -1;
    loading->types[at] = one;
    loading->type_count += at == loading->type_count;
    return 0;
}

static int add_only_type(void *context, const struct yaml_node *document, struct err *err)
{
    return yaml_get(document, "entity") ? add_type(context, document, err) : 0;
}

static int add_only_question(void *context, const struct yaml_node *document, struct err *err)
{
    return yaml_get(document, "entity") ? 0 : add_question(context, document, err);
}

/* First the kinds of entities of both folders, which questions are tried with. */
int questions_load(const char *path, const char *more_path, struct arena *arena, struct questions *out, struct err *err)
{
    struct loading loading = {.arena = arena, .list = arena_array(arena, QUESTIONS_MAX + 1, sizeof(struct question)),
                              .types = arena_array(arena, QUESTION_TYPES_MAX + 1, sizeof(struct question_type))};
    bool more = more_path && file_is_dir(more_path);
    *out = (struct questions){0};
    if (!loading.list || !loading.types)
        return err_nomem(err);
    if (yaml_walk(path, arena, add_only_type, &loading, err) < 0 ||
        (more && yaml_walk(more_path, arena, add_only_type, &loading, err) < 0) ||
        yaml_walk(path, arena, add_only_question, &loading, err) < 0)
        return -1;
    loading.kept = loading.count;
    if (more && yaml_walk(more_path, arena, add_only_question, &loading, err) < 0)
        return -1;
    *out = (struct questions){loading.types, loading.list, loading.type_count, loading.count};
    return 0;
}

/* ---- choosing ---- */

static bool is_in(struct slice name, const struct slice *list, size_t count)
{
    for (size_t i = 0; name.len && i < count; i++)
        if (slice_equal(list[i], name))
            return true;
    return false;
}

static bool of_rule(const struct question *question, const struct finding *finding)
{
    return !question->rule_count || is_in(finding->catalogue, question->rules, question->rule_count) ||
           is_in(finding->rule_id, question->rules, question->rule_count);
}

struct picking {
    struct question_pick *out;
    size_t max, count, left;
};

static void pick(struct picking *picking, const struct question *question, const struct entity *entity)
{
    if (picking->count < picking->max)
        picking->out[picking->count++] = (struct question_pick){question, entity};
    else
        picking->left++;
}

size_t question_pick(const struct questions *questions, const struct finding *finding, struct question_pick *out, size_t max,
                     size_t *left)
{
    struct picking picking = {.out = out, .max = max};
    size_t asked = 0;
    for (size_t k = 0; k < finding->entity_count && asked < QUESTION_ENTITIES_MAX; k++) {
        size_t before = picking.count + picking.left;
        for (size_t i = 0; i < questions->count; i++) {
            const struct question *question = &questions->list[i];
            if (!question->any && of_rule(question, finding) &&
                is_in(finding->entities[k].type, question->types, question->type_count))
                pick(&picking, question, &finding->entities[k]);
        }
        asked += picking.count + picking.left > before;
    }
    for (size_t i = 0; i < questions->count; i++)
        if (questions->list[i].any && of_rule(&questions->list[i], finding))
            pick(&picking, &questions->list[i], NULL);
    *left = picking.left;
    return picking.count;
}
