#include "cut/winevent.h"

#include "base/limits.h"
#include "cut/xml_scan.h"

#define EVENT_DATA "winlog.event_data."

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

static int put(struct winevent *event, struct slice name, struct slice text, bool escaped)
{
    struct column *column = columns_find(event->columns, event->batch, name);
    if (!column) {
        event->left = true;
        return 0;
    }
    if (!column_has_row(column, event->row)) {
        if (event->fields == EVENT_FIELDS_MAX) {
            event->left = true;
            return 0;
        }
        event->fields++;
    } else if (column->count >= FIELD_VALUES_MAX &&
               column->rows[column->count - FIELD_VALUES_MAX] == event->row) {
        event->left = true;
        return 0;
    }
    if (escaped)
        text = xml_unescape(text, event->batch->arena);
    if (!text.ptr || column_add(event->batch, column, event->row, value_string(text)) < 0)
        return err_nomem(event->err);
    return 0;
}

/* prefix, then a and b joined by '_', without spaces. */
static int put_named(struct winevent *event, const char *prefix, struct slice a, struct slice b,
                     struct slice text, bool escaped)
{
    char name[FIELD_NAME_MAX];
    size_t len = strlen(prefix);
    memcpy(name, prefix, len);
    if (len + a.len + b.len + 1 > sizeof(name)) {
        event->left = true;
        return 0;
    }
    for (size_t i = 0; i < a.len; i++)
        if (a.ptr[i] != ' ')
            name[len++] = a.ptr[i];
    if (b.len)
        name[len++] = '_';
    memcpy(name + len, b.ptr ? b.ptr : "", b.len);
    return put(event, slice_of(name, len + b.len), text, escaped);
}

static int put_system(struct winevent *event, struct slice attribute, struct slice text,
                      bool escaped)
{
    for (size_t i = 0; i < ARRAY_COUNT(system_names); i++)
        if (slice_equal(system_names[i].element, event->element) &&
            slice_equal(system_names[i].attribute, attribute))
            return put(event, system_names[i].field, text, escaped);
    return put_named(event, "winlog.system.", event->element, attribute, text, escaped);
}

static enum winevent_section section_of(struct slice name)
{
    if (slice_is(name, "System"))
        return WINEVENT_SYSTEM;
    if (slice_is(name, "EventData"))
        return WINEVENT_DATA;
    return slice_is(name, "RenderingInfo") ? WINEVENT_RENDERING : WINEVENT_OTHER;
}

int winevent_open(struct winevent *event, struct slice name)
{
    event->depth++;
    if (event->depth == 1 && !slice_is(name, "Event"))
        return err_set(event->err, ERR_INPUT, "this is no Windows event but <%.*s>",
                       SLICE_ARG(name));
    if (event->depth == 2)
        event->section = section_of(name);
    event->element = name;
    event->data_name = SLICE_NONE;
    event->text = SLICE("");
    event->text_escaped = false;
    event->has_children = false;
    return 0;
}

int winevent_attribute(struct winevent *event, struct slice name, struct slice text, bool escaped)
{
    if (event->depth == 3 && event->section == WINEVENT_SYSTEM)
        return put_system(event, name, text, escaped);
    if (event->depth < 2 || slice_is(name, "xmlns"))
        return 0;
    if (!slice_is(name, "Name"))
        return 0;
    if (event->depth == 2)
        return put(event, SLICE("winlog.event_data_name"), text, escaped);
    event->data_name = text;
    if (escaped)
        event->data_name = xml_unescape(text, event->batch->arena);
    return event->data_name.ptr ? 0 : err_nomem(event->err);
}

/* Mostly one piece; CDATA and comments make several, which are joined. */
int winevent_text(struct winevent *event, struct slice piece, bool escaped)
{
    if (event->text.len == 0) {
        event->text = piece;
        event->text_escaped = escaped;
        return 0;
    }
    struct arena *arena = event->batch->arena;
    struct slice a = event->text_escaped ? xml_unescape(event->text, arena) : event->text;
    struct slice b = escaped ? xml_unescape(piece, arena) : piece;
    char *both = a.ptr && b.ptr ? arena_alloc(arena, a.len + b.len) : NULL;
    if (!both)
        return err_nomem(event->err);
    memcpy(mempcpy(both, a.ptr, a.len), b.ptr, b.len);
    event->text = slice_of(both, a.len + b.len);
    event->text_escaped = false;
    return 0;
}

static int leaf(struct winevent *event)
{
    if (event->depth < 3)
        return 0;
    switch (event->section) {
    case WINEVENT_SYSTEM:
        /* elements that only have attributes, such as Provider, have no text of their own */
        return event->text.len == 0
                   ? 0
                   : put_system(event, SLICE(""), event->text, event->text_escaped);
    case WINEVENT_RENDERING:
        return put_named(event, "winlog.rendering.", event->element, SLICE(""), event->text,
                         event->text_escaped);
    case WINEVENT_DATA:
        return put_named(event, EVENT_DATA,
                         event->data_name.ptr ? event->data_name : event->element, SLICE(""),
                         event->text, event->text_escaped);
    case WINEVENT_OTHER:
        return put_named(event, EVENT_DATA, event->element, SLICE(""), event->text,
                         event->text_escaped);
    case WINEVENT_NONE:
        break;
    }
    return 0;
}

int winevent_close(struct winevent *event)
{
    int result = event->has_children ? 0 : leaf(event);
    event->has_children = true; /* of the one outside */
    event->depth--;
    return result;
}
