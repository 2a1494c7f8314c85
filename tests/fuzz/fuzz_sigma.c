/* A rule file: no crash, and every document is in the set with a status and, unless active, a reason. */
#include "base/file.h"
#include "detect/detector.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *context, const struct finding *finding, const struct rule *rule,
                  const struct batch *batch, uint32_t row, struct err *err)
{
    (void)context, (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    return 0;
}

static void run_rules(const struct rule_set *rules)
{
    struct detector_options options = {.rules = rules, .found = ignore};
    struct detector *detector;
    struct err err;
    struct batch *batch = batch_new(4 * MIB);
    if (batch && batch_add_row(batch) && batch_put_text(batch, 0, "Image", SLICE("C:\\a.exe")) == 0 &&
        batch_put_text(batch, 0, "winlog.channel", SLICE("Security")) == 0 &&
        detector_new(&options, &detector, &err) == 0) {
        assert(detector_run(detector, batch, &err) == 0 || err.code == ERR_NOMEM);
        detector_free(detector);
    }
    batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct rule_options options = {.logsource_path = "content/logsources"};
    struct rule_set *rules;
    struct err err;
    snprintf(path, sizeof(path), "/tmp/hinomi-fuzz-sigma-%d.yml", (int)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || (size && fwrite(data, size, 1, file) != 1))
        return 0;
    fclose(file);
    if (rule_set_load(path, &options, &rules, &err) == 0) {
        for (size_t i = 0; i < rules->count; i++)
            assert(rules->rules[i]->status == RULE_ACTIVE || rules->rules[i]->reason.len);
        run_rules(rules);
        rule_set_free(rules);
    }
    unlink(path);
    return 0;
}
