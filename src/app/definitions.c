#include "app/definitions.h"

#include "app/admin.h"
#include "serve/knowing.h"

#include <unistd.h>

/* Those that people made; a folder without a state.db has none. */
static int add_kept(const char *dir, struct know_builder *builder, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    struct database *database;
    if (access(admin_path(dir, "state.db", path), F_OK) != 0)
        return 0;
    if (admin_open(dir, false, &database, err) < 0)
        return -1;
    int result = knowing_add_kept(builder, database, err);
    database_close(database);
    return result;
}

int definitions_begin(const char *dir, struct know_builder **out, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    *out = know_builder_new();
    if (!*out)
        return err_nomem(err);
    if (know_builder_folder(*out, cli_content("search"), KNOW_SHIPPED, err) == 0 &&
        (!dir || (know_builder_folder(*out, admin_path(dir, "content/search", path), KNOW_FOLDER,
                                      err) == 0 &&
                  add_kept(dir, *out, err) == 0)))
        return 0;
    know_builder_free(*out);
    *out = NULL;
    return -1;
}
