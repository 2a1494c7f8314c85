#include "app/verify_memory.h"

#include "app/admin.h"
#include "base/file.h"
#include "base/io.h"
#include "flow/checkpoint.h"
#include "gate/gate_journal.h"
#include "gate/gate_journal_reader.h"

#include <string.h>
#include <unistd.h>

void verify_checkpoints(const char *dir, struct report *report)
{
    static const char *const names[] = {"memory/checkpoint.0", "memory/checkpoint.1"};
    char path[ADMIN_PATH_MAX];
    uint64_t files = 0, bytes = 0, newest = 0, failed = report->lines[REPORT_FAIL];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct err err;
        uint64_t position = 0, content;
        if (access(admin_path(dir, names[i], path), F_OK) != 0)
            continue;
        files++;
        if (checkpoint_check_file(path, &position, &content, &err) < 0)
            report_line(report, REPORT_FAIL, "checkpoint", "%s", err.text);
        else
            bytes += content;
        newest = position > newest ? position : newest;
    }
    if (access(admin_path(dir, "memory/lost", path), F_OK) == 0)
        report_line(report, REPORT_FAIL, "checkpoint", "%s: what was remembered is lost; the gate holds "
                    "everything until a person has looked and removed it", path);
    if (files && report->lines[REPORT_FAIL] == failed)
        report_line(report, REPORT_OK, "checkpoints", "%llu files, %llu bytes; the newer is as of journal "
                    "position %llu", (unsigned long long)files, (unsigned long long)bytes,
                    (unsigned long long)newest);
}

struct gate_files {
    struct report *report;
    struct gate_journal_place place; /* where the files so far lead: the next one must follow */
    uint64_t files, commits, records;
};

static int verify_gate_file(void *context, const char *path, struct err *ignored)
{
    struct gate_files *files = context;
    struct gate_journal_check found;
    struct err err;
    size_t len = strlen(path);
    bool newest = slice_ends(slice_of(path, len), SLICE("/gate.journal"));
    (void)ignored;
    files->files++;
    if (gate_journal_check_file(io_real(), path, &files->place, &found, &err) < 0) {
        if (access(path, F_OK) == 0) /* else the gate has begun a new file meanwhile */
            report_line(files->report, REPORT_FAIL, "gate journal", "%s", err.text);
        files->place.known = false;
        return 0;
    }
    files->commits += found.commits;
    files->records += found.records;
    if (found.torn_to > found.torn_from)
        report_line(files->report, newest ? REPORT_WARN : REPORT_FAIL, "gate journal",
                    "%s: bytes %llu to %llu are no whole commit%s", path,
                    (unsigned long long)found.torn_from, (unsigned long long)found.torn_to,
                    newest ? ": one that was not answered for, or the last one is damaged" : "");
    return 0;
}

void verify_gate(const char *dir, struct report *report)
{
    char path[ADMIN_PATH_MAX];
    uint64_t failed = report->lines[REPORT_FAIL];
    struct gate_files files = {.report = report};
    struct err err;
    if (!file_is_dir(admin_path(dir, "gate", path)))
        return;
    if (gate_journal_files(path, verify_gate_file, &files, &err) < 0)
        report_line(report, REPORT_FAIL, "gate journal", "%s", err.text);
    if (files.files && report->lines[REPORT_FAIL] == failed)
        report_line(report, REPORT_OK, "gate journal", "%llu files, %llu commits, %llu records",
                    (unsigned long long)files.files, (unsigned long long)files.commits,
                    (unsigned long long)files.records);
}
