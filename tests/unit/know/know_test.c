#include "know/know.h"

#include "base/limits.h"

#include "../folder.h"

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    fclose(file);
}

/* A slip in one definition leaves the others, and says where it is. */
static void wrong_definitions_are_noted_with_their_line(void **state)
{
    char folder[64], wanted[512];
    struct knowledge *set;
    struct err err;
    (void)state;
    folder_make(folder);
    write_file(folder, "a.yaml",
               "macro: one\ndefinition: a=1\n---\nmacro: two\ndefinitoin: a=2\n---\n"
               "lookup: out\nfile: ../passwd\n---\nmacro: [\n---\nmacro: three\ndefinition: a=3\n");
    assert_int_equal(know_load(NULL, folder, &set, &err), 0);
    assert_non_null(know_find_macro(set, SLICE("one"), 0, SLICE("")));
    assert_non_null(know_find_macro(set, SLICE("three"), 0, SLICE("")));
    assert_null(know_find_macro(set, SLICE("two"), 0, SLICE("")));
    const struct know_note *note = know_notes(set);
    snprintf(wanted, sizeof(wanted), "%s/a.yaml:5: here is no key 'definitoin'; the nearest is definition",
             folder);
    assert_true(note && note->wrong && slice_is(note->text, wanted));
    note = note->next;
    snprintf(wanted, sizeof(wanted),
             "%s/a.yaml:8: file is the name of a file in the folder of lookups, without a path", folder);
    assert_true(note && slice_is(note->text, wanted));
    note = note->next;
    snprintf(wanted, sizeof(wanted), "%s/a.yaml:1", folder);
    assert_true(note && note->wrong && slice_starts(note->text, slice_text(wanted)));
    assert_null(note->next);
    know_release(set);
    folder_remove(folder);
}

static struct slice definition_of(const struct knowledge *set, struct slice person)
{
    const struct know_object *object = know_find_macro(set, SLICE("m"), 0, person);
    return object ? ((const struct know_macro *)object->spec)->definition : SLICE_NONE;
}

/* own > shared > the data folder's > shipped; another's own is not seen. */
static void the_nearest_definition_wins(void **state)
{
    char shipped[64], folder[64];
    struct err err;
    (void)state;
    folder_make(shipped);
    folder_make(folder);
    write_file(shipped, "m.yaml", "macro: m\ndefinition: shipped\n");
    write_file(folder, "m.yaml", "macro: m\ndefinition: folder\n");
    struct know_builder *builder = know_builder_new();
    assert_int_equal(know_builder_folder(builder, shipped, KNOW_SHIPPED, &err), 0);
    assert_int_equal(know_builder_folder(builder, folder, KNOW_FOLDER, &err), 0);
    assert_int_equal(know_builder_text(builder, SLICE("macro: m\ndefinition: own"), SLICE("ann"), false,
                                       1, &err), 0);
    struct knowledge *set = know_builder_done(builder);
    assert_true(slice_is(definition_of(set, SLICE("ann")), "own"));
    assert_true(slice_is(definition_of(set, SLICE("bob")), "folder"));
    assert_true(slice_is(definition_of(set, SLICE("")), "folder"));
    assert_false(know_notes(set)->wrong);
    assert_true(slice_find(know_notes(set)->text, SLICE("this one counts")) > 0);
    struct knowledge *second = know_hold(set);
    know_release(set);
    assert_true(slice_is(definition_of(second, SLICE("ann")), "own"));
    know_release(second);
    folder_remove(shipped);
    folder_remove(folder);
}

static void a_model_knows_its_fields(void **state)
{
    struct err err;
    struct know_object object;
    const struct know_node *node;
    struct arena *arena = arena_new(16 * MIB);
    (void)state;
    assert_int_equal(know_parse(SLICE("data_model: M\nnodes:\n  Root:\n    constraint: a=1\n    fields:\n"
                                      "      dest: [host.name, host.ip]\n  Child:\n    parent: Root\n"
                                      "    constraint: b=1\n    fields:\n      own: {eval: 'lower(x)'}\n"),
                                arena, &object, &err), 0);
    const struct know_model *model = object.spec;
    const struct know_field *field = know_model_field(model, SLICE("Root.dest"), &node);
    assert_true(field && field->kind == KNOW_FIELDS && field->field_count == 2);
    field = know_model_field(model, SLICE("Root.Child.own"), &node);
    assert_true(field && field->kind == KNOW_EVAL && slice_is(node->path, "Root.Child"));
    assert_non_null(know_model_field(model, SLICE("Child.dest"), &node));
    assert_true(slice_is(node->path, "Root"));
    assert_null(know_model_field(model, SLICE("Root.own"), &node));
    assert_null(know_model_field(model, SLICE("host"), &node));
    assert_int_equal(know_parse(SLICE("data_model: M\nnodes: {A: {parent: B}}"), arena, &object, &err), -1);
    assert_string_equal(err.text, "line 2: before this node there is no node B");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_definitions_are_noted_with_their_line),
        cmocka_unit_test(the_nearest_definition_wins),
        cmocka_unit_test(a_model_knows_its_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
