#include "cut/json_event.h"

#include "base/mem.h"
#include "cut/json_names.h"

#include <assert.h>

enum { FRAMES_MAX = JSON_DEPTH_MAX };

/* An array whose members are objects: which columns they have had so far, to keep gaps. */
struct touched {
    struct column *column;
    uint32_t members; /* members of the array that the column covers */
};

struct frame {
    uint32_t first;  /* of its touched columns */
    uint32_t member; /* the member we are in */
};

struct json_cutter {
    struct json_scanner *scanner;
    struct json_names names;
    struct frame frames[FRAMES_MAX];
    struct touched *touched;
    size_t touched_size;
};

/* One event under way. */
struct put {
    struct json_cutter *cutter;
    const struct json_tokens *tokens;
    struct batch *batch;
    uint32_t row;
    unsigned flags;
    uint32_t fields;
    struct frame *frames; /* FRAMES_MAX, of the cutter */
    uint32_t frame_count;
    uint32_t touched_count;
    uint32_t touched_guess;
    struct err *err;
};

struct json_cutter *json_cutter_new(void)
{
    struct json_cutter *cutter = mem_calloc(1, sizeof(*cutter));
    if (!cutter)
        return NULL;
    cutter->scanner = json_scanner_new();
    if (!cutter->scanner) {
        mem_free(cutter);
        return NULL;
    }
    return cutter;
}

void json_cutter_free(struct json_cutter *cutter)
{
    if (!cutter)
        return;
    json_scanner_free(cutter->scanner);
    mem_free(cutter->touched);
    mem_free(cutter);
}

static bool short_integer(struct slice text, int64_t *out)
{
    bool negative = text.ptr[0] == '-';
    if (text.len > 18 || (negative && text.ptr[1] == '0'))
        return false;
    int64_t n = 0;
    for (size_t i = negative; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    *out = negative ? -n : n;
    return true;
}

static struct value number_value(struct put *put, struct slice text)
{
    int64_t n;
    if (short_integer(text, &n))
        return value_i64(n);
    struct value v = value_from_number_text(text, put->batch->arena);
    if (v.type == VALUE_STRING)
        put->flags |= JSON_CUT_NUMBER_TEXT;
    return v;
}

static int leaf_value(struct put *put, const struct json_token *token, struct value *out)
{
    struct slice text = json_token_text(token);
    if (LIKELY(token->kind == JSON_STRING && !token->text_escaped)) {
        *out = value_string(text);
        return 0;
    }
    switch ((enum json_kind)token->kind) {
    case JSON_NULL:
        *out = value_null();
        return 0;
    case JSON_FALSE:
    case JSON_TRUE:
        *out = value_bool(token->kind == JSON_TRUE);
        return 0;
    case JSON_NUMBER:
        *out = number_value(put, text);
        return out->type == VALUE_NULL ? err_nomem(put->err) : 0;
    case JSON_RAW:
        put->flags |= JSON_CUT_LEFT;
        *out = value_string(text);
        return 0;
    case JSON_STRING:
        if (token->text_escaped) {
            text = json_unescape(text, put->batch->arena);
            if (!text.ptr)
                return err_nomem(put->err);
        }
        *out = value_string(text);
        return 0;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    assert(token->kind < JSON_OBJECT); /* containers are no leaves */
    return -1;
}

/* False when the event has too many fields or the field too many values: the value is left out. */
static bool within_limits(struct put *put, const struct column *column)
{
    if (!column_has_row(column, put->row)) {
        if (put->fields >= EVENT_FIELDS_MAX)
            return false;
        put->fields++;
        return true;
    }
    return column->count < FIELD_VALUES_MAX ||
           column->rows[column->count - FIELD_VALUES_MAX] != put->row;
}

static int add(struct put *put, struct column *column, struct value v)
{
    if (!within_limits(put, column)) {
        put->flags |= JSON_CUT_LEFT;
        return 0;
    }
    return column_add(put->batch, column, put->row, v) < 0 ? err_nomem(put->err) : 0;
}

/* --- arrays of objects --- */

static struct touched *find_touched(struct put *put, const struct frame *frame, uint32_t end,
                                    const struct column *column)
{
    struct touched *list = put->cutter->touched;
    if (put->touched_guess >= frame->first && put->touched_guess < end &&
        list[put->touched_guess].column == column)
        return &list[put->touched_guess++];
    for (uint32_t i = frame->first; i < end; i++)
        if (list[i].column == column) {
            put->touched_guess = i + 1;
            return &list[i];
        }
    return NULL;
}

static struct touched *add_touched(struct put *put, struct column *column)
{
    struct json_cutter *cutter = put->cutter;
    if (put->touched_count == cutter->touched_size) {
        size_t size = cutter->touched_size ? cutter->touched_size * 2 : 64;
        void *list = mem_realloc(cutter->touched, size * sizeof(*cutter->touched));
        if (!list)
            return NULL;
        cutter->touched = list;
        cutter->touched_size = size;
    }
    struct touched *touched = &cutter->touched[put->touched_count++];
    *touched = (struct touched){.column = column, .members = 0};
    return touched;
}

static int add_gaps(struct put *put, struct touched *touched, uint32_t until)
{
    for (; touched->members < until; touched->members++)
        if (add(put, touched->column, value_null()) < 0)
            return -1;
    return 0;
}

/* The column is about to get a value in the present member of every open array: members before
 * that had none get a gap. Only the innermost frame may still learn new columns, since inner lists
 * stand behind outer ones; outer frames count the column when the inner one closes. */
static int before_value(struct put *put, struct column *column)
{
    if (!put->frame_count)
        return 0;
    struct frame *frame = &put->frames[put->frame_count - 1];
    struct touched *touched = find_touched(put, frame, put->touched_count, column);
    if (!touched) {
        /* gaps of outer members come first, when the column is new to this inner array */
        for (uint32_t i = 0; i + 1 < put->frame_count; i++) {
            uint32_t end = put->frames[i + 1].first;
            struct touched *outer = find_touched(put, &put->frames[i], end, column);
            struct touched missing = {.column = column};
            if (!outer && column_has_row(column, put->row))
                continue;
            if (add_gaps(put, outer ? outer : &missing, put->frames[i].member) < 0)
                return -1;
        }
        touched = add_touched(put, column);
        if (!touched)
            return err_nomem(put->err);
    }
    if (add_gaps(put, touched, frame->member) < 0)
        return -1;
    touched->members = frame->member + 1;
    return 0;
}

static struct frame *open_frame(struct put *put)
{
    assert(put->frame_count < FRAMES_MAX);
    struct frame *frame = &put->frames[put->frame_count++];
    *frame = (struct frame){.first = put->touched_count};
    return frame;
}

/* Gaps for the last members; then the columns count as seen in the member of the array outside. */
static int close_frame(struct put *put, uint32_t members)
{
    struct frame *frame = &put->frames[--put->frame_count];
    uint32_t end = put->touched_count;
    for (uint32_t i = frame->first; i < end; i++)
        if (add_gaps(put, &put->cutter->touched[i], members) < 0)
            return -1;
    if (!put->frame_count) {
        put->touched_count = frame->first;
        return 0;
    }
    struct frame *outer = &put->frames[put->frame_count - 1];
    uint32_t kept = frame->first;
    for (uint32_t i = frame->first; i < end; i++) {
        struct touched entry = put->cutter->touched[i];
        struct touched *known = find_touched(put, outer, frame->first, entry.column);
        if (known) {
            known->members = outer->member + 1;
        } else {
            entry.members = outer->member + 1;
            put->cutter->touched[kept++] = entry;
        }
    }
    put->touched_count = kept;
    return 0;
}

/* --- the walk over the tokens --- */

static int put_object(struct put *put, uint32_t object, struct json_name *name);

static int put_leaf(struct put *put, uint32_t at, struct json_name *name)
{
    UNSET struct value v;
    struct column *column = json_names_column(&put->cutter->names, name);
    if (!column) {
        put->flags |= JSON_CUT_LEFT; /* the batch has BATCH_COLUMNS_MAX columns */
        return 0;
    }
    if (leaf_value(put, &put->tokens->list[at], &v) < 0)
        return -1;
    if (LIKELY(column->newest_row != put->row && !put->frame_count && put->fields < EVENT_FIELDS_MAX)) {
        put->fields++;
        return column_add(put->batch, column, put->row, v) < 0 ? err_nomem(put->err) : 0;
    }
    return before_value(put, column) < 0 ? -1 : add(put, column, v);
}

static bool holds_objects(const struct json_tokens *tokens, uint32_t array)
{
    for (uint32_t i = array + 1; i < tokens->list[array].next; i = tokens->list[i].next)
        if (tokens->list[i].kind == JSON_OBJECT)
            return true;
    return false;
}

static int put_array(struct put *put, uint32_t array, struct json_name *name)
{
    const struct json_token *list = put->tokens->list;
    struct frame *frame = holds_objects(put->tokens, array) ? open_frame(put) : NULL;
    uint32_t members = 0;
    for (uint32_t i = array + 1; i < list[array].next; i = list[i].next, members++) {
        int result;
        if (frame)
            frame->member = members;
        if (list[i].kind == JSON_OBJECT)
            result = put_object(put, i, name);
        else if (list[i].kind == JSON_ARRAY)
            result = put_array(put, i, name);
        else
            result = put_leaf(put, i, name);
        if (result < 0)
            return -1;
    }
    return frame ? close_frame(put, members) : 0;
}

/* NULL with *skip: the name is too long; NULL without: memory is out. */
static struct json_name *member_name(struct put *put, const struct json_token *token, struct json_name *object,
                                     struct json_name *before, bool *skip)
{
    struct slice key = json_token_key(token);
    *skip = false;
    if (UNLIKELY(token->key_escaped))
        key = json_unescape(key, put->batch->arena);
    return key.ptr ? json_names_member(&put->cutter->names, object, before, key, skip) : NULL;
}

static int put_object(struct put *put, uint32_t object, struct json_name *name)
{
    const struct json_token *list = put->tokens->list;
    struct json_name *member = NULL;
    bool skip;
    for (uint32_t i = object + 1; i < list[object].next; i = list[i].next) {
        const struct json_token *token = &list[i];
        if (token->kind == JSON_NULL)
            continue;
        struct json_name *found = member_name(put, token, name, member, &skip);
        if (!found && !skip)
            return err_nomem(put->err);
        if (!found) {
            put->flags |= JSON_CUT_LEFT;
            continue;
        }
        member = found;
        int result = token->kind == JSON_OBJECT  ? put_object(put, i, member)
                     : token->kind == JSON_ARRAY ? put_array(put, i, member)
                                                 : put_leaf(put, i, member);
        if (result < 0)
            return -1;
    }
    return 0;
}

int json_cutter_scan(struct json_cutter *cutter, struct slice text, struct arena *arena,
                     struct json_tokens *out, struct err *err)
{
    return json_scan(cutter->scanner, text, JSON_DEPTH_MAX, arena, out, err);
}

int json_cutter_put(struct json_cutter *cutter, const struct json_tokens *tokens, uint32_t object,
                    struct slice prefix, struct batch *batch, uint32_t row, unsigned *flags,
                    struct err *err)
{
    if (object >= tokens->count || tokens->list[object].kind != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "the JSON value is not an object");
    if (prefix.len >= FIELD_NAME_MAX)
        return err_set(err, ERR_LIMIT, "a prefix of %zu bytes is too long", prefix.len);
    struct put put = {.cutter = cutter, .tokens = tokens, .batch = batch, .row = row, .err = err};
    put.frames = cutter->frames;
    struct json_name *root = json_names_begin(&cutter->names, batch, prefix);
    if (!root)
        return err_nomem(err);
    int result = put_object(&put, object, root);
    *flags |= put.flags | (tokens->not_utf8 ? JSON_CUT_NOT_UTF8 : 0U);
    return result;
}

int cut_json(struct json_cutter *cutter, struct slice text, struct slice prefix,
             struct batch *batch, uint32_t row, unsigned *flags, struct err *err)
{
    struct json_tokens tokens;
    return json_cutter_scan(cutter, text, batch->arena, &tokens, err) < 0
               ? -1
               : json_cutter_put(cutter, &tokens, 0, prefix, batch, row, flags, err);
}
