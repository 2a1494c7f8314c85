#pragma once
/*
 * decode/verb: a kind of step. Each is one descriptor with how it is written, how it is compiled and what it
 * does; families of them stand in verbs_*.c, each with one table that verbs.c puts together.
 *
 * Threads  Descriptors and compiled steps are read-only; compiling is one thread's.
 */
#include "cut/yaml.h"
#include "decode/condition.h"

struct decoder_compiler {
    struct arena *arena;
    struct fields *fields;
    struct decoder *decoder;
    unsigned depth;
    struct err *err;
};

enum verb_form {
    VERB_OPTIONS, /* verb: {option: ..., ...}, or what compile() makes of a scalar or a list */
    VERB_BESIDE,  /* the options stand beside the verb: "choose: field" and "cases: ..." */
    VERB_PAIRS,   /* verb: {field: value, ...}, a step for each; a list of values makes several */
    VERB_WHOLE,   /* as PAIRS, but a list is the value */
    VERB_NAMES,   /* verb: field, or a list of them, a step for each */
};

/* Whether a step does nothing where a field of it is missing, or there: then it is passed over. The data of CONSTANT is
 * a struct constant, which may be made of fields; of NO_FROM, too. */
enum verb_needs { NEEDS_NOTHING, NEEDS_FROM, NEEDS_NO_FROM, NEEDS_TO, NEEDS_CONSTANT, NEEDS_FROM_IF_OPTIONAL };

struct verb {
    const char *name;
    enum verb_form form;
    const char *options; /* keys of OPTIONS and BESIDE, separated by spaces; "*": any */
    /* Fills in step->from, to and data. node: what stands behind the verb, the value of a pair, the name,
     * or, BESIDE, all of the step. NULL: nothing to do (PAIRS: the value is the field "to"). */
    int (*compile)(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step);
    step_run *run;
    enum verb_needs needs;
};

struct verb_family {
    const struct verb *list;
    size_t count;
};
extern const struct verb_family verbs_cut, verbs_format, verbs_field, verbs_convert, verbs_value, verbs_net, verbs_flow;

/* A list of steps; a mapping alone is short for one "set". */
MUST_USE int verb_compile_steps(struct decoder_compiler *compiler, const struct yaml_node *node,
                                struct steps *out);
MUST_USE int verb_compile_condition(struct decoder_compiler *compiler, const struct yaml_node *node,
                                    const struct condition **out);

/* --- for the compile functions --- */

/* The step's data, zeroed; NULL (with err) when memory is out. */
MUST_USE void *verb_data(struct decoder_compiler *compiler, struct step *step, size_t size);
/* The step goes through columns by their names: run_watch(). */
void verb_watch(struct decoder_compiler *compiler, struct step *step);
MUST_USE int verb_field(struct decoder_compiler *compiler, const struct yaml_node *node, struct slice name,
                        uint32_t *out);
/* The option key as a field, else the fallback name; NULL: it must be there. */
MUST_USE int verb_option_field(struct decoder_compiler *compiler, const struct yaml_node *node,
                               const char *key, const char *fallback, uint32_t *out);
/* "from", or _text. */
MUST_USE int verb_from(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step);
/* The option "under" with a dot behind it; fallback (may be "") when it is not given. */
MUST_USE int verb_under(struct decoder_compiler *compiler, const struct yaml_node *node, const char *fallback,
                        struct slice *out);
/* The field PREFIX.NAME. */
MUST_USE int verb_field_under(struct decoder_compiler *compiler, const struct yaml_node *node,
                              struct slice prefix, const char *name, uint32_t *out);
/* "verb: text" or "verb: {key: text}". SLICE_NONE when it is neither. */
struct slice verb_scalar_or(const struct yaml_node *node, const char *key);
/* {key: field, ...}: a map to the number of the field + 1. *out is NULL when node is. */
MUST_USE int verb_names(struct decoder_compiler *compiler, const struct yaml_node *node,
                        const struct map **out);
/* A text or a list of texts. */
MUST_USE int verb_texts(struct decoder_compiler *compiler, const struct yaml_node *node,
                        const struct slice **out, uint32_t *count);
/* {"a, b": node}: each key once, a trimmed part at a comma. */
MUST_USE int verb_put_keys(struct decoder_compiler *compiler, struct map *table, const struct yaml_node *key,
                           void *value);
MUST_USE struct map *verb_new_map(struct decoder_compiler *compiler);
/* A regex that the decoder owns. */
MUST_USE int verb_regex(struct decoder_compiler *compiler, const struct yaml_node *node, struct slice pattern,
                        struct regex **out);
MUST_USE struct named_ref *verb_ref(struct decoder_compiler *compiler, struct slice name, int line);

/* A scalar or a list of them; "${field}" makes a template. */
MUST_USE int verb_constant(struct decoder_compiler *compiler, const struct yaml_node *node,
                           struct constant *out);
MUST_USE int verb_constant_text(struct decoder_compiler *compiler, struct slice text, struct constant *out);
/* {key: constant}: values are struct constant *. */
MUST_USE int verb_table(struct decoder_compiler *compiler, const struct yaml_node *node,
                        const struct map **out);
