#pragma once
/*
 * decode/decoder: a decoder file (content/decoders/X.yaml, docs/decoders.md)
 * compiled to steps. Everything is looked up when the file is loaded: names are
 * numbers of fields, patterns and conditions are compiled.
 *
 * Ownership  All of it lives in the arena of the registry, but regexes, which
 *            decoder_close() frees.
 * Threads    Read-only after compiling.
 */
#include "base/arena.h"
#include "base/map.h"
#include "base/zone.h"
#include "cut/dissect.h"
#include "event/value.h"
#include "expr/expr.h"
#include "pattern/regex.h"

enum { DECODER_FIELDS_MAX = 16384, DECODER_TEMPS_MAX = 256, STEPS_DEPTH_MAX = 12 };

/* A name in a decoder file. Names that begin with '_' are for the decoder only and never become
 * columns; _text is the text given to it. */
enum field_kind { FIELD_COLUMN, FIELD_TEMP, FIELD_TEXT };

struct field {
    struct slice name;
    enum field_kind kind;
    uint32_t slot; /* of its kind */
};

/* Shared by all decoders of a registry. */
struct fields {
    struct arena *arena;
    struct field *list;
    uint32_t count, size;
    uint32_t columns, temps; /* slots given out */
    struct map by_name;      /* to the number + 1 */
};

enum step_kind {
    STEP_JSON,
    STEP_KV,
    STEP_SYSLOG,
    STEP_DISSECT,
    STEP_REGEX,
    STEP_CSV,
    STEP_WINXML,
    STEP_WINJSON,
    STEP_IF,
    STEP_CHOOSE,
    STEP_FIRST,
    STEP_INNER,
    STEP_DECODER,
    STEP_STOP,
    STEP_FAIL,
    STEP_RENAME, /* from here on: they change fields, and no more */
    STEP_COPY,
    STEP_BASENAME,
    STEP_DIRNAME,
    STEP_SET,
    STEP_DEFAULT,
    STEP_CONVERT,
    STEP_DATE,
    STEP_LOOKUP,
    STEP_SPLIT,
    STEP_DROP,
    STEP_APPEND,
};

enum convert_kind {
    CONVERT_INT,
    CONVERT_DECIMAL,
    CONVERT_FLOAT,
    CONVERT_BOOL,
    CONVERT_IP,
    CONVERT_STRING,
    CONVERT_LOWERCASE,
    CONVERT_UPPERCASE,
    CONVERT_TRIM,
    CONVERT_HEX, /* "0x1f" to 31 */
};

enum date_kind { DATE_ISO, DATE_EPOCH, DATE_PATTERN };

struct date_format {
    enum date_kind kind;
    struct slice pattern;
};

/* Text with ${field} in it: literal, field, literal, field, ... */
struct template_part {
    struct slice literal;
    uint32_t field; /* UINT32_MAX behind the last literal */
};

struct constant {
    const struct value *values;
    uint32_t count;
    const struct template_part *parts; /* a template instead of values */
    uint32_t part_count;
};

struct step;

struct steps {
    const struct step *list;
    uint32_t count;
};

struct condition;
struct decoder;

struct step {
    enum step_kind kind;
    int line;
    bool optional;                /* a text that does not fit is no error */
    const struct condition *when; /* NULL: always */
    uint32_t from, to;       /* fields */
    struct slice under;      /* JSON, KV: prefix; FAIL: text; DECODER: name */
    const struct decoder **chain; /* DECODER: of that name; set when all decoders are loaded */
    char separator, equals;
    struct slice by; /* SPLIT */
    struct constant constant;
    enum convert_kind convert;
    const struct dissect *dissect;
    struct regex *regex;
    uint32_t *targets; /* fields of DISSECT, REGEX, CSV; UINT32_MAX: not kept */
    uint32_t *groups;  /* REGEX: group numbers */
    uint32_t target_count;
    const struct date_format *formats;
    uint32_t format_count;
    const struct zone *zone;
    bool zone_set;
    struct map *table; /* LOOKUP: struct constant *; CHOOSE: struct steps * */
    struct steps body, other;
    const struct steps *branches; /* FIRST */
    uint32_t branch_count;
};

/* A key a JSON event must have, perhaps with a value: "event.dataset=exchange.*". */
struct json_need {
    struct slice key;
    struct slice value; /* SLICE_NONE: any */
    bool value_prefix;
    uint32_t number; /* of the key in the registry */
};

struct recognise {
    const struct slice *sources; /* dataset or sourcetype names it answers to */
    uint32_t source_count;
    const struct slice *programs; /* syslog programs, for inner texts */
    uint32_t program_count;
    const struct slice *starts; /* one of them must be at the start, if any are given */
    uint32_t start_count;
    const struct slice *contains; /* all of them */
    uint32_t contain_count;
    struct json_need *json; /* all of them */
    uint32_t json_count;
    bool wants_json, wants_xml, wants_text;
    bool by_content; /* has some test of the content */
    bool inner_only; /* never for whole events */
    struct regex *regex;
    int64_t priority; /* smaller is asked first */
};

/* Regexes are not from the arena. */
struct owned {
    struct regex *regex;
    struct owned *next;
};

struct decoder {
    struct slice name;
    int64_t version;
    struct slice label; /* name@version, for hinomi.decoder */
    struct slice dataset;
    const struct slice *corrects; /* decoders whose older events it may have now */
    uint32_t correct_count;
    struct slice path;
    struct recognise recognise;
    struct steps steps;
    struct owned *owned; /* what decoder_close() frees */
};

struct yaml_node;

/* One document of a decoder file. */
MUST_USE int decoder_compile(const struct yaml_node *node, struct slice path, struct fields *fields,
                             struct decoder **out, struct err *err);
void decoder_close(struct decoder *decoder);

/* The number of a name, made when new. UINT32_MAX when memory or the bound is out. */
uint32_t fields_number(struct fields *fields, struct slice name);

/* Used by the compiler's two halves. */
struct decoder_compiler {
    struct arena *arena;
    struct fields *fields;
    struct decoder *decoder;
    unsigned depth;
    struct err *err;
};
MUST_USE int decoder_own(struct decoder_compiler *compiler, struct regex *regex);
/* A scalar or a list of them; "${field}" makes a template. */
MUST_USE int decoder_compile_constant(struct decoder_compiler *compiler,
                                      const struct yaml_node *node, struct constant *out);
MUST_USE int decoder_compile_steps(struct decoder_compiler *compiler, const struct yaml_node *node,
                                   struct steps *out);
