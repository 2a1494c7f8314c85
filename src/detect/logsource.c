#include "detect/logsource.h"

#include "cut/yaml.h"
#include "expr/parse.h"

enum { PRODUCTS_MAX = 64, VARIANTS_MAX = 4096 };

struct source {
    const struct logsource_product *product;
    struct slice category, service;
    struct logsource_variant variant;
};

struct logsource_product {
    struct slice name; /* "*" matches a rule without product */
    const struct yaml_node *fields;
    const struct yaml_node *defaults;
    const struct yaml_node *values;
    const struct expr *when; /* of the product alone; NULL: every event */
    const struct expr *within; /* holds for each of its sources; NULL: nothing */
};

struct logsources {
    struct logsource_product products[PRODUCTS_MAX];
    size_t product_count;
    struct source sources[VARIANTS_MAX];
    size_t source_count;
};

struct loading {
    struct arena *arena;
    struct logsources *logsources;
};

static int parse_when(struct arena *arena, const struct yaml_node *node, const struct expr **out,
                      struct err *err)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    *out = NULL;
    if (!text.ptr)
        return 0;
    return expr_parse(text, arena, out, err) < 0 ? err_within(err, "line %d", node->line) : 0;
}

static int parse_renames(struct arena *arena, const struct yaml_node *node,
                         struct logsource_variant *variant, struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "rename is a mapping from the rule's name to the event's");
    struct slice(*renames)[2] = arena_array(arena, node->count, sizeof(*renames));
    if (!renames)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        renames[i][0] = node->entries[i].key->text;
        renames[i][1] = node->entries[i].value->text;
    }
    variant->renames = (const struct slice(*)[2])renames;
    variant->rename_count = node->count;
    return 0;
}

static size_t words_of(const struct yaml_node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++)
        count += node->entries[i].value->kind == YAML_SEQUENCE ? node->entries[i].value->count : 1;
    return count;
}

/* FIELD: {"PREFIX*": [columns], "value": {column: [texts]}} */
static int check_values(const struct yaml_node *values, struct err *err)
{
    if (values && values->kind != YAML_MAPPING)
        return yaml_err(err, values, "values is a mapping from fields to their values");
    for (size_t i = 0; values && i < values->count; i++) {
        const struct yaml_node *of = values->entries[i].value;
        if (of->kind != YAML_MAPPING)
            return yaml_err(err, of, "values of a field are a mapping");
        for (size_t k = 0; k < of->count; k++) {
            bool prefix = slice_ends(of->entries[k].key->text, SLICE("*"));
            const struct yaml_node *to = of->entries[k].value;
            bool lists = true;
            for (size_t n = 0; !prefix && n < to->count; n++)
                lists &= to->entries[n].value->kind == YAML_SEQUENCE;
            if (to->kind != (prefix ? YAML_SEQUENCE : YAML_MAPPING) || !lists || words_of(to) > LOGSOURCE_VALUES_MAX)
                return yaml_err(err, to, "a value is \"PREFIX*\": [columns] or \"value\": {column: [texts]}, with up to %d "
                                "of them", LOGSOURCE_VALUES_MAX);
        }
    }
    return 0;
}

static int parse_source(struct loading *loading, const struct logsource_product *product,
                        const struct yaml_node *node, struct err *err)
{
    struct logsources *logsources = loading->logsources;
    if (logsources->source_count == VARIANTS_MAX)
        return yaml_err(err, node, "more than %d log sources", VARIANTS_MAX);
    struct source *source = &logsources->sources[logsources->source_count];
    source->product = product;
    source->category = yaml_text(yaml_get(node, "category"), SLICE_NONE);
    source->service = yaml_text(yaml_get(node, "service"), SLICE_NONE);
    source->variant.product = product;
    if (!source->category.ptr && !source->service.ptr)
        return yaml_err(err, node, "a log source needs a category or a service");
    if (parse_when(loading->arena, yaml_get(node, "when"), &source->variant.when, err) < 0 ||
        parse_renames(loading->arena, yaml_get(node, "rename"), &source->variant, err) < 0)
        return -1;
    if (!source->variant.when)
        return yaml_err(err, node, "a log source needs 'when'");
    source->variant.when = expr_and(loading->arena, product->within, source->variant.when);
    if (!source->variant.when)
        return err_nomem(err);
    logsources->source_count++;
    return 0;
}

static int parse_product(void *context, const struct yaml_node *node, struct err *err)
{
    struct loading *loading = context;
    struct logsources *logsources = loading->logsources;
    if (logsources->product_count == PRODUCTS_MAX)
        return yaml_err(err, node, "more than %d products", PRODUCTS_MAX);
    struct logsource_product *product = &logsources->products[logsources->product_count];
    product->name = yaml_text(yaml_get(node, "product"), SLICE_NONE);
    product->fields = yaml_get(node, "fields");
    product->defaults = yaml_get(node, "default");
    product->values = yaml_get(node, "values");
    if (!product->name.ptr || !product->defaults || product->defaults->kind != YAML_SEQUENCE)
        return yaml_err(err, node, "a mapping needs 'product' and 'default' (a list of columns)");
    if (parse_when(loading->arena, yaml_get(node, "when"), &product->when, err) < 0 ||
        parse_when(loading->arena, yaml_get(node, "within"), &product->within, err) < 0)
        return -1;
    if (check_values(product->values, err) < 0)
        return -1;
    bool any = !product->when && !product->within; /* the product alone is any of its sources */
    if (!product->when)
        product->when = product->within;
    logsources->product_count++;
    const struct yaml_node *sources = yaml_get(node, "sources");
    for (size_t i = 0; sources && i < sources->count; i++) {
        if (parse_source(loading, product, sources->entries[i].value, err) < 0)
            return -1;
        if (any && !(product->when = expr_or(loading->arena, product->when, logsources->sources[logsources->source_count - 1].variant.when)))
            return err_nomem(err);
    }
    return 0;
}

int logsources_load(const char *path, struct arena *arena, const struct logsources **out,
                    struct err *err)
{
    struct loading loading = {.arena = arena};
    *out = NULL;
    loading.logsources = arena_calloc(arena, sizeof(*loading.logsources));
    if (!loading.logsources)
        return err_nomem(err);
    if (yaml_walk(path, arena, parse_product, &loading, err) < 0)
        return -1;
    *out = loading.logsources;
    return 0;
}

/* What the rule names must be what the entry names; what the rule leaves out is not asked. */
static bool matches(const struct source *source, struct slice product, struct slice category,
                    struct slice service)
{
    bool any_product = slice_is(source->product->name, "*");
    if (product.ptr && !slice_equal_nocase(source->product->name, product) && !any_product)
        return false;
    if (any_product && product.ptr && source->category.ptr && !category.ptr)
        return false; /* a product's service is not what a category calls a service */
    if (category.ptr && !(source->category.ptr && slice_equal_nocase(source->category, category)))
        return false;
    if (service.ptr && !(source->service.ptr && slice_equal_nocase(source->service, service)))
        return false;
    return true;
}

/* Fills variants, or with NULL only counts them. */
static size_t whole_products(const struct logsources *logsources, struct slice product,
                             struct logsource_variant *variants)
{
    size_t count = 0;
    for (size_t i = 0; i < logsources->product_count; i++) {
        const struct logsource_product *found = &logsources->products[i];
        if (!product.ptr || !slice_equal_nocase(found->name, product))
            continue;
        if (variants)
            variants[count] = (struct logsource_variant){.product = found, .when = found->when};
        count++;
    }
    return count;
}

static size_t select_variants(const struct logsources *logsources, struct slice product, struct slice category,
                              struct slice service, struct logsource_variant *variants)
{
    size_t count = 0;
    if (!category.ptr && !service.ptr)
        return whole_products(logsources, product, variants);
    for (size_t i = 0; i < logsources->source_count; i++)
        if (matches(&logsources->sources[i], product, category, service)) {
            if (variants)
                variants[count] = logsources->sources[i].variant;
            count++;
        }
    return count;
}

size_t logsources_find(const struct logsources *logsources, struct slice product,
                       struct slice category, struct slice service, struct arena *arena,
                       const struct logsource_variant **out, struct slice *why)
{
    size_t count = select_variants(logsources, product, category, service, NULL);
    struct logsource_variant *variants = arena_array(arena, count + 1, sizeof(*variants));
    *out = variants;
    *why = SLICE("out of memory");
    if (!variants)
        return 0;
    select_variants(logsources, product, category, service, variants);
    if (count == 0)
        *why = arena_printf(arena, "no log source mapping for product '%.*s', category '%.*s', "
                            "service '%.*s'; add one in content/logsources",
                            SLICE_ARG(product), SLICE_ARG(category), SLICE_ARG(service));
    return count;
}

static size_t put_column(struct slice columns[LOGSOURCE_COLUMNS_MAX], size_t count,
                         struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(columns[i], name))
            return count;
    if (name.ptr && count < LOGSOURCE_COLUMNS_MAX)
        columns[count++] = name;
    return count;
}

static struct slice fill_in(struct slice pattern, struct slice field, struct arena *arena)
{
    ptrdiff_t at = slice_find(pattern, SLICE("{}"));
    if (at < 0)
        return pattern;
    struct slice before = slice_sub(pattern, 0, (size_t)at), after = slice_from(pattern, (size_t)at + 2);
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(before), SLICE_ARG(field),
                        SLICE_ARG(after));
}

static struct slice renamed(const struct logsource_variant *variant, struct slice field)
{
    for (size_t i = 0; i < variant->rename_count; i++)
        if (slice_equal(variant->renames[i][0], field))
            return variant->renames[i][1];
    return field;
}

size_t logsource_columns(const struct logsource_variant *variant, struct slice field,
                         struct arena *arena, struct slice columns[LOGSOURCE_COLUMNS_MAX])
{
    size_t count = 0;
    field = renamed(variant, field);
    const struct yaml_node *known = yaml_get_slice(variant->product->fields, field);
    if (known && known->kind == YAML_SCALAR)
        count = put_column(columns, count, known->text);
    for (size_t i = 0; known && known->kind == YAML_SEQUENCE && i < known->count; i++)
        count = put_column(columns, count, known->entries[i].value->text);
    const struct yaml_node *defaults = variant->product->defaults;
    for (size_t i = 0; !known && i < defaults->count; i++)
        count = put_column(columns, count, fill_in(defaults->entries[i].value->text, field, arena));
    return count;
}

static size_t values_with_prefix(const struct yaml_node *columns, struct slice rest,
                                 struct logsource_value found[LOGSOURCE_VALUES_MAX])
{
    for (size_t i = 0; i < columns->count; i++)
        found[i] = (struct logsource_value){columns->entries[i].value->text, rest, true};
    return columns->count;
}

static size_t values_in_words(const struct yaml_node *words, struct logsource_value found[LOGSOURCE_VALUES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < words->count; i++) {
        const struct yaml_node *texts = words->entries[i].value;
        for (size_t k = 0; k < texts->count; k++)
            found[count++] = (struct logsource_value){words->entries[i].key->text, texts->entries[k].value->text, false};
    }
    return count;
}

size_t logsource_values(const struct logsource_variant *variant, struct slice field, struct slice value,
                        struct logsource_value found[LOGSOURCE_VALUES_MAX])
{
    const struct yaml_node *known = yaml_get_slice(variant->product->values, renamed(variant, field));
    for (size_t i = 0; known && i < known->count; i++) {
        struct slice key = known->entries[i].key->text;
        size_t prefix = key.len - 1;
        if (slice_equal_nocase(key, value))
            return values_in_words(known->entries[i].value, found);
        if (slice_ends(key, SLICE("*")) && value.len > prefix &&
            slice_equal_nocase(slice_sub(key, 0, prefix), slice_sub(value, 0, prefix)))
            return values_with_prefix(known->entries[i].value, slice_from(value, prefix), found);
    }
    return 0;
}
