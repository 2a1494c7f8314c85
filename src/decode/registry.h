#pragma once
/*
 * decode/registry: all decoders, loaded from a folder. The choice among them: decode/recognition.h.
 *
 * Ownership  decoders_load() to decoders_free().
 * Threads    Read-only after loading.
 * Errors     -1: the sentence begins with the file and the line.
 */
#include "base/bits.h"
#include "cut/json_scan.h"
#include "decode/decoder.h"

enum { DECODERS_MAX = 4096, JSON_NEEDS_MAX = 1024, JSON_FILTER_LOG2 = 13, DECODER_FILE_BYTES_MAX = 4 * 1024 * 1024 };

/* Fields the engine itself reads or writes. */
enum known_field {
    KNOWN_TIMESTAMP,
    KNOWN_MESSAGE,
    KNOWN_DATASET,
    KNOWN_KIND,
    KNOWN_CATEGORY,
    KNOWN_TYPE,
    KNOWN_DECODER,
    KNOWN_ERROR,
    KNOWN_TAGS,
    KNOWN_HOST,
    KNOWN_PATH,
    KNOWN_SENT_TIME,
    KNOWN_SENT_INDEX,
    KNOWN_OWN_ID,
    KNOWN_ID,
    KNOWN_PROCESS_NAME,
    KNOWN_PROCESS_PID,
    KNOWN_PRIORITY,
    KNOWN_FACILITY_CODE,
    KNOWN_FACILITY_NAME,
    KNOWN_SEVERITY_CODE,
    KNOWN_SEVERITY_NAME,
    KNOWN_SYSLOG_VERSION,
    KNOWN_SYSLOG_MESSAGE_ID,
    KNOWN_HOSTNAME,
    KNOWN_ENCODING,
    KNOWN_PART,
    KNOWN_TEXT,
    KNOWN_HEADER,
    KNOWN_COUNT,
};

enum text_kind { TEXT_PLAIN, TEXT_JSON, TEXT_XML, TEXT_KIND_COUNT };

struct decoder_list {
    const struct decoder **list;
    uint32_t count, size;
};

struct json_key {
    struct slice name;
    struct json_key *same_parent; /* other keys behind the same first part */
};

struct decoders {
    struct arena *arena;
    struct fields fields;
    uint32_t known[KNOWN_COUNT];
    struct decoder_list all; /* by priority, then name */
    uint32_t own_from;       /* while they are loaded: those before it may be replaced */
    struct map by_name;      /* struct decoder * */
    struct map by_source;    /* lowercase name: struct decoder_list * */
    struct map by_program;   /* struct decoder_list * */
    struct map tables;       /* shared by lookups: struct map * of struct constant * */
    struct map json_keys;    /* name: its number + 1 */
    struct map json_parents; /* "event" of "event.dataset": struct json_key * */
    uint32_t json_key_count;
    uint64_t json_filter[(1 << JSON_FILTER_LOG2) / 64]; /* bits of keys and parents: most names are none of them */
    struct recognition *recognition;
};

/* path is a file or a folder (X.yaml in it and below); own another, or NULL: its decoders come in the place of those of
 * the same name. */
MUST_USE int decoders_load(const char *path, const char *own, struct decoders **out, struct err *err);
/* One text with one or more documents, named path in errors. */
MUST_USE int decoders_load_text(struct slice text, const char *path, struct decoders **out,
                                struct err *err);
void decoders_free(struct decoders *decoders); /* NULL is fine */

const struct decoder *decoders_find(const struct decoders *decoders, struct slice name);
/* Whether some decoder names this source; if not, *nearest is the name most like it. */
bool decoders_know_source(const struct decoders *decoders, struct slice source,
                          struct slice *nearest);

/* Upper and lower case of a source's name are the same. */
enum { SOURCE_NAME_MAX = 128 };
struct slice decoders_lowercase(struct slice name, char to[SOURCE_NAME_MAX]);
