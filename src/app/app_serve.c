/* hinomi serve: the server, until SIGINT or SIGTERM; SIGHUP reads the gate's policy again. */
#include "app/service.h"

#include "app/privilege.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int read_config(struct config *config, const char *path, const char *dir,
                       struct arena *arena, struct err *err)
{
    config_defaults(config);
    if ((path ? config_read(path, arena, config, err) : config_settle(arena, config, err)) < 0)
        return -1;
    if (dir)
        config->dir = dir;
    return 0;
}

/* Waits for a signal to stop; ticks about once a second meanwhile. */
static void run_until_told(struct service *service, const sigset_t *signals)
{
    struct timespec half = {.tv_nsec = 500 * NS_PER_MS};
    for (int signal = -1; signal < 0 || signal == SIGHUP;) {
        signal = sigtimedwait(signals, NULL, &half);
        if (signal == SIGHUP)
            service_reload(service);
        service_tick(service);
    }
}

static int run(struct service *service, struct err *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: they inherit it */
    int result = service_start(service, err);
    if (result == 0) {
        service_print(service);
        run_until_told(service, &signals);
        fprintf(stderr, "hinomi: stopping\n");
    }
    service_stop(service);
    return result;
}

int app_serve(int argc, char **argv)
{
    const char *config_path = NULL, *dir = NULL;
    bool allow_root = false;
    const struct cli_option options[] = {
        {"--config", &config_path, NULL},
        {"--dir", &dir, NULL},
        {"--allow-root", NULL, &allow_root},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse("serve", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count)
        return cli_usage("serve", "'%s' is one word too many", words.words[0]);
    struct arena *arena = arena_new(16 * MIB);
    struct service *service = arena ? arena_calloc(arena, sizeof(*service)) : NULL;
    if (service)
        service->config_path = config_path;
    int result = service ? read_config(&service->config, config_path, dir, arena, &err)
                         : err_nomem(&err);
    if (result == 0)
        result = privilege_check(service->config.dir, allow_root, NULL, &err);
    if (result == 0)
        result = run(service, &err);
    arena_free(arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
