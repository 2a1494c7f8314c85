/* The table of verbs, and from YAML to steps. */
#include "decode/verb.h"

#include "base/limits.h"
#include "expr/parse.h"

static const struct verb_family *const families[] = {&verbs_cut,     &verbs_format, &verbs_field, &verbs_value,
                                                     &verbs_convert, &verbs_net,    &verbs_flow};

/* --- helpers of the compile functions --- */

void *verb_data(struct decoder_compiler *compiler, struct step *step, size_t size)
{
    void *data = arena_calloc(compiler->arena, size);
    step->data = data;
    if (!data)
        err_nomem(compiler->err);
    return data;
}

void verb_watch(struct decoder_compiler *compiler, struct step *step)
{
    step->watch = compiler->fields->watches++;
}

int verb_field(struct decoder_compiler *compiler, const struct yaml_node *node, struct slice name,
               uint32_t *out)
{
    if (!name.len)
        return yaml_err(compiler->err, node, "a field name is wanted");
    *out = fields_number(compiler->fields, name);
    return *out == UINT32_MAX ? yaml_err(compiler->err, node, "too many or too long field names") : 0;
}

int verb_option_field(struct decoder_compiler *compiler, const struct yaml_node *node, const char *key,
                      const char *fallback, uint32_t *out)
{
    struct slice name = yaml_text(yaml_get(node, key), slice_text(fallback));
    if (!name.ptr)
        return yaml_err(compiler->err, node, "'%s' is missing", key);
    return verb_field(compiler, node, name, out);
}

int verb_from(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    return verb_option_field(compiler, node, "from", "_text", &step->from);
}

int verb_under(struct decoder_compiler *compiler, const struct yaml_node *node, const char *fallback,
               struct slice *out)
{
    struct slice under = yaml_text(yaml_get(node, "under"), slice_text(fallback));
    *out = under.len ? arena_printf(compiler->arena, "%.*s.", SLICE_ARG(under)) : SLICE("");
    if (!out->ptr)
        return err_nomem(compiler->err);
    return out->len > FIELD_NAME_MAX / 2 ? yaml_err(compiler->err, node, "'under' is too long") : 0;
}

int verb_field_under(struct decoder_compiler *compiler, const struct yaml_node *node, struct slice prefix,
                     const char *name, uint32_t *out)
{
    struct slice whole = arena_printf(compiler->arena, "%.*s%s", SLICE_ARG(prefix), name);
    return whole.ptr ? verb_field(compiler, node, whole, out) : err_nomem(compiler->err);
}

struct slice verb_scalar_or(const struct yaml_node *node, const char *key)
{
    return yaml_text(node->kind == YAML_SCALAR ? node : yaml_get(node, key), SLICE_NONE);
}

struct map *verb_new_map(struct decoder_compiler *compiler)
{
    struct map *table = arena_alloc(compiler->arena, sizeof(*table));
    if (table)
        map_init(table, compiler->arena);
    else
        err_nomem(compiler->err);
    return table;
}

int verb_names(struct decoder_compiler *compiler, const struct yaml_node *node, const struct map **out)
{
    *out = NULL;
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'names' must be a mapping of keys to fields");
    struct map *names = verb_new_map(compiler);
    if (!names)
        return -1;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->entries[i].value;
        uint32_t field;
        if (verb_field(compiler, value, yaml_text(value, SLICE_NONE), &field) < 0)
            return -1;
        if (map_put(names, node->entries[i].key->text, (void *)(uintptr_t)(field + 1)) < 0)
            return err_nomem(compiler->err);
    }
    *out = names;
    return 0;
}

int verb_texts(struct decoder_compiler *compiler, const struct yaml_node *node, const struct slice **out,
               uint32_t *count)
{
    *count = 0;
    if (!node)
        return 0;
    if (node->kind == YAML_MAPPING)
        return yaml_err(compiler->err, node, "a text or a list of texts is wanted");
    size_t n = node->kind == YAML_SEQUENCE ? node->count : 1;
    struct slice *list = arena_array(compiler->arena, n + 1, sizeof(*list));
    if (!list)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->entries[i].value : node;
        if (item->kind != YAML_SCALAR)
            return yaml_err(compiler->err, item, "a text is wanted");
        list[i] = item->text;
    }
    *out = list;
    *count = (uint32_t)n;
    return 0;
}

int verb_put_keys(struct decoder_compiler *compiler, struct map *table, const struct yaml_node *key,
                  void *value)
{
    struct slice rest = key->text, part;
    while (slice_next_part(&rest, ',', &part)) {
        part = slice_trim(part);
        if (map_has(table, part))
            return yaml_err(compiler->err, key, "'%.*s' is there twice", SLICE_ARG(part));
        if (map_put(table, part, value) < 0)
            return err_nomem(compiler->err);
    }
    return 0;
}

int verb_regex(struct decoder_compiler *compiler, const struct yaml_node *node, struct slice pattern,
               struct regex **out)
{
    if (!pattern.ptr)
        return yaml_err(compiler->err, node, "'pattern' is missing");
    if (regex_new(pattern, 0, out, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    struct owned *owned = arena_calloc(compiler->arena, sizeof(*owned));
    if (!owned) {
        regex_free(*out);
        return err_nomem(compiler->err);
    }
    owned->regex = *out;
    owned->next = compiler->decoder->owned;
    compiler->decoder->owned = owned;
    return 0;
}

struct named_ref *verb_ref(struct decoder_compiler *compiler, struct slice name, int line)
{
    struct named_ref *ref = arena_calloc(compiler->arena, sizeof(*ref));
    if (!ref) {
        err_nomem(compiler->err);
        return NULL;
    }
    *ref = (struct named_ref){.name = name, .line = line, .next = compiler->decoder->refs};
    compiler->decoder->refs = ref;
    return ref;
}

int verb_compile_condition(struct decoder_compiler *compiler, const struct yaml_node *node,
                           const struct condition **out)
{
    const struct expr *expr;
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.len)
        return yaml_err(compiler->err, node, "a condition is wanted");
    struct condition *condition = arena_alloc(compiler->arena, sizeof(*condition));
    if (!condition)
        return err_nomem(compiler->err);
    *out = condition;
    if (expr_parse(text, compiler->arena, &expr, compiler->err) < 0 ||
        condition_compile(compiler, expr, condition) < 0)
        return err_within(compiler->err, "line %d", node->line);
    return 0;
}

/* --- constants and templates --- */

static struct value scalar_value(struct decoder_compiler *compiler, const struct yaml_node *node)
{
    int64_t n;
    bool b;
    struct decimal d;
    if (yaml_to_bool(node, &b))
        return value_bool(b);
    if (yaml_to_i64(node, &n))
        return value_i64(n);
    if (node->style == YAML_PLAIN && slice_find_char(node->text, '.') > 0 &&
        decimal_parse(node->text, &d))
        return value_decimal(d, compiler->arena);
    return value_string(node->text);
}

static int compile_template(struct decoder_compiler *compiler, const struct yaml_node *node,
                            struct constant *out)
{
    struct slice rest = node->text;
    struct template_part parts[TEMPLATE_PARTS_MAX];
    uint32_t count = 0;
    for (;;) {
        if (count == ARRAY_COUNT(parts))
            return yaml_err(compiler->err, node, "the text has too many ${}");
        ptrdiff_t start = slice_find(rest, SLICE("${"));
        struct template_part *part = &parts[count++];
        part->literal = slice_sub(rest, 0, start < 0 ? rest.len : (size_t)start);
        part->field = UINT32_MAX;
        if (start < 0)
            break;
        rest = slice_from(rest, (size_t)start + 2);
        ptrdiff_t end = slice_find_char(rest, '}');
        if (end <= 0)
            return yaml_err(compiler->err, node, "a ${ has no name or no }");
        if (verb_field(compiler, node, slice_sub(rest, 0, (size_t)end), &part->field) < 0)
            return -1;
        rest = slice_from(rest, (size_t)end + 1);
    }
    struct template_part *copy = arena_array(compiler->arena, count, sizeof(*copy));
    if (!copy)
        return err_nomem(compiler->err);
    memcpy(copy, parts, count * sizeof(*copy));
    out->parts = copy;
    out->part_count = count;
    return 0;
}

static void set_values(struct decoder_compiler *compiler, const struct value *values, uint32_t count,
                       struct constant *out)
{
    *out = (struct constant){.values = values, .count = count, .number = compiler->fields->constants};
    compiler->fields->constants += count;
}

int verb_constant(struct decoder_compiler *compiler, const struct yaml_node *node, struct constant *out)
{
    *out = (struct constant){0};
    if (node->kind == YAML_SCALAR && slice_find(node->text, SLICE("${")) >= 0)
        return compile_template(compiler, node, out);
    if (node->kind == YAML_MAPPING)
        return yaml_err(compiler->err, node, "a value or a list of values is wanted");
    size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    struct value *values = arena_array(compiler->arena, count + 1, sizeof(*values));
    if (!values)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->entries[i].value : node;
        if (item->kind != YAML_SCALAR)
            return yaml_err(compiler->err, item, "a plain value is wanted");
        values[i] = scalar_value(compiler, item);
        if (values[i].type == VALUE_NULL)
            return err_nomem(compiler->err);
    }
    set_values(compiler, values, (uint32_t)count, out);
    return 0;
}

int verb_constant_text(struct decoder_compiler *compiler, struct slice text, struct constant *out)
{
    struct value *value = arena_alloc(compiler->arena, sizeof(*value));
    if (!value)
        return err_nomem(compiler->err);
    *value = value_string(text);
    set_values(compiler, value, 1, out);
    return 0;
}

int verb_table(struct decoder_compiler *compiler, const struct yaml_node *node, const struct map **out)
{
    if (!node || node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "a mapping of keys to values is wanted");
    struct map *table = verb_new_map(compiler);
    if (!table)
        return -1;
    for (size_t i = 0; i < node->count; i++) {
        struct constant *constant = arena_alloc(compiler->arena, sizeof(*constant));
        if (!constant)
            return err_nomem(compiler->err);
        if (verb_constant(compiler, node->entries[i].value, constant) < 0 ||
            verb_put_keys(compiler, table, node->entries[i].key, constant) < 0)
            return -1;
    }
    *out = table;
    return 0;
}

/* --- steps --- */

/* Steps under way: pairs such as "rename: {a: b, c: d}" make several. */
struct list {
    struct step *steps;
    uint32_t count, size;
};

static struct step *add_step(struct decoder_compiler *compiler, struct list *list,
                             const struct step *like, int line)
{
    if (list->count == list->size) {
        uint32_t size = list->size ? list->size * 2 : 8;
        void *steps = arena_grow(compiler->arena, list->steps, list->count * sizeof(struct step),
                                 size * sizeof(struct step));
        if (!steps) {
            err_nomem(compiler->err);
            return NULL;
        }
        list->steps = steps;
        list->size = size;
    }
    struct step *step = &list->steps[list->count++];
    *step = *like;
    step->line = line;
    return step;
}

static int compile_pair(struct decoder_compiler *compiler, const struct yaml_node *key,
                        const struct yaml_node *value, const struct step *like, struct list *list)
{
    struct step *step = add_step(compiler, list, like, key->line);
    if (!step || verb_field(compiler, key, key->text, &step->from) < 0)
        return -1;
    return like->verb->compile ? like->verb->compile(compiler, value, step)
                               : verb_field(compiler, value, yaml_text(value, SLICE_NONE), &step->to);
}

static int compile_pairs(struct decoder_compiler *compiler, const struct yaml_node *node,
                         const struct step *like, struct list *list)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "pairs of field and value are wanted");
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key, *value = node->entries[i].value;
        bool several = value->kind == YAML_SEQUENCE && like->verb->form != VERB_WHOLE;
        for (size_t k = 0; k < (several ? value->count : 1); k++)
            if (compile_pair(compiler, key, several ? value->entries[k].value : value, like, list) < 0)
                return -1;
    }
    return 0;
}

static int compile_names(struct decoder_compiler *compiler, const struct yaml_node *node,
                         const struct step *like, struct list *list)
{
    size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *one = node->kind == YAML_SEQUENCE ? node->entries[i].value : node;
        struct step *step = add_step(compiler, list, like, one->line);
        if (!step || like->verb->compile(compiler, one, step) < 0)
            return -1;
    }
    return 0;
}

static const struct verb *find_verb(struct slice name)
{
    for (size_t f = 0; f < ARRAY_COUNT(families); f++)
        for (size_t i = 0; i < families[f]->count; i++)
            if (slice_is(name, families[f]->list[i].name))
                return &families[f]->list[i];
    return NULL;
}

static int unknown_verb(struct decoder_compiler *compiler, const struct yaml_node *key)
{
    struct err *err = compiler->err;
    size_t best = 3;
    yaml_err(err, key, "there is no step '%.*s'", SLICE_ARG(key->text));
    for (size_t f = 0; f < ARRAY_COUNT(families); f++)
        for (size_t i = 0; err && i < families[f]->count; i++) {
            struct slice candidate = slice_text(families[f]->list[i].name);
            size_t distance = slice_distance(candidate, key->text);
            if (distance < best && candidate.len < sizeof(err->suggestion)) {
                best = distance;
                memcpy(err->suggestion, candidate.ptr, candidate.len);
                err->suggestion[candidate.len] = '\0';
            }
        }
    return -1;
}

/* "*": any key. */
static bool is_option(const char *options, struct slice key)
{
    if (strcmp(options, "*") == 0)
        return true;
    struct slice rest = slice_text(options), word;
    while (rest.len && slice_next_part(&rest, ' ', &word))
        if (slice_equal(word, key))
            return true;
    return false;
}

/* The verb is the first key; "when" and "optional" may stand beside it. */
static int check_step(struct decoder_compiler *compiler, const struct yaml_node *node,
                      const struct verb *verb)
{
    for (size_t i = 1; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        bool common = slice_is(key->text, "when") || slice_is(key->text, "optional");
        if (!common && !(verb->form == VERB_BESIDE && is_option(verb->options, key->text)))
            return yaml_err(compiler->err, key, "the key '%.*s' is not known beside '%s'",
                            SLICE_ARG(key->text), verb->name);
    }
    const struct yaml_node *inside = node->entries[0].value;
    for (size_t i = 0; verb->form == VERB_OPTIONS && inside->kind == YAML_MAPPING && i < inside->count; i++)
        if (!is_option(verb->options, inside->entries[i].key->text))
            return yaml_err(compiler->err, inside->entries[i].key, "'%s' has no option '%.*s'", verb->name,
                            SLICE_ARG(inside->entries[i].key->text));
    return 0;
}

static struct step like_verb(const struct verb *verb)
{
    return (struct step){.run = verb->run, .verb = verb, .from = UINT32_MAX, .to = UINT32_MAX};
}

static int compile_step(struct decoder_compiler *compiler, const struct yaml_node *node,
                        struct list *list)
{
    if (node->kind != YAML_MAPPING || node->count == 0)
        return yaml_err(compiler->err, node, "a step must be a mapping that begins with its verb");
    const struct yaml_node *value = node->entries[0].value;
    const struct verb *verb = find_verb(node->entries[0].key->text);
    if (!verb)
        return unknown_verb(compiler, node->entries[0].key);
    struct step like = like_verb(verb);
    const struct yaml_node *when = yaml_get(node, "when"), *optional = yaml_get(node, "optional");
    if (check_step(compiler, node, verb) < 0 ||
        (when && verb_compile_condition(compiler, when, &like.when) < 0))
        return -1;
    if (optional && !yaml_to_bool(optional, &like.optional))
        return yaml_err(compiler->err, optional, "'optional' must be true or false");
    if (verb->form == VERB_PAIRS || verb->form == VERB_WHOLE)
        return compile_pairs(compiler, value, &like, list);
    if (verb->form == VERB_NAMES)
        return compile_names(compiler, value, &like, list);
    struct step *step = add_step(compiler, list, &like, node->line);
    if (!step)
        return -1;
    return verb->compile ? verb->compile(compiler, verb->form == VERB_BESIDE ? node : value, step) : 0;
}

/* A field without which there is no value; UINT32_MAX: none. */
static uint32_t made_of(const struct constant *constant)
{
    for (uint32_t i = 0; i < constant->part_count; i++)
        if (constant->parts[i].field != UINT32_MAX)
            return constant->parts[i].field;
    return UINT32_MAX;
}

static uint32_t needs_of(const struct step *step)
{
    switch (step->verb->needs) {
    case NEEDS_FROM:
    case NEEDS_NO_FROM:
        return step->from;
    case NEEDS_TO:
        return step->to;
    case NEEDS_FROM_IF_OPTIONAL:
        return step->optional ? step->from : UINT32_MAX;
    case NEEDS_CONSTANT:
        return made_of(step->data);
    case NEEDS_NOTHING:
        break;
    }
    return UINT32_MAX;
}

static bool is_column(const struct fields *fields, uint32_t number)
{
    return number != UINT32_MAX && fields->list[number].kind == FIELD_COLUMN;
}

static struct gate gate_of(const struct fields *fields, const struct step *step)
{
    const struct gate open = {GATE_OPEN, 0, UINT32_MAX};
    uint32_t number = needs_of(step);
    if (step->verb->needs == NEEDS_NO_FROM) {
        uint32_t part = made_of(step->data);
        return is_column(fields, number) ? (struct gate){GATE_DEFAULT, number, is_column(fields, part) ? part : UINT32_MAX} : open;
    }
    if (number == UINT32_MAX && step->when)
        number = condition_needs(step->when);
    if (is_column(fields, number))
        return (struct gate){GATE_COLUMN, number, UINT32_MAX};
    bool temp = number != UINT32_MAX && fields->list[number].kind == FIELD_TEMP;
    return temp ? (struct gate){GATE_TEMP, fields->list[number].slot, UINT32_MAX} : open;
}

static int make_gates(struct decoder_compiler *compiler, struct steps *steps)
{
    struct gate *gates = arena_array(compiler->arena, steps->count + 1U, sizeof(*gates));
    if (!gates)
        return err_nomem(compiler->err);
    for (uint32_t i = 0; i < steps->count; i++)
        gates[i] = gate_of(compiler->fields, &steps->list[i]);
    steps->gates = gates;
    return 0;
}

int verb_compile_steps(struct decoder_compiler *compiler, const struct yaml_node *node,
                       struct steps *out)
{
    struct list list = {0};
    *out = (struct steps){0};
    if (compiler->depth == STEPS_DEPTH_MAX)
        return yaml_err(compiler->err, node, "steps are nested deeper than %d", STEPS_DEPTH_MAX);
    compiler->depth++;
    if (node->kind == YAML_MAPPING) {
        struct step like = like_verb(find_verb(SLICE("set")));
        if (compile_pairs(compiler, node, &like, &list) < 0)
            return -1;
    } else if (node->kind == YAML_SCALAR) {
        return yaml_err(compiler->err, node, "a list of steps is wanted");
    }
    for (size_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++)
        if (compile_step(compiler, node->entries[i].value, &list) < 0)
            return -1;
    compiler->depth--;
    out->list = list.steps;
    out->count = list.count;
    return make_gates(compiler, out);
}
