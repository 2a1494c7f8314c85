/* Anybody's value in a question: the search still asks for just that value, as one literal; texts with {names} are refused or
 * taken apart without loss. The first byte says which. */
#include "base/limits.h"
#include "schedule/fill.h"
#include "schedule/question.h"
#include "search/parser.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_apart(struct slice text)
{
    struct fill_piece piece;
    struct err err;
    size_t before;
    int more;
    err_clear(&err);
    do {
        before = text.len;
        more = fill_next(&text, &piece, &err);
        assert(more != 1 || (text.len < before && (piece.word_count == 0 ? piece.text.len > 0 : piece.words[0].len > 0)));
    } while (more == 1);
    assert(more < 0 ? err.text[0] != 0 : text.len == 0);
}

/* The commands of the query stay those of the question. */
static void ask(struct slice value)
{
    static const struct slice fields[] = {{"user.name", 9}, {"user.id", 7}};
    static const struct question_type type = {{"user", 4}, fields, 2};
    const struct questions all = {.types = &type, .type_count = 1};
    const struct question question = {.search = SLICE("{match} {rule} | search indicator={entity} | stats count")};
    const struct entity entity = {SLICE("user"), value};
    const struct finding finding = {.title = value, .entities = &entity, .entity_count = 1};
    const struct question_subject subject = {.questions = &all, .finding = &finding, .entity = &entity};
    struct arena *arena = arena_new(64 * MIB);
    struct spl_query *query;
    struct slice text;
    struct err err;
    err_clear(&err);
    bool broken = slice_find_char(value, '\n') >= 0 || slice_find_char(value, '\r') >= 0;
    int made = question_search(&question, &subject, arena, &text, &err);
    assert(!broken || made < 0);
    if (made == 0 && spl_parse_with(text, arena, &(struct spl_options){0}, &query, &err) == 0) {
        assert(query->command_count == 3);
    } else {
        assert(err.text[0]);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice rest = slice_of((const char *)data + 1, size - 1);
    if (data[0] & 1)
        take_apart(rest);
    else
        ask(rest);
    return 0;
}
