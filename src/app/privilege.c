#include "app/privilege.h"

#include "base/io.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

static uid_t new_uid;
static gid_t new_gid;

static int give(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return lchown(path, new_uid, new_gid);
}

static int become(const struct passwd *user, const char *dir, struct err *err)
{
    enum { FOLDERS_OPEN = 16 };
    if (io_make_dirs(io_real(), dir, err) < 0)
        return -1;
    new_uid = user->pw_uid;
    new_gid = user->pw_gid;
    if (nftw(dir, give, FOLDERS_OPEN, FTW_PHYS) != 0)
        return err_set_errno(err, errno, "cannot give %s to the user %s", dir, user->pw_name);
    if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return err_set_errno(err, errno, "cannot become the user %s", user->pw_name);
    return 0;
}

int privilege_check(const char *dir, bool allow_root, const char *fallback, struct err *err)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* secrets are in memory */
    if (geteuid() != 0 || allow_root)
        return 0;
    const struct passwd *user = getpwnam("hinomi");
    if (!user && fallback)
        user = getpwnam(fallback);
    if (!user)
        return err_set(err, ERR_CONFIG,
                       "hinomi does not run as root: make a user for it (adduser --system --group "
                       "hinomi), start it as another user, or say --allow-root");
    return become(user, dir, err);
}
