#include "app/definitions.h"

#include "app/admin.h"

int definitions_begin(const char *dir, struct know_builder **out, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    *out = know_builder_new();
    if (!*out)
        return err_nomem(err);
    if (know_builder_folder(*out, cli_content("search"), KNOW_SHIPPED, err) == 0 &&
        (!dir || know_builder_folder(*out, admin_path(dir, "content/search", path), KNOW_FOLDER,
                                     err) == 0))
        return 0;
    know_builder_free(*out);
    *out = NULL;
    return -1;
}
