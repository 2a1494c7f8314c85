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
#include "cut/line_join.h"
#include "event/value.h"
#include "expr/expr.h"
#include "pattern/regex.h"

enum { DECODER_FIELDS_MAX = 16384, DECODER_TEMPS_MAX = 4096, STEPS_DEPTH_MAX = 12 };

/* A name in a decoder file. Names that begin with '_' are for the decoder only and never become
 * columns; _text is the text given to it. */
enum field_kind { FIELD_COLUMN, FIELD_TEMP, FIELD_TEXT };

struct field {
    struct slice name;
    enum field_kind kind;
    uint32_t slot; /* of a FIELD_TEMP */
};

/* Shared by all decoders of a registry. */
struct fields {
    struct arena *arena;
    struct field *list;
    uint32_t count, size;
    uint32_t temps;   /* slots given out */
    uint32_t watches; /* steps that concern columns by their names */
    uint32_t constants; /* values of decoders' own */
    uint32_t key_tables; /* steps that keep a struct key_table */
    struct map by_name;      /* to the number + 1 */
};

enum run_result {
    RUN_OK,
    RUN_STOP,   /* the decoder said so */
    RUN_FAILED, /* the run's err says why; what was won stays */
};

struct run;
struct step;
struct verb;
struct condition;
struct decoder;

typedef enum run_result step_run(struct run *run, const struct step *step);

/* One step. What its verb needs beside the two fields that most verbs have is in data (verb.h). */
struct step {
    step_run *run;
    const struct condition *when; /* NULL: always */
    uint32_t from, to;            /* fields */
    const void *data;
    const struct verb *verb;
    uint32_t watch; /* number of a step that goes through columns by their names */
    int line;
    bool optional; /* a text that does not fit is no error */
};

/* When a step is passed over without a look at it, since most are for fields that an event does not have: where this
 * field is missing; a default, where it is there, or where what it is made of is missing. */
enum gate_kind { GATE_OPEN, GATE_COLUMN, GATE_TEMP, GATE_DEFAULT };

struct gate {
    enum gate_kind kind;
    uint32_t field; /* of a temporary: its slot */
    uint32_t made_of; /* of a default; UINT32_MAX: of nothing that may be missing */
};

struct steps {
    const struct step *list;
    const struct gate *gates; /* of the steps */
    uint32_t count;
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
    const struct slice *any; /* one of them, if any are given */
    uint32_t any_count;
    struct json_need *json; /* all of them */
    uint32_t json_count;
    bool wants_json, wants_xml, wants_text;
    char header;     /* separator of the columns that a file's header names, or '\0': no such test */
    const struct slice *columns; /* words that all stand in that header, without regard to case */
    uint32_t column_count;
    bool by_content; /* has some test of the content */
    bool inner_only; /* never for whole events */
    struct regex *regex;
    struct slice pattern; /* of regex */
    int64_t priority; /* smaller is asked first */
};

/* Regexes are not from the arena. */
struct owned {
    struct regex *regex;
    struct owned *next;
};

/* Another decoder or a shared table that a step names. */
struct named_ref {
    struct slice name;
    int line;
    const struct decoder **decoder; /* one of them is NULL */
    const struct map **table;
    struct named_ref *next;
};

/* Text with ${field} in it: literal, field, literal, field, ... */
struct template_part {
    struct slice literal;
    uint32_t field; /* UINT32_MAX behind the last literal */
};

struct constant {
    const struct value *values;
    uint32_t count;
    uint32_t number; /* of the first value, among all of the registry's constants */
    const struct template_part *parts; /* a template instead of values */
    uint32_t part_count;
};

struct decoder {
    struct slice name;
    int64_t version;
    struct slice label; /* name@version, for hinomi.decoder */
    struct slice dataset;
    struct constant label_value, dataset_value; /* no values: none */
    struct slice summary;
    const struct slice *differs; /* what others do differently, and why */
    uint32_t differ_count;
    const struct slice *corrects; /* decoders whose older events it may have now */
    uint32_t correct_count;
    struct slice path;
    struct recognise recognise;
    struct line_join join; /* how its lines make records; zero: each is one */
    struct steps steps;
    struct named_ref *refs; /* names that are looked up when all files are loaded */
    struct owned *owned;   /* what decoder_close() frees */
};

struct yaml_node;

/* One document of a decoder file. */
MUST_USE int decoder_compile(const struct yaml_node *node, struct slice path, struct fields *fields,
                             struct decoder **out, struct err *err);
void decoder_close(struct decoder *decoder);

/* The number of a name, made when new. UINT32_MAX when memory or the bound is out. */
uint32_t fields_number(struct fields *fields, struct slice name);

