/* Questions with the values of a finding, and answers with those of rows. */
#include "schedule/question.h"

#include "base/limits.h"
#include "base/time.h"
#include "event/schema.h"
#include "schedule/fill.h"
#include "search/rows.h"

static int finish(struct buffer *to, struct arena *arena, const char *what, size_t max, struct slice *out, struct err *err)
{
    int result = 0;
    *out = buffer_failed(to) ? SLICE_NONE : arena_copy(arena, buffer_slice(to));
    if (buffer_failed(to))
        result = err_set(err, ERR_LIMIT, "%s has more than %zu bytes with its values, or memory is out", what, max);
    else if (!out->ptr)
        result = err_nomem(err);
    buffer_close(to);
    return result;
}

/* ---- the search ---- */

static int put_test(struct buffer *to, struct slice field, struct slice value, struct err *err)
{
    buffer_printf(to, "\"%.*s\"=", SLICE_ARG(field));
    return fill_put_literal(to, value, err);
}

static int put_match(struct buffer *to, const struct question_subject *subject, struct err *err)
{
    const struct question_type *type = question_type_find(subject->questions, subject->entity->type);
    int result = 0;
    buffer_put_char(to, '(');
    for (size_t i = 0; type && result == 0 && i < type->field_count; i++) {
        buffer_put_text(to, i ? " OR " : "");
        result = put_test(to, type->fields[i], subject->entity->value, err);
    }
    buffer_put_char(to, ')');
    return result;
}

/* Without any: what no event is. */
static int put_evidence(struct buffer *to, const struct finding *finding, struct err *err)
{
    size_t count = finding->evidence_count < QUESTION_EVIDENCE_MAX ? finding->evidence_count : QUESTION_EVIDENCE_MAX;
    int result = 0;
    buffer_put_char(to, '(');
    for (size_t i = 0; result == 0 && i < count; i++) {
        buffer_put_text(to, i ? " OR " : "");
        result = put_test(to, SLICE("event.id"), finding->evidence[i].event_id, err);
    }
    if (!count)
        buffer_put_text(to, "NOT *");
    buffer_put_char(to, ')');
    return result;
}

static int put_rule(struct buffer *to, const struct finding *finding, struct err *err)
{
    bool has_id = finding->rule_id.len;
    buffer_put_char(to, ' ');
    return put_test(to, has_id ? SLICE("rule.id") : SLICE("rule.name"), has_id ? finding->rule_id : finding->title, err);
}

/* Findings that were there before this one. */
static int put_findings(struct buffer *to, const struct question_subject *subject, bool of_rule, struct err *err)
{
    const struct entity *entity = subject->entity;
    int result = 0;
    buffer_printf(to, "(event.dataset=hinomi.finding event.action=finding-raised NOT event.id=\"%s\"", subject->finding->id);
    if (of_rule) {
        result = put_rule(to, subject->finding, err);
    } else if (entity) {
        buffer_printf(to, " \"hinomi.entity.%.*s\"=", SLICE_ARG(entity->type));
        result = fill_put_literal(to, entity->value, err);
    }
    buffer_put_char(to, ')');
    return result;
}

/* Rows of all lists, each with the name of its list. Names are those of files that know_is_file_name() takes. */
static void put_lists(struct buffer *to, const struct question_subject *subject)
{
    for (size_t i = 0; i < subject->list_count; i++)
        buffer_printf(to, i ? " | append [ | inputlookup \"%.*s\" | eval list=\"%.*s\" ]" : "| inputlookup \"%.*s\" | eval list=\"%.*s\"",
                      SLICE_ARG(subject->lists[i]), SLICE_ARG(subject->lists[i]));
}

static int put_clause(struct buffer *to, struct slice name, const struct question_subject *subject, struct err *err)
{
    bool of_entity = slice_is(name, "match") || slice_is(name, "entity");
    if (of_entity && !subject->entity)
        return err_set(err, ERR_CONFIG, "{%.*s} is for questions about entities (for: [...])", SLICE_ARG(name));
    if (slice_is(name, "match"))
        return put_match(to, subject, err);
    if (slice_is(name, "entity"))
        return fill_put_literal(to, subject->entity->value, err);
    if (slice_is(name, "evidence"))
        return put_evidence(to, subject->finding, err);
    if (slice_is(name, "rule") || slice_is(name, "findings"))
        return put_findings(to, subject, slice_is(name, "rule"), err);
    if (!slice_is(name, "lists"))
        return err_set(err, ERR_CONFIG, "there is no {%.*s} in a search; there are match, entity, evidence, rule, findings and lists",
                       SLICE_ARG(name));
    put_lists(to, subject);
    return 0;
}

/* What stands before a value must not be inside of quotes, where the value's own would end them. */
static bool is_quoted(struct slice before)
{
    bool quoted = false;
    for (size_t i = 0; i < before.len; i++) {
        if (before.ptr[i] == '\\' && quoted)
            i++;
        else if (before.ptr[i] == '"')
            quoted = !quoted;
    }
    return quoted;
}

int question_search(const struct question *question, const struct question_subject *subject, struct arena *arena,
                    struct slice *out, struct err *err)
{
    struct slice rest = question->search;
    struct fill_piece piece;
    struct buffer to;
    int more;
    buffer_init(&to, QUESTION_SEARCH_MAX);
    while ((more = fill_next(&rest, &piece, err)) == 1) {
        buffer_put(&to, piece.text);
        if (piece.word_count > 1 || (piece.word_count && is_quoted(buffer_slice(&to))))
            more = err_set(err, ERR_CONFIG, "{%.*s} stands alone and outside of quotes: it brings its own", SLICE_ARG(piece.words[0]));
        else if (piece.word_count && put_clause(&to, piece.words[0], subject, err) < 0)
            more = -1;
        if (more < 0)
            break;
    }
    if (more < 0) {
        buffer_close(&to);
        return -1;
    }
    return finish(&to, arena, "the search", QUESTION_SEARCH_MAX, out, err);
}

/* ---- sentences ---- */

struct wording {
    const struct search_result *result; /* NULL: without rows */
    struct slice entity;
    struct arena *arena;
};

static struct slice text_at(const struct wording *wording, struct slice field, uint32_t row)
{
    return rows_text(batch_first(wording->result->rows, row, schema_alias(field)), wording->arena);
}

static void put_value(struct buffer *to, const struct wording *wording, struct slice field, uint32_t row)
{
    struct slice text = text_at(wording, field, row);
    if (text.len)
        fill_put_shown(to, text, ANSWER_VALUE_BYTES_MAX);
    else
        buffer_put_char(to, '-');
}

static void put_time(struct buffer *to, const struct wording *wording, struct slice field)
{
    struct value v = batch_first(wording->result->rows, 0, schema_alias(field));
    char text[TIME_TEXT_SIZE];
    int64_t time_ns;
    if (rows_time(v, &time_ns))
        buffer_put(to, slice_of(text, time_format_ms(time_ns, text)));
    else
        put_value(to, wording, field, 0);
}

/* Values of the first rows, or all of the first row's when it is the only one. */
static void put_list(struct buffer *to, const struct wording *wording, const struct fill_piece *piece)
{
    const struct batch *rows = wording->result->rows;
    const struct column *column = batch_find(rows, schema_alias(piece->words[1]));
    uint32_t shown = 0;
    for (uint32_t row = 0; column && row < rows->row_count; row++) {
        uint32_t first = 0, count = column_range(column, row, &first);
        for (uint32_t i = 0; i < count; i++) {
            if (shown == ANSWER_VALUES_MAX) {
                buffer_put_text(to, ", …");
                return;
            }
            buffer_put_text(to, shown++ ? ", " : "");
            fill_put_shown(to, rows_text(column_value(column, first + i), wording->arena), ANSWER_VALUE_BYTES_MAX);
            if (piece->word_count > 2) {
                buffer_put_text(to, " (");
                put_value(to, wording, piece->words[2], row);
                buffer_put_char(to, ')');
            }
        }
    }
    if (!shown)
        buffer_put_char(to, '-');
}

static void put_name(struct buffer *to, const struct wording *wording, const struct fill_piece *piece)
{
    struct slice first = piece->words[0];
    if (piece->word_count == 1 && slice_is(first, "entity"))
        fill_put_shown(to, wording->entity, ANSWER_VALUE_BYTES_MAX);
    else if (!wording->result)
        buffer_put_char(to, '-');
    else if (piece->word_count == 1 && slice_is(first, "rows"))
        buffer_put_u64(to, wording->result->row_count);
    else if (piece->word_count == 1)
        put_value(to, wording, first, 0);
    else if (slice_is(first, "time"))
        put_time(to, wording, piece->words[1]);
    else
        put_list(to, wording, piece);
}

static int fill(struct slice pattern, const struct wording *wording, struct slice *out, struct err *err)
{
    struct fill_piece piece;
    struct buffer to;
    int more;
    buffer_init(&to, ANSWER_BYTES_MAX);
    while ((more = fill_next(&pattern, &piece, err)) == 1) {
        buffer_put(&to, piece.text);
        if (piece.word_count)
            put_name(&to, wording, &piece);
    }
    if (more < 0) {
        buffer_close(&to);
        return -1;
    }
    return finish(&to, wording->arena, "the sentence", ANSWER_BYTES_MAX, out, err);
}

int question_text(struct slice pattern, struct slice entity, struct arena *arena, struct slice *out, struct err *err)
{
    const struct wording wording = {NULL, entity, arena};
    return fill(pattern, &wording, out, err);
}

static bool says_nothing(const struct search_result *result)
{
    double count;
    const struct column *column = result->rows->row_count ? batch_find(result->rows, SLICE("count")) : NULL;
    return !result->rows->row_count || (result->rows->row_count == 1 && column && rows_number(column, 0, &count) && count == 0);
}

static bool has_event(const struct question_answer *answer, struct slice id)
{
    for (size_t i = 0; i < answer->event_count; i++)
        if (slice_equal(answer->events[i], id))
            return true;
    return false;
}

static int read_events(const struct batch *rows, struct arena *arena, struct question_answer *out, struct err *err)
{
    const struct column *column = batch_find(rows, SLICE("events"));
    struct slice *list = arena_array(arena, ANSWER_EVENTS_MAX, sizeof(*list));
    if (!list)
        return err_nomem(err);
    out->events = list;
    for (uint32_t i = 0; column && i < column->count && out->event_count < ANSWER_EVENTS_MAX; i++) {
        struct slice id = rows_text(column_value(column, i), arena);
        if (id.len && !has_event(out, id))
            list[out->event_count++] = id;
    }
    return 0;
}

int question_answer(const struct question *question, struct slice entity, const struct search_result *result,
                    struct arena *arena, struct question_answer *out, struct err *err)
{
    const struct wording wording = {result, entity, arena};
    const struct both *pattern = says_nothing(result) ? &question->none : &question->answer;
    *out = (struct question_answer){0};
    return fill(pattern->en, &wording, &out->text.en, err) < 0 || fill(pattern->ja, &wording, &out->text.ja, err) < 0
               ? -1
               : read_events(result->rows, arena, out, err);
}
