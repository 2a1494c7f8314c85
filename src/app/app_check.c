/* hinomi check: what would stop a server from starting, or make it work wrongly. Changes nothing. */
#include "app/admin.h"
#include "app/check_content.h"
#include "app/config.h"
#include "app/report.h"
#include "base/file.h"
#include "base/io.h"
#include "base/time.h"
#include "cut/yaml.h"
#include "event/ip.h"
#include "net/conn.h"
#include "net/tls.h"
#include "respond/incidents/incident_chain.h"
#include "store/journal.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILES_WANTED = CONNECTIONS_MAX + 4096, CERT_DAYS_LOW = 30, DISK_PERCENT_LOW = 10 };
#define DISK_LEAST (2 * JOURNAL_FILE_BYTES) /* a journal file is laid out ahead */
#define DISK_LOW (5 * GIB)

struct check {
    struct report report;
    struct config config;
    const char *config_path;
    bool running; /* a server has the folder open */
};

/* ---- configuration ---- */

static void warn_plaintext(struct check *check, const char *name, const char *address)
{
    report_line(&check->report, REPORT_WARN, name, "plain text on %s, as insecure_plaintext says", address);
}

static void check_api(struct check *check)
{
    const struct listen_config *api = &check->config.api;
    struct ip ip;
    if (!ip_parse(slice_text(api->address), &ip))
        report_line(&check->report, REPORT_FAIL, "api", "'%s' is no address to listen on", api->address);
    else if (api->plaintext && !config_is_loopback(api->address))
        warn_plaintext(check, "api", api->address);
}

/* That they are well written was seen when the configuration was read. */
static void check_collectors(struct check *check)
{
    for (size_t i = 0; i < check->config.collect_count; i++) {
        const struct collector_settings *settings = &check->config.collect[i];
        const struct yaml_node *plain = yaml_get(settings->node, "insecure_plaintext");
        const struct yaml_node *address = yaml_get(settings->node, "address");
        const char *where = address ? settings_string(settings, "address") : NULL;
        bool yes;
        if (settings->enabled && where && yaml_to_bool(plain, &yes) && yes && !config_is_loopback(where))
            warn_plaintext(check, settings_name(settings), where);
    }
}

static void check_certificate(struct check *check)
{
    char cert[ADMIN_PATH_MAX], key[ADMIN_PATH_MAX], until[TIME_TEXT_SIZE];
    struct err err;
    struct tls_context *tls;
    int64_t end;
    const struct config *config = &check->config;
    bool own = config->cert && config->key;
    const char *cert_path = own ? config->cert : admin_path(config->dir, "tls/cert.pem", cert);
    const char *key_path = own ? config->key : admin_path(config->dir, "tls/key.pem", key);
    if (!own && access(cert_path, F_OK) != 0) {
        report_line(&check->report, REPORT_OK, "certificate",
                    "none yet; a self-signed one is made at the first start");
        return;
    }
    if (tls_server_new(cert_path, key_path, NULL, &tls, &err) < 0 ||
        tls_expires(cert_path, &end, &err) < 0) {
        report_line(&check->report, REPORT_FAIL, "certificate", "%s", err.text);
        return;
    }
    tls_context_free(tls);
    until[time_format(end, until)] = '\0';
    int64_t left = (end - clock_wall_ns(clock_real())) / NS_PER_DAY;
    report_line(&check->report,
                left < 0                ? REPORT_FAIL
                : left < CERT_DAYS_LOW ? REPORT_WARN
                                        : REPORT_OK,
                "certificate", "%s is valid until %s", cert_path, until);
}

static void check_config(struct check *check)
{
    const struct config *config = &check->config;
    uint64_t failed = check->report.lines[REPORT_FAIL];
    check_api(check);
    check_collectors(check);
    if (config->notifier_count == 0)
        report_line(&check->report, REPORT_WARN, "notifier", "nobody is told of incidents: there is no "
                    "notifier in the configuration");
    if (check->report.lines[REPORT_FAIL] == failed)
        report_line(&check->report, REPORT_OK, "configuration", "%s",
                    check->config_path ? check->config_path : "the defaults");
    check_certificate(check);
}

/* ---- the machine ---- */

/* A burst of datagrams waits in the socket's buffer, and what does not fit is lost. */
static void check_datagrams(struct check *check)
{
    bool datagrams = false;
    for (size_t i = 0; i < check->config.collect_count; i++) {
        const struct collector_settings *settings = &check->config.collect[i];
        datagrams |= settings->enabled && slice_is(slice_text(settings->kind->name), "syslog") &&
                     settings_has(settings, "transport", "udp");
    }
    unsigned long long room;
    FILE *file = datagrams ? fopen("/proc/sys/net/core/rmem_max", "re") : NULL;
    if (file && fscanf(file, "%llu", &room) == 1 && room < UDP_RECEIVE_BYTES)
        report_line(&check->report, REPORT_WARN, "datagrams",
                    "the system allows a socket a buffer of %llu bytes, so bursts are lost; sysctl -w net.core.rmem_max=%d",
                    room, UDP_RECEIVE_BYTES);
    if (file)
        fclose(file);
}

static void check_machine(struct check *check)
{
    check_datagrams(check);
    struct statvfs disk;
    struct rlimit files;
    if (statvfs(check->config.dir, &disk) == 0) {
        uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
        uint64_t percent = disk.f_blocks ? 100 * (uint64_t)disk.f_bavail / disk.f_blocks : 0;
        report_line(&check->report,
                    left < DISK_LEAST                               ? REPORT_FAIL
                    : left < DISK_LOW || percent < DISK_PERCENT_LOW ? REPORT_WARN
                                                                    : REPORT_OK,
                    "disk", "%llu MB are free, %llu %%", (unsigned long long)(left / 1000000),
                    (unsigned long long)percent);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_WANTED)
        report_line(&check->report, REPORT_WARN, "open files",
                    "this user may open %llu files; %d are needed for all connections (ulimit -n)",
                    (unsigned long long)files.rlim_cur, FILES_WANTED);
}

/* ---- the data folder ---- */

static void check_secret(struct check *check, const char *path)
{
    struct stat info;
    if (!path || stat(path, &info) < 0)
        return;
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        report_line(&check->report, REPORT_FAIL, "permissions",
                    "%s has mode %03o: others than its owner may use it (chmod 600)", path,
                    (unsigned)info.st_mode & 0777U);
    else
        report_line(&check->report, REPORT_OK, "permissions", "%s is its owner's alone", path);
}

static void check_secrets(struct check *check)
{
    static const char *const names[] = {"state.db", "tls/key.pem", "gate/gate.key"};
    char path[ADMIN_PATH_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_secret(check, admin_path(check->config.dir, names[i], path));
    check_secret(check, check->config.key);
    bool secret = false;
    for (size_t i = 0; i < check->config.notifier_count; i++)
        secret |= check->config.notifiers[i].secret.len > 0;
    for (size_t i = 0; i < check->config.action_count; i++)
        secret |= check->config.actions[i].secret.len > 0;
    if (secret)
        check_secret(check, check->config_path);
}

/* Each incident is a chain of its own; what is closed does not change. */
static void check_incidents(struct check *check, const char *path)
{
    struct database *database;
    struct incident_chain_sum sum;
    struct err err;
    int result = database_open_reading(path, &database, &err);
    if (result == 0)
        result = incident_chain_check(database, &sum, &err);
    if (result == 0)
        report_line(&check->report, REPORT_OK, "incidents", "%lld with %lld entries and %lld attachments, all as they were written",
                    (long long)sum.incidents, (long long)sum.entries, (long long)sum.attachments);
    else
        report_line(&check->report, err.code == ERR_CONFIG ? REPORT_WARN : REPORT_FAIL, "incidents", "%s", err.text);
    database_close(database);
}

static void check_database(struct check *check)
{
    char path[ADMIN_PATH_MAX];
    struct err err;
    if (access(admin_path(check->config.dir, "state.db", path), F_OK) != 0)
        report_line(&check->report, REPORT_OK, "state.db", "none yet; the first start makes it");
    else if (database_check(path, &err) < 0)
        report_line(&check->report, REPORT_FAIL, "state.db", "%s", err.text);
    else
        report_line(&check->report, REPORT_OK, "state.db", "whole");
    if (access(path, F_OK) == 0)
        check_incidents(check, path);
}

struct journal_sum {
    struct check *check;
    unsigned files;
    uint64_t events, torn, damaged;
};

static int sum_journal(void *context, const char *path, struct err *err)
{
    struct journal_sum *sum = context;
    struct journal_check found;
    (void)err;
    struct err why;
    sum->files++;
    if (journal_check_file(io_real(), path, &found, &why) < 0) {
        report_line(&sum->check->report, REPORT_FAIL, "journal", "%s", why.text);
        return 0;
    }
    sum->events += found.events;
    sum->torn += found.torn_bytes;
    sum->damaged += found.damaged_ranges;
    return 0;
}

static void check_journal(struct check *check)
{
    char path[ADMIN_PATH_MAX];
    struct err err;
    struct journal_sum sum = {.check = check};
    if (!file_is_dir(admin_path(check->config.dir, "journal", path)))
        return;
    if (file_walk(path, ".journal", sum_journal, &sum, &err) < 0)
        report_line(&check->report, REPORT_FAIL, "journal", "%s", err.text);
    else if (sum.damaged)
        report_line(&check->report, REPORT_FAIL, "journal",
                    "%llu ranges are damaged; hinomi verify says where", (unsigned long long)sum.damaged);
    else
        report_line(&check->report, REPORT_OK, "journal", "%u files, %llu events%s", sum.files,
                    (unsigned long long)sum.events,
                    sum.torn ? "; an unfinished write at the end, which was not acknowledged" : "");
}

static void check_store(struct check *check)
{
    char path[ADMIN_PATH_MAX];
    struct err err;
    struct store *store;
    struct store_stats stats;
    struct store_config config = {.dir = admin_path(check->config.dir, "store", path),
                                  .read_only = true};
    if (!file_is_dir(path))
        return;
    if (store_open(&config, &store, &err) < 0) {
        report_line(&check->report, REPORT_FAIL, "store", "%s", err.text);
        return;
    }
    store_stats(store, &stats);
    store_close(store);
    report_line(&check->report, REPORT_OK, "store", "%llu events in %llu segments, %llu MB",
                (unsigned long long)stats.segment_rows, (unsigned long long)stats.segments,
                (unsigned long long)(stats.segment_bytes / 1000000));
}

static void check_folder(struct check *check)
{
    const char *dir = check->config.dir;
    if (!file_is_dir(dir)) {
        report_line(&check->report, REPORT_OK, "data folder", "%s is not there yet; the first start makes it",
                    dir);
        return;
    }
    check->running = admin_is_served(dir);
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        report_line(&check->report, REPORT_FAIL, "data folder", "%s: %s", dir, strerror(errno));
    else
        report_line(&check->report, REPORT_OK, "data folder", "%s%s", dir,
                    check->running ? "; a server has it open" : "");
    check_machine(check);
    check_secrets(check);
    check_database(check);
    check_journal(check);
    check_store(check);
}

int app_check(int argc, char **argv)
{
    const char *dir = NULL, *content = NULL;
    struct check check = {0};
    const struct cli_option options[] = {
        {"--config", &check.config_path, NULL}, {"--dir", &dir, NULL}, {"--content", &content, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("check", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count)
        return cli_usage("check", "'%s' is one word too many", words.words[0]);
    if (content && setenv("HINOMI_CONTENT", content, 1) < 0)
        return cli_usage("check", "--content cannot be used");
    struct arena *arena = arena_new(16 * MIB);
    if (!arena) {
        err_nomem(&err);
        return cli_fail(&err);
    }
    config_defaults(&check.config);
    int result = check.config_path ? config_read(check.config_path, arena, &check.config, &err)
                                   : config_settle(arena, &check.config, &err);
    if (dir)
        check.config.dir = dir;
    if (result < 0)
        report_line(&check.report, REPORT_FAIL, "configuration", "%s", err.text);
    else
        check_config(&check);
    check_waking(&check.report, &check.config);
    check_content(&check.report, &check.config, file_is_dir(check.config.dir) ? check.config.dir : NULL);
    check_folder(&check);
    arena_free(arena);
    return report_end(&check.report);
}
