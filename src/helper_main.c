/*
 * hinomi-helper: runs scripts for `hinomi serve`, which starts no program itself (docs/actions.md). The owner starts it,
 * and says in its own configuration which scripts there are; each must be signed with the owner's key. Whoever has taken
 * over the server can ask for these scripts and give them an input, and nothing else.
 *
 *   connection ─ whose? (SO_PEERCRED) ─ request ─ listed? ─ signed? ─ the very bytes that were signed, sealed in memory,
 *   are run without a shell, with a clean environment, limits, a timeout ─ answer
 *
 * One request at a time. A small program: base/ and cut/ only, no network, no database.
 */
#include "base/clock.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "cut/json_tree.h"
#include "cut/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };
enum { CONFIG_BYTES_MAX = 64 * 1024, PEER_PATIENCE_S = 5, FILES_MAX = 64, DEFAULT_TIMEOUT_S = 30 };
#define SCRIPT_MEMORY_MAX (1 * GIB)
#define SCRIPT_WRITES_MAX (64 * MIB)

struct script {
    struct slice name;
    const char *path;
    int64_t timeout_ns;
};

struct helper {
    struct arena *arena;
    const char *socket;
    uid_t peer;
    unsigned char key[crypto_sign_PUBLICKEYBYTES];
    struct script scripts[HELPER_SCRIPTS_MAX];
    size_t count;
};

/* What came of a request. */
struct outcome {
    const char *word; /* done, failed, refused */
    char detail[ERR_TEXT_SIZE];
    struct buffer output;
    uint64_t output_bytes;
};

static int fail(const struct err *err)
{
    fprintf(stderr, "hinomi-helper: %s\n", err->text);
    return FAILED;
}

/* ---- configuration ---- */

static int read_base64(struct slice text, unsigned char *to, size_t size)
{
    size_t len;
    text = slice_trim(text);
    return sodium_base642bin(to, size, text.ptr, text.len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 && len == size ? 0 : -1;
}

static int read_peer(struct helper *helper, const struct yaml_node *node, struct err *err)
{
    int64_t uid;
    const char *name = arena_string(helper->arena, yaml_text(node, SLICE("")));
    if (!name)
        return err_nomem(err);
    const struct passwd *person = getpwnam(name);
    if (!person && (!slice_to_i64(yaml_text(node, SLICE("")), &uid) || uid < 0 || uid >= INT32_MAX))
        return yaml_err(err, node, "peer is the user (a name or a number) that hinomi serve runs as");
    helper->peer = person ? person->pw_uid : (uid_t)uid;
    return 0;
}

static int read_script(struct helper *helper, const struct yaml_node *node, struct err *err)
{
    struct script *script = &helper->scripts[helper->count];
    struct slice path = yaml_text(yaml_get(node, "path"), SLICE("")), timeout = yaml_text(yaml_get(node, "timeout"), SLICE_NONE);
    *script = (struct script){.name = yaml_text(yaml_get(node, "name"), SLICE("")), .path = arena_string(helper->arena, path),
                              .timeout_ns = DEFAULT_TIMEOUT_S * NS_PER_SECOND};
    if (!script->path)
        return err_nomem(err);
    if (!script->name.len || !path.len || path.ptr[0] != '/')
        return yaml_err(err, node, "a script is such as {name: isolate, path: /etc/hinomi/scripts/isolate, timeout: 30s}");
    if (timeout.ptr && (!duration_parse(timeout, &script->timeout_ns) || script->timeout_ns > HELPER_TIME_MAX_S * NS_PER_SECOND))
        return yaml_err(err, node, "a timeout is a duration of at most %d s", HELPER_TIME_MAX_S);
    helper->count++;
    return 0;
}

static int read_config(struct helper *helper, const char *path, struct err *err)
{
    const struct yaml_node *const *documents;
    struct sockaddr_un address;
    struct slice text;
    size_t count;
    if (file_read(path, CONFIG_BYTES_MAX, helper->arena, &text, err) < 0 || yaml_parse(text, helper->arena, &documents, &count, err) < 0)
        return -1;
    const struct yaml_node *root = count ? documents[0] : NULL, *scripts = yaml_get(root, "scripts");
    struct slice socket_path = yaml_text(yaml_get(root, "socket"), SLICE(""));
    helper->socket = arena_string(helper->arena, socket_path);
    if (!helper->socket)
        return err_nomem(err);
    if (!socket_path.len || socket_path.ptr[0] != '/' || socket_path.len >= sizeof(address.sun_path))
        return yaml_err(err, root, "socket is a path that begins with /, of less than %zu bytes", sizeof(address.sun_path));
    if (read_peer(helper, yaml_get(root, "peer"), err) < 0)
        return -1;
    if (read_base64(yaml_text(yaml_get(root, "key"), SLICE("")), helper->key, sizeof(helper->key)) < 0)
        return yaml_err(err, root, "key is the public key that hinomi-helper --new-key printed");
    if (!scripts || scripts->kind != YAML_SEQUENCE || scripts->count > HELPER_SCRIPTS_MAX)
        return yaml_err(err, root, "scripts is a list of at most %d", HELPER_SCRIPTS_MAX);
    for (size_t i = 0; i < scripts->count; i++)
        if (read_script(helper, scripts->entries[i].value, err) < 0)
            return -1;
    return 0;
}

/* ---- the script's bytes ---- */

static int verify(const struct helper *helper, const struct script *script, struct arena *arena, struct slice *out, struct err *err)
{
    unsigned char signature[crypto_sign_BYTES];
    struct slice text, name = arena_printf(arena, "%s.sig", script->path);
    if (!name.ptr)
        return err_nomem(err);
    if (file_read(script->path, HELPER_SCRIPT_BYTES_MAX, arena, out, err) < 0 || file_read(name.ptr, KIB, arena, &text, err) < 0)
        return -1;
    if (read_base64(text, signature, sizeof(signature)) == 0 &&
        crypto_sign_verify_detached(signature, (const unsigned char *)out->ptr, out->len, helper->key) == 0)
        return 0;
    return err_set(err, ERR_DENIED, "%s is not what %s signed", script->path, name.ptr);
}

/* In memory and sealed, so that what is run is what was verified. */
static int seal(struct slice bytes, struct err *err)
{
    int fd = memfd_create("script", MFD_ALLOW_SEALING); /* stays open over exec: an interpreter reads it by its number */
    if (fd < 0)
        return err_set_errno(err, errno, "memory for the script");
    if (io_write_all(io_real(), fd, bytes, 0, "the script", err) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
        return fd;
    err_set_errno(err, errno, "the script cannot be sealed");
    close(fd);
    return -1;
}

/* ---- running it ---- */

static void limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit bound = {most, most};
    if (setrlimit(what, &bound) < 0)
        _exit(126);
}

/* After fork: only what is safe there. fds: stdin, stdout and stderr of the script. */
static _Noreturn void become(const struct script *script, bool undo, int fd, int in, int out)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LANG=C.UTF-8", doing[] = "do", undoing[] = "undo", name[] = "script";
    char *const arguments[] = {name, undo ? undoing : doing, NULL}, *const environment[] = {path, language, NULL};
    if (setsid() < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || dup2(fd, 3) < 0 || chdir("/") < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(126);
    close_range(4, ~0U, 0);
    umask(077);
    limit(RLIMIT_CPU, (rlim_t)(script->timeout_ns / NS_PER_SECOND) + 1);
    limit(RLIMIT_AS, SCRIPT_MEMORY_MAX);
    limit(RLIMIT_FSIZE, SCRIPT_WRITES_MAX);
    limit(RLIMIT_NOFILE, FILES_MAX);
    limit(RLIMIT_CORE, 0);
    signal(SIGPIPE, SIG_DFL);
    fexecve(3, arguments, environment);
    _exit(127);
}

static void take_output(int fd, struct outcome *outcome, bool *open)
{
    char part[4096];
    ssize_t n = read(fd, part, sizeof(part));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    *open = n > 0;
    if (n <= 0)
        return;
    outcome->output_bytes += (uint64_t)n;
    size_t room = HELPER_OUTPUT_BYTES_MAX - outcome->output.len;
    buffer_put(&outcome->output, slice_of(part, (size_t)n < room ? (size_t)n : room));
}

/* Gives the input and takes the output until both are closed, the time is over (false), or the script has ended. */
static bool talk(int *in, int out, struct slice input, int64_t deadline_ns, struct outcome *outcome)
{
    for (bool open = true; open;) {
        int64_t left_ms = (deadline_ns - clock_mono_ns(clock_real())) / NS_PER_MS;
        struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = *in, .events = POLLOUT}};
        if (left_ms <= 0)
            return false;
        if (poll(fds, *in >= 0 ? 2 : 1, (int)left_ms) < 0 && errno != EINTR)
            return false;
        if (*in >= 0 && fds[1].revents) {
            ssize_t n = write(*in, input.ptr, input.len);
            input = slice_from(input, n > 0 ? (size_t)n : 0);
            if (!input.len || (n < 0 && errno != EAGAIN && errno != EINTR)) { /* a script need not read it */
                close(*in);
                *in = -1;
            }
        }
        if (fds[0].revents)
            take_output(out, outcome, &open);
    }
    return true;
}

static void judge(int status, bool in_time, const struct script *script, struct outcome *outcome)
{
    long long seconds = script->timeout_ns / NS_PER_SECOND;
    outcome->word = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "done" : "failed";
    if (!in_time)
        snprintf(outcome->detail, sizeof(outcome->detail), "it took longer than %lld s and was ended", seconds);
    else if (WIFSIGNALED(status))
        snprintf(outcome->detail, sizeof(outcome->detail), "it was ended by signal %d", WTERMSIG(status));
    else
        snprintf(outcome->detail, sizeof(outcome->detail), "exit %d", WEXITSTATUS(status));
}

static int start(const struct script *script, bool undo, int fd, int in[2], int out[2], pid_t *pid, struct err *err)
{
    if (pipe2(in, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "a pipe for the script");
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]), close(in[1]);
        return err_set_errno(err, errno, "a pipe for the script");
    }
    *pid = fork();
    if (*pid == 0)
        become(script, undo, fd, in[0], out[1]);
    close(in[0]), close(out[1]);
    if (*pid > 0)
        return 0;
    close(in[1]), close(out[0]);
    return err_set_errno(err, errno, "the script cannot be started");
}

static int run_script(const struct script *script, bool undo, int fd, struct slice input, struct outcome *outcome, struct err *err)
{
    int in[2], out[2], status = 0;
    pid_t pid = 0;
    int64_t deadline_ns = clock_mono_ns(clock_real()) + script->timeout_ns;
    if (start(script, undo, fd, in, out, &pid, err) < 0)
        return -1;
    (void)fcntl(in[1], F_SETFL, O_NONBLOCK);
    bool in_time = talk(&in[1], out[0], input, deadline_ns, outcome);
    if (in[1] >= 0)
        close(in[1]);
    while (in_time && waitpid(pid, &status, WNOHANG) == 0) { /* it closed its output, and may go on */
        (void)poll(NULL, 0, 10);
        in_time = clock_mono_ns(clock_real()) < deadline_ns;
    }
    (void)kill(-pid, SIGKILL); /* it, or what it left behind */
    if (!in_time)
        (void)waitpid(pid, &status, 0);
    close(out[0]);
    judge(status, in_time, script, outcome);
    return 0;
}

/* ---- a request ---- */

static const struct script *find_script(const struct helper *helper, struct slice name)
{
    for (size_t i = 0; i < helper->count; i++)
        if (slice_equal(helper->scripts[i].name, name))
            return &helper->scripts[i];
    return NULL;
}

static void refuse(struct outcome *outcome, const char *why)
{
    outcome->word = "refused";
    snprintf(outcome->detail, sizeof(outcome->detail), "%s", why);
}

static void answer_request(const struct helper *helper, struct slice text, struct arena *arena, struct outcome *outcome)
{
    const struct json_node *root;
    struct slice bytes;
    struct err err;
    if (json_tree_parse(text, arena, &root, &err) < 0) {
        refuse(outcome, "the request is no JSON");
        return;
    }
    const struct script *script = find_script(helper, json_text_of(json_get(root, "script"), SLICE("")));
    if (!script) {
        refuse(outcome, "there is no such script in the helper's configuration");
        return;
    }
    if (verify(helper, script, arena, &bytes, &err) < 0) {
        refuse(outcome, err.text);
        return;
    }
    int fd = seal(bytes, &err);
    if (fd < 0 || run_script(script, json_bool_of(json_get(root, "undo"), false), fd, text, outcome, &err) < 0) {
        outcome->word = "failed";
        snprintf(outcome->detail, sizeof(outcome->detail), "%s", err.text);
    }
    if (fd >= 0)
        close(fd);
    fprintf(stderr, "hinomi-helper: %.*s: %s (%s), %llu bytes of output\n", SLICE_ARG(script->name), outcome->word, outcome->detail,
            (unsigned long long)outcome->output_bytes);
}

/* ---- the socket ---- */

static int receive(int fd, void *to, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, (char *)to + at, len - at, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

static void send_answer(int fd, const struct outcome *outcome)
{
    struct buffer text, frame;
    struct json json;
    buffer_init(&text, HELPER_FRAME_BYTES_MAX);
    buffer_init(&frame, HELPER_FRAME_BYTES_MAX + 4);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "outcome", slice_text(outcome->word));
    json_put_text(&json, "detail", slice_text(outcome->detail));
    json_put_text(&json, "output", buffer_slice(&outcome->output));
    json_put_i64(&json, "output_bytes", (int64_t)outcome->output_bytes);
    json_close(&json, '}');
    buffer_put_le32(&frame, (uint32_t)text.len);
    buffer_put(&frame, buffer_slice(&text));
    struct slice rest = buffer_failed(&text) || buffer_failed(&frame) ? SLICE("") : buffer_slice(&frame);
    while (rest.len) {
        ssize_t n = send(fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (n <= 0 && errno != EINTR)
            break;
        rest = slice_from(rest, n > 0 ? (size_t)n : 0);
    }
    buffer_close(&text);
    buffer_close(&frame);
}

static bool is_known_peer(const struct helper *helper, int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == helper->peer)
        return true;
    fprintf(stderr, "hinomi-helper: a connection by another user than the peer was refused\n");
    return false;
}

static void serve_one(const struct helper *helper, int fd)
{
    const struct timeval patience = {.tv_sec = PEER_PATIENCE_S};
    struct outcome outcome = {.word = "refused", .detail = "the request is longer than a request may be"};
    struct arena *arena = arena_new(16 * MIB);
    unsigned char head[4];
    buffer_init(&outcome.output, HELPER_OUTPUT_BYTES_MAX);
    if (arena && is_known_peer(helper, fd) && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 && receive(fd, head, sizeof(head)) == 0) {
        size_t len = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        char *text = len <= HELPER_FRAME_BYTES_MAX ? arena_alloc(arena, len + 1) : NULL;
        bool came = text && receive(fd, text, len) == 0;
        if (came)
            answer_request(helper, slice_of(text, len), arena, &outcome);
        if (came || len > HELPER_FRAME_BYTES_MAX)
            send_answer(fd, &outcome);
    }
    buffer_close(&outcome.output);
    arena_free(arena);
    close(fd);
}

static int listen_on(const struct helper *helper, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, helper->socket, strlen(helper->socket));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "a socket");
    (void)unlink(helper->socket); /* of a run before */
    /* anybody may knock; whose connection it is, the kernel says */
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && chmod(helper->socket, 0666) == 0 && listen(fd, 16) == 0)
        return fd;
    err_set_errno(err, errno, "cannot listen on %s", helper->socket);
    close(fd);
    return -1;
}

static int serve(const char *path)
{
    struct err err;
    struct helper helper = {.arena = arena_new(4 * MIB)};
    if (!helper.arena || read_config(&helper, path, &err) < 0) {
        if (!helper.arena)
            err_nomem(&err);
        err_within(&err, "%s", path);
        return fail(&err);
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(&helper, &err);
    if (listener < 0)
        return fail(&err);
    fprintf(stderr, "hinomi-helper: %zu scripts, listening on %s\n", helper.count, helper.socket);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve_one(&helper, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            (void)poll(NULL, 0, 1000); /* out of descriptors: that passes */
    }
}

/* ---- keys and signatures ---- */

static int write_base64(const char *path, const unsigned char *bytes, size_t size, mode_t mode, struct err *err)
{
    char text[2 * crypto_sign_SECRETKEYBYTES + 2];
    sodium_bin2base64(text, sizeof(text) - 1, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    size_t len = strlen(text);
    text[len++] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (mode == 0600 ? O_EXCL : O_TRUNC), mode);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot write %s", path);
    int result = io_write_all(io_real(), fd, slice_of(text, len), 0, path, err);
    close(fd);
    sodium_memzero(text, sizeof(text));
    return result;
}

static int new_key(const char *path)
{
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    char text[sodium_base64_ENCODED_LEN(crypto_sign_PUBLICKEYBYTES, sodium_base64_VARIANT_ORIGINAL)];
    struct err err;
    crypto_sign_keypair(public_key, secret);
    int result = write_base64(path, secret, sizeof(secret), 0600, &err);
    sodium_memzero(secret, sizeof(secret));
    if (result < 0)
        return fail(&err);
    printf("key: %s\n", sodium_bin2base64(text, sizeof(text), public_key, sizeof(public_key), sodium_base64_VARIANT_ORIGINAL));
    return DONE;
}

static int sign(const char *key_path, const char *path)
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
    struct arena *arena = arena_new(4 * MIB);
    struct slice key, bytes, name = SLICE_NONE;
    struct err err;
    int result = arena ? file_read(key_path, KIB, arena, &key, &err) : err_nomem(&err);
    if (result == 0)
        result = file_read(path, HELPER_SCRIPT_BYTES_MAX, arena, &bytes, &err);
    if (result == 0 && read_base64(key, secret, sizeof(secret)) < 0)
        result = err_set(&err, ERR_CONFIG, "%s is no key that hinomi-helper --new-key made", key_path);
    if (result == 0) {
        crypto_sign_detached(signature, NULL, (const unsigned char *)bytes.ptr, bytes.len, secret);
        name = arena_printf(arena, "%s.sig", path);
        result = name.ptr ? write_base64(name.ptr, signature, sizeof(signature), 0644, &err) : err_nomem(&err);
    }
    sodium_memzero(secret, sizeof(secret));
    if (result == 0)
        printf("%s\n", name.ptr);
    arena_free(arena);
    return result < 0 ? fail(&err) : DONE;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        return FAILED;
    if (argc == 3 && strcmp(argv[1], "--config") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--new-key") == 0)
        return new_key(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--sign") == 0)
        return sign(argv[2], argv[3]);
    fputs("hinomi-helper " HINOMI_VERSION "\n"
          "  hinomi-helper --config FILE       runs the scripts of FILE when hinomi serve asks\n"
          "  hinomi-helper --new-key KEY       makes a key of the owner's; prints the line for FILE\n"
          "  hinomi-helper --sign KEY SCRIPT   writes SCRIPT.sig\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage.\n", stderr);
    return WRONG_USAGE;
}
