#include "cut/winxml.h"

#include "cut/xml_scan.h"

#define EVENT_DATA "winlog.event_data."

enum section { NONE, SYSTEM, EVENT_DATA_SECTION, RENDERING, OTHER };

struct cut {
    struct columns *columns;
    struct batch *batch;
    uint32_t row;
    uint32_t fields;
    bool left;
    struct err *err;
    enum section section;
    unsigned depth;
    struct slice element;   /* the innermost one open */
    struct slice data_name; /* its Name attribute */
    struct slice text;      /* its text so far */
    bool text_escaped;
    bool has_children;
};

/* Element and attribute of System to Winlogbeat's names; the attribute is "" for the text. */
static const struct {
    struct slice element, attribute, field;
} system_names[] = {
#define NAME(e, a, f)                                                                              \
    {                                                                                              \
        {e, sizeof(e) - 1}, {a, sizeof(a) - 1},                                                    \
        {                                                                                          \
            f, sizeof(f) - 1                                                                       \
        }                                                                                          \
    }
    NAME("Provider", "Name", "winlog.provider_name"),
    NAME("Provider", "Guid", "winlog.provider_guid"),
    NAME("Provider", "EventSourceName", "winlog.event_source_name"),
    NAME("EventID", "", "winlog.event_id"),
    NAME("EventID", "Qualifiers", "winlog.event_qualifiers"),
    NAME("Version", "", "winlog.version"),
    NAME("Level", "", "winlog.level"),
    NAME("Task", "", "winlog.task"),
    NAME("Opcode", "", "winlog.opcode"),
    NAME("Keywords", "", "winlog.keywords"),
    NAME("TimeCreated", "SystemTime", "winlog.time_created"),
    NAME("EventRecordID", "", "winlog.record_id"),
    NAME("Correlation", "ActivityID", "winlog.activity_id"),
    NAME("Correlation", "RelatedActivityID", "winlog.related_activity_id"),
    NAME("Execution", "ProcessID", "winlog.process.pid"),
    NAME("Execution", "ThreadID", "winlog.process.thread.id"),
    NAME("Channel", "", "winlog.channel"),
    NAME("Computer", "", "winlog.computer_name"),
    NAME("Security", "UserID", "winlog.user.identifier"),
#undef NAME
};

static int put(struct cut *cut, struct slice name, struct slice text, bool escaped)
{
    struct column *column = columns_find(cut->columns, cut->batch, name);
    if (!column) {
        cut->left = true;
        return 0;
    }
    if (!column_has_row(column, cut->row)) {
        if (cut->fields == EVENT_FIELDS_MAX) {
            cut->left = true;
            return 0;
        }
        cut->fields++;
    } else if (column->count >= FIELD_VALUES_MAX &&
               column->rows[column->count - FIELD_VALUES_MAX] == cut->row) {
        cut->left = true;
        return 0;
    }
    if (escaped)
        text = xml_unescape(text, cut->batch->arena);
    if (!text.ptr || column_add(cut->batch, column, cut->row, value_string(text)) < 0)
        return err_nomem(cut->err);
    return 0;
}

/* prefix, then a and b joined by '_', without spaces. */
static int put_named(struct cut *cut, const char *prefix, struct slice a, struct slice b,
                     struct slice text, bool escaped)
{
    char name[FIELD_NAME_MAX];
    size_t len = strlen(prefix);
    memcpy(name, prefix, len);
    if (len + a.len + b.len + 1 > sizeof(name)) {
        cut->left = true;
        return 0;
    }
    for (size_t i = 0; i < a.len; i++)
        if (a.ptr[i] != ' ')
            name[len++] = a.ptr[i];
    if (b.len)
        name[len++] = '_';
    memcpy(name + len, b.ptr ? b.ptr : "", b.len);
    return put(cut, slice_of(name, len + b.len), text, escaped);
}

static int put_system(struct cut *cut, struct slice attribute, struct slice text, bool escaped)
{
    for (size_t i = 0; i < ARRAY_COUNT(system_names); i++)
        if (slice_equal(system_names[i].element, cut->element) &&
            slice_equal(system_names[i].attribute, attribute))
            return put(cut, system_names[i].field, text, escaped);
    return put_named(cut, "winlog.system.", cut->element, attribute, text, escaped);
}

static enum section section_of(struct slice name)
{
    if (slice_is(name, "System"))
        return SYSTEM;
    if (slice_is(name, "EventData"))
        return EVENT_DATA_SECTION;
    return slice_is(name, "RenderingInfo") ? RENDERING : OTHER;
}

static int open_element(struct cut *cut, struct slice name)
{
    cut->depth++;
    if (cut->depth == 1 && !slice_is(name, "Event"))
        return err_set(cut->err, ERR_INPUT, "the XML is no Windows event but <%.*s>",
                       SLICE_ARG(name));
    if (cut->depth == 2)
        cut->section = section_of(name);
    cut->element = name;
    cut->data_name = SLICE_NONE;
    cut->text = SLICE("");
    cut->text_escaped = false;
    cut->has_children = false;
    return 0;
}

static int attribute(struct cut *cut, const struct xml_token *token)
{
    if (cut->depth == 3 && cut->section == SYSTEM)
        return put_system(cut, token->name, token->text, token->escaped);
    if (cut->depth < 2 || slice_is(token->name, "xmlns"))
        return 0;
    if (!slice_is(token->name, "Name"))
        return 0;
    if (cut->depth == 2)
        return put(cut, SLICE("winlog.event_data_name"), token->text, token->escaped);
    cut->data_name = token->text;
    if (token->escaped)
        cut->data_name = xml_unescape(token->text, cut->batch->arena);
    return cut->data_name.ptr ? 0 : err_nomem(cut->err);
}

/* Mostly one piece; CDATA and comments make several, which are joined. */
static int text(struct cut *cut, const struct xml_token *token)
{
    if (cut->text.len == 0) {
        cut->text = token->text;
        cut->text_escaped = token->escaped;
        return 0;
    }
    struct arena *arena = cut->batch->arena;
    struct slice a = cut->text_escaped ? xml_unescape(cut->text, arena) : cut->text;
    struct slice b = token->escaped ? xml_unescape(token->text, arena) : token->text;
    char *both = a.ptr && b.ptr ? arena_alloc(arena, a.len + b.len) : NULL;
    if (!both)
        return err_nomem(cut->err);
    memcpy(mempcpy(both, a.ptr, a.len), b.ptr, b.len);
    cut->text = slice_of(both, a.len + b.len);
    cut->text_escaped = false;
    return 0;
}

static int leaf(struct cut *cut)
{
    if (cut->depth < 3)
        return 0;
    switch (cut->section) {
    case SYSTEM:
        /* elements that only have attributes, such as Provider, have no text of their own */
        return cut->text.len == 0 ? 0 : put_system(cut, SLICE(""), cut->text, cut->text_escaped);
    case RENDERING:
        return put_named(cut, "winlog.rendering.", cut->element, SLICE(""), cut->text,
                         cut->text_escaped);
    case EVENT_DATA_SECTION:
        return put_named(cut, EVENT_DATA, cut->data_name.ptr ? cut->data_name : cut->element,
                         SLICE(""), cut->text, cut->text_escaped);
    case OTHER:
        return put_named(cut, EVENT_DATA, cut->element, SLICE(""), cut->text, cut->text_escaped);
    case NONE:
        break;
    }
    return 0;
}

static int close_element(struct cut *cut)
{
    int result = cut->has_children ? 0 : leaf(cut);
    cut->has_children = true; /* of the one outside */
    cut->depth--;
    return result;
}

int cut_winxml(struct columns *columns, struct slice xml, struct batch *batch, uint32_t row,
               bool *left, struct err *err)
{
    struct xml_scan scan = {.text = xml};
    struct cut cut = {.columns = columns, .batch = batch, .row = row, .err = err};
    struct xml_token token;
    int result = 0;
    columns_begin(columns, batch);
    do {
        xml_next(&scan, &token);
        switch (token.kind) {
        case XML_OPEN:
            result = open_element(&cut, token.name);
            break;
        case XML_ATTRIBUTE:
            result = attribute(&cut, &token);
            break;
        case XML_TEXT:
            result = text(&cut, &token);
            break;
        case XML_CLOSE:
            result = close_element(&cut);
            break;
        case XML_BAD:
            result =
                err_set(err, ERR_INPUT, "the XML is broken at byte %zu: %s", scan.at, scan.why);
            break;
        case XML_DONE:
            break;
        }
    } while (result == 0 && token.kind != XML_DONE);
    *left |= cut.left;
    return result;
}
