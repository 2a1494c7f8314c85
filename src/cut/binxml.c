#include "cut/binxml.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/binxml_value.h"

#include <assert.h>

/*
 * Tokens; 0x40 is or-ed in when more follows, which the kind of the token says anyway, except for
 * an element's attributes.
 */
enum {
    TOKEN_END = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_CLOSE_START = 0x02, /* > */
    TOKEN_CLOSE_EMPTY = 0x03, /* /> */
    TOKEN_CLOSE = 0x04,       /* </name> */
    TOKEN_VALUE = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_CDATA = 0x07,
    TOKEN_CHAR = 0x08,
    TOKEN_ENTITY = 0x09,
    TOKEN_PI_TARGET = 0x0a,
    TOKEN_PI_DATA = 0x0b,
    TOKEN_TEMPLATE = 0x0c,
    TOKEN_NORMAL = 0x0d,
    TOKEN_OPTIONAL = 0x0e,
    TOKEN_FRAGMENT = 0x0f,
    TOKEN_MORE = 0x40,
};

enum {
    ARENA_MAX = 64 * 1024 * 1024, /* more than EVTX_CHUNK_TOKENS_MAX ever need */
    TEMPLATES = 256,
    NEST_MAX = 8,
    LITERALS_MAX = 16 * 1024 * 1024, /* of all programs of a chunk */
    FRAGMENT_TOKENS = 32,            /* what a fragment costs before its first token */
    REST_MAX = 15,                   /* bytes behind a record's last value: an end token and padding */
};

enum op_kind {
    OP_TEXT,      /* literal */
    OP_VALUE,     /* value number, as content or inside an attribute with more in it */
    OP_ATTRIBUTE, /* text is ' name="'; left out when the value is null */
    OP_ELEMENT,   /* text is the start tag; value number is all its content: an array repeats it */
    OP_TEMPLATE,  /* a template instance with its own values, at offset */
};

struct op {
    enum op_kind kind;
    uint32_t text, text_len; /* in the program's literals */
    uint32_t value;
    uint32_t name_len; /* ELEMENT: how much of the start tag behind '<' is the name */
};

struct program {
    struct op *ops;
    uint32_t op_count, op_size;
    struct buffer literals;
    struct program *next;   /* all of this chunk */
    struct program *beside; /* templates with the same offset modulo TEMPLATES */
    uint32_t offset;      /* where its template definition stands; 0 for others */
    bool broken;
};

struct binxml {
    struct slice chunk;
    struct arena *arena;
    struct program *templates[TEMPLATES]; /* by offset modulo TEMPLATES */
    struct program *all;
    bool suspect;
    uint32_t tokens, steps; /* of this chunk so far */
    size_t literal_bytes, xml_bytes;
};

/* Where we are in the chunk. */
struct cursor {
    struct binxml *reader;
    size_t at, end;
    unsigned nest; /* templates inside values */
    struct err *err;
};

struct binxml *binxml_new(void)
{
    struct binxml *reader = mem_calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->arena = arena_new(ARENA_MAX);
    if (!reader->arena) {
        mem_free(reader);
        return NULL;
    }
    return reader;
}

static void forget_programs(struct binxml *reader)
{
    for (struct program *p = reader->all; p; p = p->next)
        buffer_close(&p->literals);
    reader->all = NULL;
    memset(reader->templates, 0, sizeof(reader->templates));
    arena_reset(reader->arena);
}

void binxml_free(struct binxml *reader)
{
    if (!reader)
        return;
    forget_programs(reader);
    arena_free(reader->arena);
    mem_free(reader);
}

void binxml_begin_chunk(struct binxml *reader, struct slice chunk, bool suspect)
{
    forget_programs(reader);
    reader->chunk = chunk;
    reader->suspect = suspect;
    reader->tokens = reader->steps = 0;
    reader->literal_bytes = reader->xml_bytes = 0;
}

static int too_much(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the chunk's templates ask for more work than an event log's do");
}

static int damaged(struct cursor *cursor, const char *what)
{
    return err_set(cursor->err, ERR_INPUT, "the binary XML has %s at byte %zu of its chunk", what,
                   cursor->at);
}

static int take(struct cursor *cursor, size_t len, struct slice *out)
{
    if (len > cursor->end - cursor->at)
        return damaged(cursor, "an early end");
    *out = slice_sub(cursor->reader->chunk, cursor->at, len);
    cursor->at += len;
    return 0;
}

static int take_number(struct cursor *cursor, size_t size, uint32_t *out)
{
    struct slice bytes;
    if (take(cursor, size, &bytes) < 0)
        return -1;
    *out = (uint32_t)binxml_number(bytes);
    return 0;
}

/* --- compiling --- */

struct element {
    uint32_t name; /* offset of the name's text in the chunk */
    uint32_t name_len;
};

struct compile {
    struct cursor cursor;
    struct program *program;
    struct element elements[BINXML_DEPTH_MAX];
    unsigned depth;
    uint32_t text_start; /* literals not yet in an op begin here */
    uint32_t start_tag;  /* literals: where the last start tag begins */
    uint32_t start_name_len;
    bool start_tag_whole; /* nothing but literals since then, and it was closed just now */
};

static struct buffer *literals(struct compile *compile)
{
    return &compile->program->literals;
}

static struct op *add_op(struct compile *compile)
{
    struct program *p = compile->program;
    if (p->op_count == p->op_size) {
        uint32_t size = p->op_size ? p->op_size * 2 : 32;
        void *ops = arena_grow(compile->cursor.reader->arena, p->ops, p->op_count * sizeof(*p->ops),
                               size * sizeof(*p->ops));
        if (!ops)
            return NULL;
        p->ops = ops;
        p->op_size = size;
    }
    struct op *op = &p->ops[p->op_count++];
    *op = (struct op){0};
    return op;
}

/* What was written up to len becomes an op. */
static int flush_text(struct compile *compile, uint32_t len)
{
    if (compile->text_start == len)
        return 0;
    struct op *op = add_op(compile);
    if (!op)
        return err_nomem(compile->cursor.err);
    *op = (struct op){OP_TEXT, compile->text_start, len - compile->text_start, 0, 0};
    compile->text_start = len;
    return 0;
}

static uint32_t written(struct compile *compile)
{
    return (uint32_t)literals(compile)->len;
}

static int add_value_op(struct compile *compile, enum op_kind kind, uint32_t from, uint32_t value)
{
    uint32_t end = written(compile);
    if (flush_text(compile, from) < 0)
        return -1;
    struct op *op = add_op(compile);
    if (!op)
        return err_nomem(compile->cursor.err);
    *op = (struct op){kind, from, end - from, value, compile->start_name_len};
    compile->text_start = end;
    return 0;
}

/* h * 65599 + character, of which 16 bits are kept. */
static uint32_t name_hash(struct slice utf16)
{
    uint32_t hash = 0;
    for (size_t i = 0; i + 1 < utf16.len; i += 2)
        hash = hash * 65599 + (uint32_t)binxml_number(slice_sub(utf16, i, 2));
    return hash & 0xffff;
}

static bool like_a_name(struct slice utf16)
{
    for (size_t i = 0; i + 1 < utf16.len; i += 2) {
        char c = utf16.ptr[i];
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || utf16.ptr[i + 1];
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':')))
            return false;
    }
    return utf16.len > 0;
}

/* In a damaged chunk: a place where no name ever stood is not taken for one. */
static bool name_is_right(const struct binxml *reader, uint32_t offset, uint32_t count)
{
    struct slice text = slice_sub(reader->chunk, offset + 8, (size_t)count * 2);
    uint32_t hash = (uint32_t)binxml_number(slice_sub(reader->chunk, offset + 4, 2));
    bool ended = binxml_number(slice_sub(reader->chunk, offset + 8 + text.len, 2)) == 0;
    return !reader->suspect ||
           (ended && text.len > 0 && (name_hash(text) == hash || like_a_name(text)));
}

/* A name stands where the offset says, or right here when it is the first use. */
static int take_name(struct cursor *cursor, struct element *out)
{
    uint32_t offset;
    if (take_number(cursor, 4, &offset) < 0)
        return -1;
    struct slice chunk = cursor->reader->chunk;
    if (offset > chunk.len || chunk.len - offset < 10)
        return damaged(cursor, "a name outside of the chunk");
    uint32_t count = (uint32_t)binxml_number(slice_sub(chunk, offset + 6, 2));
    if (chunk.len - offset - 8 < (size_t)count * 2 + 2)
        return damaged(cursor, "a name that is too long");
    if (!name_is_right(cursor->reader, offset, count))
        return damaged(cursor, "a damaged name");
    if (offset == cursor->at)
        cursor->at += 8 + (size_t)count * 2 + 2;
    *out = (struct element){offset + 8, count * 2};
    return cursor->at > cursor->end ? damaged(cursor, "an early end") : 0;
}

static void put_name(struct compile *compile, const struct element *name)
{
    binxml_put_utf16(slice_sub(compile->cursor.reader->chunk, name->name, name->name_len),
                     literals(compile));
}

/* A literal value: u8 type, then for text u16 characters. */
static int compile_literal(struct compile *compile)
{
    uint32_t type, count;
    struct slice bytes;
    if (take_number(&compile->cursor, 1, &type) < 0)
        return -1;
    if (type != BINXML_STRING)
        return damaged(&compile->cursor, "a literal that is no text");
    if (take_number(&compile->cursor, 2, &count) < 0 ||
        take(&compile->cursor, (size_t)count * 2, &bytes) < 0)
        return -1;
    binxml_put_utf16(bytes, literals(compile));
    return 0;
}

static int compile_reference(struct compile *compile, uint8_t token)
{
    uint32_t code;
    struct element name;
    if (token == TOKEN_CHAR) {
        if (take_number(&compile->cursor, 2, &code) < 0)
            return -1;
        buffer_printf(literals(compile), "&#%u;", code);
        return 0;
    }
    if (take_name(&compile->cursor, &name) < 0)
        return -1;
    buffer_put_char(literals(compile), '&');
    put_name(compile, &name);
    buffer_put_char(literals(compile), ';');
    return 0;
}

static int take_substitution(struct compile *compile, uint32_t *value)
{
    uint32_t type;
    if (take_number(&compile->cursor, 2, value) < 0 || take_number(&compile->cursor, 1, &type) < 0)
        return -1;
    return *value < BINXML_VALUES_MAX ? 0 : damaged(&compile->cursor, "a value number");
}

static uint8_t peek(const struct cursor *cursor)
{
    if (cursor->at >= cursor->end)
        return TOKEN_END;
    return (uint8_t)cursor->reader->chunk.ptr[cursor->at] & (uint8_t)~TOKEN_MORE;
}

/* name="..."; when a single value is all of it, a null value leaves the attribute out. */
static int compile_attribute(struct compile *compile)
{
    struct cursor *cursor = &compile->cursor;
    struct element name;
    uint32_t start = written(compile), value;
    cursor->at++;
    if (take_name(cursor, &name) < 0)
        return -1;
    buffer_put_char(literals(compile), ' ');
    put_name(compile, &name);
    buffer_put_text(literals(compile), "=\"");
    for (bool first = true;; first = false) {
        uint8_t token = peek(cursor);
        if (token == TOKEN_VALUE || token == TOKEN_CHAR || token == TOKEN_ENTITY) {
            cursor->at++;
            if ((token == TOKEN_VALUE ? compile_literal(compile)
                                      : compile_reference(compile, token)) < 0)
                return -1;
        } else if (token == TOKEN_NORMAL || token == TOKEN_OPTIONAL) {
            cursor->at++;
            if (take_substitution(compile, &value) < 0)
                return -1;
            uint8_t next = peek(cursor);
            bool alone = first && next != TOKEN_VALUE && next != TOKEN_CHAR &&
                         next != TOKEN_ENTITY && next != TOKEN_NORMAL && next != TOKEN_OPTIONAL;
            if (alone)
                return add_value_op(compile, OP_ATTRIBUTE, start, value);
            if (add_value_op(compile, OP_VALUE, written(compile), value) < 0)
                return -1;
        } else {
            break;
        }
    }
    buffer_put_char(literals(compile), '"');
    return 0;
}

/* Whether a dependency id stands before the size differs between writers, so the one that gives a
 * name within the chunk and a size within the data is taken; with it first. */
static int take_element_head(struct cursor *cursor, bool attributes, struct element *name)
{
    struct cursor with = *cursor;
    uint32_t ignored, size;
    struct err err;
    for (int dependency = 1; dependency >= 0; dependency--) {
        *cursor = with;
        cursor->err = &err;
        int result = dependency ? take_number(cursor, 2, &ignored) : 0;
        if (result == 0)
            result = take_number(cursor, 4, &size);
        if (result == 0 && size > cursor->end - cursor->at)
            result = -1;
        if (result == 0)
            result = take_name(cursor, name);
        if (result == 0 && attributes)
            result = take_number(cursor, 4, &ignored);
        cursor->err = with.err;
        if (result == 0)
            return 0;
    }
    return damaged(cursor, "an element without a name");
}

static int compile_open(struct compile *compile, bool attributes)
{
    struct element *element = &compile->elements[compile->depth];
    if (compile->depth == BINXML_DEPTH_MAX)
        return damaged(&compile->cursor, "too many nested elements");
    if (take_element_head(&compile->cursor, attributes, element) < 0)
        return -1;
    compile->depth++;
    compile->start_tag = written(compile);
    compile->start_tag_whole = false;
    buffer_put_char(literals(compile), '<');
    put_name(compile, element);
    compile->start_name_len = written(compile) - compile->start_tag - 1;
    while (peek(&compile->cursor) == TOKEN_ATTRIBUTE)
        if (compile_attribute(compile) < 0)
            return -1;
    return 0;
}

static int compile_close(struct compile *compile, const char *how)
{
    if (compile->depth == 0)
        return damaged(&compile->cursor, "an end tag too many");
    compile->depth--;
    if (how) {
        buffer_put_text(literals(compile), how);
        return 0;
    }
    buffer_put_text(literals(compile), "</");
    put_name(compile, &compile->elements[compile->depth]);
    buffer_put_char(literals(compile), '>');
    return 0;
}

/* <Data Name="x">value</Data>, where an array makes several elements. */
static int compile_content_value(struct compile *compile)
{
    uint32_t value;
    bool whole =
        compile->start_tag_whole && compile->text_start <= compile->start_tag && compile->depth > 0;
    if (take_substitution(compile, &value) < 0)
        return -1;
    if (!whole || peek(&compile->cursor) != TOKEN_CLOSE)
        return add_value_op(compile, OP_VALUE, written(compile), value);
    compile->cursor.at++;
    compile->depth--;
    return add_value_op(compile, OP_ELEMENT, compile->start_tag, value);
}

static int compile_counted_text(struct compile *compile, const char *before, const char *after)
{
    uint32_t count;
    struct slice bytes;
    if (take_number(&compile->cursor, 2, &count) < 0 ||
        take(&compile->cursor, (size_t)count * 2, &bytes) < 0)
        return -1;
    buffer_put_text(literals(compile), before);
    binxml_put_utf16(bytes, literals(compile));
    buffer_put_text(literals(compile), after);
    return 0;
}

static int compile_pi_target(struct compile *compile)
{
    struct element name;
    if (take_name(&compile->cursor, &name) < 0)
        return -1;
    buffer_put_text(literals(compile), "<?");
    put_name(compile, &name);
    if (peek(&compile->cursor) == TOKEN_PI_DATA) {
        compile->cursor.at++;
        return compile_counted_text(compile, " ", "?>");
    }
    buffer_put_text(literals(compile), "?>");
    return 0;
}

static int skip_template_instance(struct cursor *cursor);

/* An instance inside other content: rendered when the time comes, from its place. */
static int compile_template(struct compile *compile)
{
    uint32_t at = (uint32_t)compile->cursor.at;
    if (skip_template_instance(&compile->cursor) < 0)
        return -1;
    return add_value_op(compile, OP_TEMPLATE, written(compile), at);
}

static int compile_token(struct compile *compile, uint8_t byte)
{
    switch (byte & ~TOKEN_MORE) {
    case TOKEN_OPEN:
        return compile_open(compile, byte & TOKEN_MORE);
    case TOKEN_CLOSE_START:
        buffer_put_char(literals(compile), '>');
        compile->start_tag_whole = true;
        return 0;
    case TOKEN_CLOSE_EMPTY:
        return compile_close(compile, "/>");
    case TOKEN_CLOSE:
        return compile_close(compile, NULL);
    case TOKEN_VALUE:
        return compile_literal(compile);
    case TOKEN_CDATA: /* as escaped text: the same to every reader, and it cannot end early */
        return compile_counted_text(compile, "", "");
    case TOKEN_CHAR:
    case TOKEN_ENTITY:
        return compile_reference(compile, byte & (uint8_t)~TOKEN_MORE);
    case TOKEN_PI_TARGET:
        return compile_pi_target(compile);
    case TOKEN_TEMPLATE:
        return compile_template(compile);
    case TOKEN_NORMAL:
    case TOKEN_OPTIONAL:
        return compile_content_value(compile);
    case TOKEN_FRAGMENT:
        compile->cursor.at += 3;
        return compile->cursor.at > compile->cursor.end ? damaged(&compile->cursor, "an early end")
                                                        : 0;
    default:
        compile->cursor.at--;
        return damaged(&compile->cursor, "an unknown token");
    }
}

static struct program *new_program(struct binxml *reader)
{
    struct program *program = arena_calloc(reader->arena, sizeof(*program));
    if (!program)
        return NULL;
    buffer_init(&program->literals, LITERALS_MAX - reader->literal_bytes);
    program->next = reader->all;
    reader->all = program;
    return program;
}

/* Up to the end token or the end of the data; cursor->at is behind it afterwards. */
static int compile_fragment(struct cursor *cursor, struct program *program)
{
    struct compile compile = {.cursor = *cursor, .program = program};
    struct binxml *reader = cursor->reader;
    reader->tokens += FRAGMENT_TOKENS;
    while (compile.cursor.at < compile.cursor.end) {
        uint8_t byte = (uint8_t)cursor->reader->chunk.ptr[compile.cursor.at++];
        if (byte == TOKEN_END)
            break;
        if (++reader->tokens > EVTX_CHUNK_TOKENS_MAX)
            return too_much(cursor->err);
        bool after_start = (byte & ~TOKEN_MORE) == TOKEN_CLOSE_START;
        if (compile_token(&compile, byte) < 0) {
            cursor->at = compile.cursor.at;
            return -1;
        }
        if (!after_start)
            compile.start_tag_whole = false;
    }
    cursor->at = compile.cursor.at;
    reader->literal_bytes += program->literals.len;
    if (buffer_failed(&program->literals))
        return too_much(cursor->err);
    if (compile.depth)
        return damaged(cursor, "an element that is not closed");
    return flush_text(&compile, written(&compile));
}

/* --- templates and their values --- */

static struct program *known_template(const struct binxml *reader, uint32_t offset)
{
    struct program *program = reader->templates[offset % TEMPLATES];
    while (program && program->offset != offset)
        program = program->beside;
    return program;
}

/* Template definition: u32 next, GUID (which begins with the id that instances repeat), u32 size, data. */
static int find_template(struct cursor *cursor, uint32_t offset, uint32_t id, struct program **out)
{
    struct binxml *reader = cursor->reader;
    if (offset == 0 || offset > reader->chunk.len || reader->chunk.len - offset < 24)
        return damaged(cursor, "a template outside of the chunk");
    if (reader->suspect && (uint32_t)binxml_number(slice_sub(reader->chunk, offset + 4, 4)) != id)
        return damaged(cursor, "another template than it names");
    struct program *program = *out = known_template(reader, offset);
    if (program)
        return program->broken ? damaged(cursor, "a broken template") : 0;
    size_t size = (size_t)binxml_number(slice_sub(reader->chunk, offset + 20, 4));
    if (size > reader->chunk.len - offset - 24)
        return damaged(cursor, "a template that is too long");
    program = *out = new_program(reader);
    if (!program)
        return err_nomem(cursor->err);
    program->offset = offset;
    program->beside = reader->templates[offset % TEMPLATES];
    reader->templates[offset % TEMPLATES] = program;
    struct cursor inside = *cursor;
    inside.at = offset + 24;
    inside.end = offset + 24 + size;
    program->broken = true; /* while it is compiled: one that is within itself */
    if (compile_fragment(&inside, program) < 0)
        return -1;
    program->broken = false;
    return 0;
}

/* u8 unknown, u32 template id, u32 offset of the definition, which may follow right here; u32
 * number of values, their descriptors, their bytes. */
struct instance {
    uint32_t template_id, template_offset;
    uint32_t count;
    size_t descriptors, data;
};

static int take_instance(struct cursor *cursor, struct instance *out)
{
    uint32_t ignored, size;
    struct slice bytes;
    if (take_number(cursor, 1, &ignored) < 0 || take_number(cursor, 4, &out->template_id) < 0 ||
        take_number(cursor, 4, &out->template_offset) < 0)
        return -1;
    if (out->template_offset == cursor->at) {
        if (take(cursor, 20, &bytes) < 0 || take_number(cursor, 4, &size) < 0 ||
            take(cursor, size, &bytes) < 0)
            return -1;
    }
    if (take_number(cursor, 4, &out->count) < 0)
        return -1;
    if (out->count > BINXML_VALUES_MAX)
        return damaged(cursor, "too many values");
    out->descriptors = cursor->at;
    if (take(cursor, (size_t)out->count * 4, &bytes) < 0)
        return -1;
    out->data = cursor->at;
    return 0;
}

static size_t value_size(const struct cursor *cursor, const struct instance *instance, uint32_t i)
{
    return (size_t)binxml_number(
        slice_sub(cursor->reader->chunk, instance->descriptors + 4 * (size_t)i, 2));
}

static int skip_template_instance(struct cursor *cursor)
{
    struct instance instance;
    struct slice bytes;
    if (take_instance(cursor, &instance) < 0)
        return -1;
    for (uint32_t i = 0; i < instance.count; i++)
        if (take(cursor, value_size(cursor, &instance, i), &bytes) < 0)
            return -1;
    return 0;
}

struct value_ref {
    uint8_t type;
    struct slice bytes;
    size_t offset; /* in the chunk */
};

static int run(struct cursor *cursor, const struct program *program, const struct value_ref *values,
               uint32_t count, struct buffer *to);

/* BinXML inside a value: the offset of the value is known, so its names and templates resolve. */
static int render_nested(struct cursor *cursor, const struct value_ref *value, struct buffer *to)
{
    struct cursor inside = *cursor;
    inside.at = value->offset;
    inside.end = value->offset + value->bytes.len;
    if (++inside.nest > NEST_MAX)
        return damaged(&inside, "too many nested templates");
    struct program *program = new_program(cursor->reader);
    if (!program)
        return err_nomem(cursor->err);
    if (compile_fragment(&inside, program) < 0)
        return -1;
    return run(&inside, program, NULL, 0, to);
}

static int put_content(struct cursor *cursor, const struct value_ref *value, struct buffer *to)
{
    if (value->type == BINXML_XML)
        return value->bytes.len ? render_nested(cursor, value, to) : 0;
    if (!(value->type & BINXML_ARRAY)) {
        binxml_put_value(value->type, value->bytes, to);
        return 0;
    }
    uint8_t type = value->type & (uint8_t)~BINXML_ARRAY;
    struct slice rest = value->bytes, member;
    for (bool first = true; binxml_next_member(type, &rest, &member); first = false) {
        if (!first)
            buffer_put_text(to, ", ");
        binxml_put_value(type, member, to);
    }
    return 0;
}

/* The start tag, the content, the end tag; once for each member of an array. */
static int put_element(struct cursor *cursor, const struct program *program, const struct op *op,
                       const struct value_ref *value, struct buffer *to)
{
    struct slice tag = slice_sub(buffer_slice(&program->literals), op->text, op->text_len);
    struct slice name = slice_sub(tag, 1, op->name_len);
    bool array = value->type & BINXML_ARRAY;
    uint8_t type = value->type & (uint8_t)~BINXML_ARRAY;
    struct slice rest = value->bytes, member = SLICE_NONE;
    do {
        if (array && !binxml_next_member(type, &rest, &member) && value->bytes.len)
            break;
        buffer_put(to, tag);
        if (array)
            binxml_put_value(type, member, to);
        else if (put_content(cursor, value, to) < 0)
            return -1;
        buffer_put_text(to, "</");
        buffer_put(to, name);
        buffer_put_char(to, '>');
    } while (array && rest.len);
    return 0;
}

static int render_instance(struct cursor *cursor, struct buffer *to)
{
    struct instance instance;
    struct program *program = NULL;
    if (take_instance(cursor, &instance) < 0)
        return -1;
    if (++cursor->nest > NEST_MAX)
        return damaged(cursor, "too many nested templates");
    struct value_ref *values =
        mem_calloc(instance.count + 1, sizeof(*values)); /* short-lived, so not in the arena */
    if (!values)
        return err_nomem(cursor->err);
    int result = 0;
    for (uint32_t i = 0; i < instance.count && result == 0; i++) {
        size_t descriptor = instance.descriptors + 4 * (size_t)i;
        values[i].type = (uint8_t)cursor->reader->chunk.ptr[descriptor + 2];
        values[i].offset = cursor->at;
        result = take(cursor, value_size(cursor, &instance, i), &values[i].bytes);
    }
    struct cursor inside = *cursor;
    if (result == 0)
        result = find_template(&inside, instance.template_offset, instance.template_id, &program);
    if (result == 0)
        result = run(&inside, program, values, instance.count, to);
    mem_free(values);
    cursor->nest--;
    return result;
}

static int run(struct cursor *cursor, const struct program *program, const struct value_ref *values,
               uint32_t count, struct buffer *to)
{
    static const struct value_ref none;
    for (uint32_t i = 0; i < program->op_count; i++) {
        if (++cursor->reader->steps > EVTX_CHUNK_STEPS_MAX)
            return too_much(cursor->err);
        const struct op *op = &program->ops[i];
        const struct value_ref *value = op->value < count ? &values[op->value] : &none;
        struct slice text = slice_sub(buffer_slice(&program->literals), op->text, op->text_len);
        struct cursor inside = *cursor;
        int result = 0;
        switch (op->kind) {
        case OP_TEXT:
            buffer_put(to, text);
            break;
        case OP_VALUE:
            result = put_content(cursor, value, to);
            break;
        case OP_ATTRIBUTE:
            if (value->type == BINXML_NULL || value->bytes.len == 0)
                break;
            buffer_put(to, text);
            result = put_content(cursor, value, to);
            buffer_put_char(to, '"');
            break;
        case OP_ELEMENT:
            result = put_element(cursor, program, op, value, to);
            break;
        case OP_TEMPLATE:
            inside.at = op->value;
            inside.end = cursor->reader->chunk.len;
            result = render_instance(&inside, to);
            break;
        }
        if (result < 0)
            return -1;
        if (buffer_failed(to))
            return err_set(cursor->err, ERR_LIMIT, "the event's XML is longer than %zu bytes",
                           to->max);
    }
    return 0;
}

static int render(struct cursor *cursor, struct buffer *to)
{
    struct binxml *reader = cursor->reader;
    /* nearly always: fragment header, then one template instance */
    if (cursor->end - cursor->at > 5 && peek(cursor) == TOKEN_FRAGMENT &&
        reader->chunk.ptr[cursor->at + 4] == TOKEN_TEMPLATE) {
        cursor->at += 5;
        return render_instance(cursor, to);
    }
    struct program *program = new_program(reader);
    if (!program)
        return err_nomem(cursor->err);
    if (compile_fragment(cursor, program) < 0)
        return -1;
    return run(cursor, program, NULL, 0, to);
}

int binxml_render(struct binxml *reader, size_t start, size_t end, struct buffer *to,
                  struct err *err)
{
    assert(start <= end && end <= reader->chunk.len);
    struct cursor cursor = {.reader = reader, .at = start, .end = end, .err = err};
    size_t before = to->len;
    if (reader->xml_bytes > EVTX_CHUNK_XML_BYTES_MAX)
        return too_much(err);
    int result = render(&cursor, to);
    reader->xml_bytes += to->len - before;
    if (result == 0 && reader->suspect && end - cursor.at > REST_MAX)
        return damaged(&cursor, "fewer values than its length says");
    return result;
}
