/* The steps of a decoder file, one function a verb. Part of decode/decoder. */
#include "cut/yaml.h"
#include "decode/condition.h"

#include "base/limits.h"
#include "base/time_pattern.h"
#include "expr/parse.h"

typedef int compile_verb(struct decoder_compiler *compiler, const struct yaml_node *node,
                         struct step *step);

/* Steps under way: pairs such as "rename: {a: b, c: d}" make several. */
struct list {
    struct step *steps;
    uint32_t count, size;
};

static struct step *add_step(struct decoder_compiler *compiler, struct list *list,
                             const struct step *like)
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
    return step;
}

static int field_of(struct decoder_compiler *compiler, const struct yaml_node *node,
                    struct slice name, uint32_t *out)
{
    if (!name.len)
        return yaml_err(compiler->err, node, "a field name is wanted");
    *out = fields_number(compiler->fields, name);
    return *out == UINT32_MAX ? yaml_err(compiler->err, node, "too many or too long field names")
                              : 0;
}

/* The option key as a field, else the fallback name. */
static int option_field(struct decoder_compiler *compiler, const struct yaml_node *node,
                        const char *key, const char *fallback, uint32_t *out)
{
    struct slice name = yaml_text(yaml_get(node, key), slice_text(fallback));
    if (!name.ptr)
        return yaml_err(compiler->err, node, "'%s' is missing", key);
    return field_of(compiler, node, name, out);
}

static int option_char(struct decoder_compiler *compiler, const struct yaml_node *node,
                       const char *key, char fallback, char *out)
{
    struct slice text = yaml_text(yaml_get(node, key), SLICE_NONE);
    *out = text.len == 1 ? text.ptr[0] : fallback;
    return !text.ptr || text.len == 1
               ? 0
               : yaml_err(compiler->err, node, "'%s' must be one character", key);
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
    struct template_part parts[64];
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
        if (field_of(compiler, node, slice_sub(rest, 0, (size_t)end), &part->field) < 0)
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

int decoder_compile_constant(struct decoder_compiler *compiler, const struct yaml_node *node,
                             struct constant *out)
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
    out->values = values;
    out->count = (uint32_t)count;
    return 0;
}

/* --- cutting --- */

/* "dissect: 'pattern'" or "dissect: {pattern: ..., from: ...}" */
static struct slice pattern_of(const struct yaml_node *node)
{
    return yaml_text(node->kind == YAML_SCALAR ? node : yaml_get(node, "pattern"), SLICE_NONE);
}

static int compile_from(struct decoder_compiler *compiler, const struct yaml_node *node,
                        struct step *step)
{
    return option_field(compiler, node, "from", "_text", &step->from);
}

static int compile_under(struct decoder_compiler *compiler, const struct yaml_node *node,
                         struct step *step)
{
    struct slice under = yaml_text(yaml_get(node, "under"), SLICE_NONE);
    step->under = under.len ? arena_printf(compiler->arena, "%.*s.", SLICE_ARG(under)) : SLICE("");
    if (!step->under.ptr)
        return err_nomem(compiler->err);
    if (step->under.len > FIELD_NAME_MAX / 2)
        return yaml_err(compiler->err, node, "'under' is too long");
    return compile_from(compiler, node, step);
}

static int compile_kv(struct decoder_compiler *compiler, const struct yaml_node *node,
                      struct step *step)
{
    if (option_char(compiler, node, "separator", ' ', &step->separator) < 0 ||
        option_char(compiler, node, "equals", '=', &step->equals) < 0)
        return -1;
    return compile_under(compiler, node, step);
}

static int add_target(struct decoder_compiler *compiler, const struct yaml_node *node,
                      struct step *step, struct slice name)
{
    uint32_t field = UINT32_MAX;
    if (name.len && field_of(compiler, node, name, &field) < 0)
        return -1;
    step->targets[step->target_count++] = field;
    return 0;
}

static int room_for_targets(struct decoder_compiler *compiler, struct step *step, size_t count)
{
    step->targets = arena_array(compiler->arena, count + 1, sizeof(*step->targets));
    step->groups = arena_array(compiler->arena, count + 1, sizeof(*step->groups));
    return step->targets && step->groups ? 0 : err_nomem(compiler->err);
}

static int compile_dissect(struct decoder_compiler *compiler, const struct yaml_node *node,
                           struct step *step)
{
    struct slice pattern = pattern_of(node);
    if (!pattern.ptr)
        return yaml_err(compiler->err, node, "'pattern' is missing");
    struct dissect *dissect = arena_alloc(compiler->arena, sizeof(*dissect));
    if (!dissect)
        return err_nomem(compiler->err);
    step->dissect = dissect;
    if (dissect_compile(pattern, compiler->arena, dissect, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    if (room_for_targets(compiler, step, dissect->count) < 0)
        return -1;
    for (size_t i = 0; i < dissect->count; i++)
        if (add_target(compiler, node, step, dissect->parts[i].key) < 0)
            return -1;
    return compile_from(compiler, node, step);
}

/* PCRE2 names are words: "source__ip" is source.ip. */
static struct slice group_field(struct arena *arena, struct slice name)
{
    char *to = arena_alloc(arena, name.len + 1);
    size_t len = 0;
    if (!to)
        return SLICE_NONE;
    for (size_t i = 0; i < name.len; i++) {
        bool dot = i > 0 && i + 2 < name.len && name.ptr[i] == '_' && name.ptr[i + 1] == '_';
        to[len++] = dot ? '.' : name.ptr[i];
        i += dot;
    }
    return slice_of(to, len);
}

static int compile_regex(struct decoder_compiler *compiler, const struct yaml_node *node,
                         struct step *step)
{
    struct slice pattern = pattern_of(node);
    if (!pattern.ptr)
        return yaml_err(compiler->err, node, "'pattern' is missing");
    if (regex_new(pattern, 0, &step->regex, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    if (decoder_own(compiler, step->regex) < 0)
        return -1;
    uint32_t count = regex_name_count(step->regex);
    if (room_for_targets(compiler, step, count) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = regex_name(step->regex, i, &step->groups[i]);
        name = group_field(compiler->arena, name);
        if (!name.ptr)
            return err_nomem(compiler->err);
        if (add_target(compiler, node, step, name) < 0)
            return -1;
    }
    return compile_from(compiler, node, step);
}

static int compile_csv(struct decoder_compiler *compiler, const struct yaml_node *node,
                       struct step *step)
{
    const struct yaml_node *names = node->kind == YAML_SEQUENCE ? node : yaml_get(node, "names");
    if (!names || names->kind != YAML_SEQUENCE)
        return yaml_err(compiler->err, node, "'names' must be a list");
    if (option_char(compiler, node, "separator", ',', &step->separator) < 0 ||
        room_for_targets(compiler, step, names->count) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (add_target(compiler, node, step, yaml_text(names->entries[i].value, SLICE_NONE)) < 0)
            return -1;
    return compile_from(compiler, node, step);
}

/* --- dates, tables, conditions --- */

static int compile_format(struct decoder_compiler *compiler, const struct yaml_node *node,
                          struct date_format *out)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    out->kind = slice_is(text, "iso8601") ? DATE_ISO
                : slice_is(text, "epoch") ? DATE_EPOCH
                                          : DATE_PATTERN;
    out->pattern = text;
    if (out->kind != DATE_PATTERN)
        return 0;
    if (!text.len || time_pattern_check(text, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    return 0;
}

static int compile_date(struct decoder_compiler *compiler, const struct yaml_node *node,
                        struct step *step)
{
    const struct yaml_node *formats = yaml_get(node, "formats");
    struct slice zone = yaml_text(yaml_get(node, "zone"), SLICE_NONE);
    size_t count = formats && formats->kind == YAML_SEQUENCE ? formats->count : 1;
    struct date_format *list = arena_array(compiler->arena, count, sizeof(*list));
    if (!list)
        return err_nomem(compiler->err);
    for (size_t i = 0; formats && i < count; i++)
        if (compile_format(compiler,
                           formats->kind == YAML_SEQUENCE ? formats->entries[i].value : formats,
                           &list[i]) < 0)
            return -1;
    if (zone.ptr) {
        step->zone = zone_find(zone);
        step->zone_set = true;
        if (!step->zone)
            return yaml_err(compiler->err, node, "there is no time zone '%.*s'", SLICE_ARG(zone));
    }
    step->formats = list;
    step->format_count = (uint32_t)count;
    if (option_field(compiler, node, "from", NULL, &step->from) < 0)
        return -1;
    return option_field(compiler, node, "to", "@timestamp", &step->to);
}

static struct map *new_table(struct decoder_compiler *compiler)
{
    struct map *table = arena_alloc(compiler->arena, sizeof(*table));
    if (table)
        map_init(table, compiler->arena);
    else
        err_nomem(compiler->err);
    return table;
}

/* "a, b": value stands for two keys. */
static int put_keys(struct decoder_compiler *compiler, struct map *table,
                    const struct yaml_node *key, void *value)
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

static int compile_lookup(struct decoder_compiler *compiler, const struct yaml_node *node,
                          struct step *step)
{
    const struct yaml_node *table = yaml_get(node, "table"),
                           *otherwise = yaml_get(node, "otherwise");
    if (!table || table->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'table' must be a mapping");
    step->table = new_table(compiler);
    if (!step->table)
        return -1;
    for (size_t i = 0; i < table->count; i++) {
        struct constant *constant = arena_alloc(compiler->arena, sizeof(*constant));
        if (!constant)
            return err_nomem(compiler->err);
        if (decoder_compile_constant(compiler, table->entries[i].value, constant) < 0 ||
            put_keys(compiler, step->table, table->entries[i].key, constant) < 0)
            return -1;
    }
    if (otherwise && decoder_compile_constant(compiler, otherwise, &step->constant) < 0)
        return -1;
    if (option_field(compiler, node, "from", NULL, &step->from) < 0)
        return -1;
    return option_field(compiler, node, "to", NULL, &step->to);
}

static int compile_condition(struct decoder_compiler *compiler, const struct yaml_node *node,
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

static int compile_if(struct decoder_compiler *compiler, const struct yaml_node *node,
                      struct step *step)
{
    const struct yaml_node *then = yaml_get(node, "then"), *other = yaml_get(node, "else");
    const struct yaml_node *test = yaml_get(node, "if");
    if (compile_condition(compiler, test ? test : node, &step->when) < 0 ||
        (then && decoder_compile_steps(compiler, then, &step->body) < 0))
        return -1;
    return other ? decoder_compile_steps(compiler, other, &step->other) : 0;
}

static int compile_choose(struct decoder_compiler *compiler, const struct yaml_node *node,
                          struct step *step)
{
    const struct yaml_node *cases = yaml_get(node, "cases"), *other = yaml_get(node, "otherwise");
    if (!cases || cases->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'cases' must be a mapping");
    step->table = new_table(compiler);
    if (!step->table)
        return -1;
    for (size_t i = 0; i < cases->count; i++) {
        struct steps *steps = arena_calloc(compiler->arena, sizeof(*steps));
        if (!steps)
            return err_nomem(compiler->err);
        if (decoder_compile_steps(compiler, cases->entries[i].value, steps) < 0 ||
            put_keys(compiler, step->table, cases->entries[i].key, steps) < 0)
            return -1;
    }
    if (other && decoder_compile_steps(compiler, other, &step->other) < 0)
        return -1;
    return option_field(compiler, node, "choose", NULL, &step->from);
}

static int compile_first(struct decoder_compiler *compiler, const struct yaml_node *node,
                         struct step *step)
{
    const struct yaml_node *list = yaml_get(node, "first"), *other = yaml_get(node, "otherwise");
    if (!list || list->kind != YAML_SEQUENCE)
        return yaml_err(compiler->err, node, "'first' must be a list of step lists");
    struct steps *branches = arena_array(compiler->arena, list->count + 1, sizeof(*branches));
    if (!branches)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < list->count; i++)
        if (decoder_compile_steps(compiler, list->entries[i].value, &branches[i]) < 0)
            return -1;
    step->branches = branches;
    step->branch_count = (uint32_t)list->count;
    return other ? decoder_compile_steps(compiler, other, &step->other) : 0;
}

static int compile_inner(struct decoder_compiler *compiler, const struct yaml_node *node,
                         struct step *step)
{
    if (option_field(compiler, node, "text", NULL, &step->from) < 0)
        return -1;
    return option_field(compiler, node, "program", "process.name", &step->to);
}

static int compile_decoder(struct decoder_compiler *compiler, const struct yaml_node *node,
                           struct step *step)
{
    step->under = pattern_of(node);
    if (!step->under.ptr)
        step->under = yaml_text(yaml_get(node, "name"), SLICE_NONE);
    if (!step->under.ptr)
        return yaml_err(compiler->err, node, "a decoder's name is wanted");
    step->chain = arena_calloc(compiler->arena, sizeof(struct decoder *));
    if (!step->chain)
        return err_nomem(compiler->err);
    return compile_from(compiler, node, step);
}

static int compile_fail(struct decoder_compiler *compiler, const struct yaml_node *node,
                        struct step *step)
{
    step->under = yaml_text(node, SLICE_NONE);
    return step->under.ptr ? 0 : yaml_err(compiler->err, node, "'fail' wants a sentence");
}

static int compile_nothing(struct decoder_compiler *compiler, const struct yaml_node *node,
                           struct step *step)
{
    (void)compiler;
    (void)node;
    (void)step;
    return 0;
}

/* --- verbs that take pairs --- */

static int convert_kind_of(struct slice name)
{
    static const char *const names[] = {"int",    "decimal",   "float",     "bool", "ip",
                                        "string", "lowercase", "uppercase", "trim", "hex"};
    for (int i = 0; i < (int)ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i]))
            return i;
    return -1;
}

static int compile_pair_value(struct decoder_compiler *compiler, const struct yaml_node *value,
                              struct step *step)
{
    switch ((int)step->kind) {
    case STEP_SET:
    case STEP_DEFAULT:
        return decoder_compile_constant(compiler, value, &step->constant);
    case STEP_CONVERT: {
        int kind = convert_kind_of(yaml_text(value, SLICE_NONE));
        step->convert = (enum convert_kind)kind;
        return kind < 0 ? yaml_err(compiler->err, value, "there is no such conversion") : 0;
    }
    case STEP_SPLIT:
        step->by = yaml_text(value, SLICE_NONE);
        return step->by.len ? 0 : yaml_err(compiler->err, value, "a separator is wanted");
    default:
        return field_of(compiler, value, yaml_text(value, SLICE_NONE), &step->to);
    }
}

/* {key: value} or {key: [value, value]}: a step for each pair; for SET a list is the value. */
static int compile_pairs(struct decoder_compiler *compiler, const struct yaml_node *node,
                         const struct step *like, struct list *list)
{
    bool whole = like->kind == STEP_SET || like->kind == STEP_DEFAULT;
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "pairs of field and value are wanted");
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->entries[i].value;
        size_t count = value->kind == YAML_SEQUENCE && !whole ? value->count : 1;
        for (size_t k = 0; k < count; k++) {
            struct step *step = add_step(compiler, list, like);
            const struct yaml_node *one =
                value->kind == YAML_SEQUENCE && !whole ? value->entries[k].value : value;
            if (!step)
                return -1;
            step->line = node->entries[i].key->line;
            if (field_of(compiler, value, node->entries[i].key->text, &step->from) < 0 ||
                compile_pair_value(compiler, one, step) < 0)
                return -1;
        }
    }
    return 0;
}

static int compile_drop(struct decoder_compiler *compiler, const struct yaml_node *node,
                        const struct step *like, struct list *list)
{
    size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *one = node->kind == YAML_SEQUENCE ? node->entries[i].value : node;
        struct step *step = add_step(compiler, list, like);
        if (!step || field_of(compiler, one, yaml_text(one, SLICE_NONE), &step->from) < 0)
            return -1;
    }
    return 0;
}

/* --- the table of verbs --- */

enum { WHOLE = 1, PAIRS = 2, NAMES = 4 };

static const struct verb {
    const char *name;
    enum step_kind kind;
    int form; /* WHOLE: the step itself is the mapping; PAIRS, NAMES: several steps */
    compile_verb *compile;
    const char *options; /* keys beside or inside, separated by spaces */
} verbs[] = {
    {"json", STEP_JSON, 0, compile_under, "from under"},
    {"kv", STEP_KV, 0, compile_kv, "from under separator equals"},
    {"syslog", STEP_SYSLOG, 0, compile_from, "from"},
    {"dissect", STEP_DISSECT, 0, compile_dissect, "pattern from"},
    {"regex", STEP_REGEX, 0, compile_regex, "pattern from"},
    {"csv", STEP_CSV, 0, compile_csv, "names from separator"},
    {"winxml", STEP_WINXML, 0, compile_from, "from"},
    {"winjson", STEP_WINJSON, 0, compile_from, "from"},
    {"rename", STEP_RENAME, PAIRS, NULL, ""},
    {"copy", STEP_COPY, PAIRS, NULL, ""},
    {"basename", STEP_BASENAME, PAIRS, NULL, ""},
    {"dirname", STEP_DIRNAME, PAIRS, NULL, ""},
    {"set", STEP_SET, PAIRS, NULL, ""},
    {"default", STEP_DEFAULT, PAIRS, NULL, ""},
    {"convert", STEP_CONVERT, PAIRS, NULL, ""},
    {"date", STEP_DATE, 0, compile_date, "from to formats zone"},
    {"lookup", STEP_LOOKUP, 0, compile_lookup, "from to table otherwise"},
    {"split", STEP_SPLIT, PAIRS, NULL, ""},
    {"drop", STEP_DROP, NAMES, NULL, ""},
    {"append", STEP_APPEND, PAIRS, NULL, ""},
    {"if", STEP_IF, WHOLE, compile_if, "then else"},
    {"choose", STEP_CHOOSE, WHOLE, compile_choose, "cases otherwise"},
    {"first", STEP_FIRST, WHOLE, compile_first, "otherwise"},
    {"inner", STEP_INNER, 0, compile_inner, "text program"},
    {"decoder", STEP_DECODER, 0, compile_decoder, "name from"},
    {"stop", STEP_STOP, 0, compile_nothing, ""},
    {"fail", STEP_FAIL, 0, compile_fail, ""},
};

static bool is_option(const char *options, struct slice key)
{
    struct slice rest = slice_text(options), word;
    while (rest.len && slice_next_part(&rest, ' ', &word))
        if (slice_equal(word, key))
            return true;
    return false;
}

static const struct verb *find_verb(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
        if (slice_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

static void suggest_verb(struct err *err, struct slice name)
{
    size_t best = 3;
    for (size_t i = 0; err && i < ARRAY_COUNT(verbs); i++) {
        struct slice candidate = slice_text(verbs[i].name);
        size_t distance = slice_distance(candidate, name);
        if (distance < best && candidate.len < sizeof(err->suggestion)) {
            best = distance;
            memcpy(err->suggestion, candidate.ptr, candidate.len);
            err->suggestion[candidate.len] = '\0';
        }
    }
}

static int unknown_verb(struct decoder_compiler *compiler, const struct yaml_node *key)
{
    yaml_err(compiler->err, key, "there is no step '%.*s'", SLICE_ARG(key->text));
    suggest_verb(compiler->err, key->text);
    return -1;
}

/* The verb is the first key; "when" and "optional" may stand beside it. */
static int check_step(struct decoder_compiler *compiler, const struct yaml_node *node,
                      const struct verb *verb)
{
    for (size_t i = 1; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        bool common = slice_is(key->text, "when") || slice_is(key->text, "optional");
        if (!common && !(verb->form == WHOLE && is_option(verb->options, key->text)))
            return yaml_err(compiler->err, key, "the key '%.*s' is not known beside '%s'",
                            SLICE_ARG(key->text), verb->name);
    }
    const struct yaml_node *inside = node->entries[0].value;
    if (verb->form == 0 && inside->kind == YAML_MAPPING)
        for (size_t i = 0; i < inside->count; i++)
            if (!is_option(verb->options, inside->entries[i].key->text))
                return yaml_err(compiler->err, inside->entries[i].key, "'%s' has no option '%.*s'",
                                verb->name, SLICE_ARG(inside->entries[i].key->text));
    return 0;
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
    struct step like = {
        .kind = verb->kind, .line = node->line, .from = UINT32_MAX, .to = UINT32_MAX};
    const struct yaml_node *when = yaml_get(node, "when"), *optional = yaml_get(node, "optional");
    if (check_step(compiler, node, verb) < 0 ||
        (when && compile_condition(compiler, when, &like.when) < 0))
        return -1;
    if (optional && !yaml_to_bool(optional, &like.optional))
        return yaml_err(compiler->err, optional, "'optional' must be true or false");
    if (verb->form == PAIRS)
        return compile_pairs(compiler, value, &like, list);
    if (verb->form == NAMES)
        return compile_drop(compiler, value, &like, list);
    struct step *step = add_step(compiler, list, &like);
    return step ? verb->compile(compiler, verb->form == WHOLE ? node : value, step) : -1;
}

/* A list of steps; a mapping alone is short for one "set". */
int decoder_compile_steps(struct decoder_compiler *compiler, const struct yaml_node *node,
                          struct steps *out)
{
    struct list list = {0};
    *out = (struct steps){0};
    if (compiler->depth == STEPS_DEPTH_MAX)
        return yaml_err(compiler->err, node, "steps are nested deeper than %d", STEPS_DEPTH_MAX);
    compiler->depth++;
    if (node->kind == YAML_MAPPING) {
        struct step like = {.kind = STEP_SET, .line = node->line};
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
    return 0;
}
