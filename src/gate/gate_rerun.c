#include "gate/gate_rerun.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "gate/gate_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#define POLICIES_BYTES_MAX (256 * MIB)
#define SCRATCH_MAX (16 * MIB)

struct gate_rerun {
    char dir[PATH_MAX];
    struct arena *arena;  /* of policies */
    struct map policies;  /* by digest */
    struct arena *scratch;
    struct batch *batch;
    char why[ERR_TEXT_SIZE];
};

/* ---- policies by their digest ---- */

static bool path_of(const char *dir, const char *digest, char to[PATH_MAX])
{
    int len = snprintf(to, PATH_MAX, "%s/policies/%s.yaml", dir, digest);
    return len > 0 && len < PATH_MAX;
}

int gate_policy_keep(const struct hin_io *io, const char *dir, const struct policy *policy, struct err *err)
{
    char path[PATH_MAX], folder[PATH_MAX];
    if (!path_of(dir, policy->digest, path) || snprintf(folder, sizeof(folder), "%s/policies", dir) >= PATH_MAX)
        return err_set(err, ERR_CONFIG, "the path %s is too long", dir);
    int fd = io->open(io->context, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        io->close(io->context, fd);
        return 0;
    }
    if (errno != ENOENT)
        return err_set_errno(err, errno, "cannot open %s", path);
    return io_make_dirs(io, folder, err) < 0 ? -1 : io_replace_file(io, path, policy->text, err);
}

static int policy_of(struct gate_rerun *rerun, const char *digest, const struct policy **out, struct err *err)
{
    char path[PATH_MAX];
    struct slice key = slice_text(digest);
    *out = map_find(&rerun->policies, key);
    if (*out)
        return 0;
    if (!path_of(rerun->dir, digest, path))
        return err_set(err, ERR_CONFIG, "the path %s is too long", rerun->dir);
    if (policy_load(path, rerun->arena, out, err) < 0)
        return -1;
    if (!slice_is(key, (*out)->digest))
        return err_set(err, ERR_CORRUPT, "%s is not what its name says", path);
    key = arena_copy(rerun->arena, key);
    return key.ptr && map_put(&rerun->policies, key, (void *)(uintptr_t)*out) == 0 ? 0 : err_nomem(err);
}

int gate_rerun_new(const char *dir, struct gate_rerun **out, struct err *err)
{
    struct gate_rerun *rerun = mem_calloc(1, sizeof(*rerun));
    *out = rerun;
    if (!rerun)
        return err_nomem(err);
    rerun->arena = arena_new(POLICIES_BYTES_MAX);
    rerun->scratch = arena_new(SCRATCH_MAX);
    rerun->batch = batch_new(SCRATCH_MAX);
    if (rerun->arena)
        map_init(&rerun->policies, rerun->arena);
    if (rerun->arena && rerun->scratch && rerun->batch && snprintf(rerun->dir, sizeof(rerun->dir), "%s", dir) < PATH_MAX)
        return 0;
    gate_rerun_free(rerun);
    *out = NULL;
    return err_nomem(err);
}

void gate_rerun_free(struct gate_rerun *rerun)
{
    if (!rerun)
        return;
    batch_free(rerun->batch);
    arena_free(rerun->scratch);
    arena_free(rerun->arena);
    mem_free(rerun);
}

/* ---- making it again ---- */

/* What the policy says to what it was given then. */
static int ask_again(struct gate_rerun *rerun, const struct book_decision *decision, struct gate_given *given,
                     struct gate_answer *out, uint32_t *approvals, struct err *err)
{
    const struct policy *policy;
    struct policy_verdict verdict;
    struct expr_scope scope = {.scratch = rerun->scratch, .now_ns = decision->answer.decided_ns, .clock = clock_real()};
    if (policy_of(rerun, given->digest, &policy, err) < 0)
        return -1;
    scope.zone = policy->zone;
    batch_reset(rerun->batch);
    arena_reset(rerun->scratch);
    gate_given_answer(given, &scope);
    if (!batch_add_row(rerun->batch) || !describe_request(&decision->request, scope.now_ns, rerun->batch) ||
        !gate_given_columns(given, rerun->batch))
        return err_nomem(err);
    if (policy_decide(policy, &scope, rerun->batch, &verdict, err) < 0)
        return -1;
    if (verdict.row)
        *approvals = verdict.row->approvals;
    *out = closed_further(policy, &decision->request, answer_of(&verdict, scope.now_ns), given->flags, rerun->scratch);
    out->policy_version = policy->version;
    return 0;
}

static int make_again(struct gate_rerun *rerun, const struct book_decision *decision, struct gate_given *given,
                      struct gate_answer *out, uint32_t *approvals, struct err *err)
{
    const struct gate_answer *was = &decision->answer;
    char row[64];
    (void)snprintf(row, sizeof(row), "%.*s", SLICE_ARG(was->row));
    *approvals = decision->approvals_needed;
    out->policy_version = was->policy_version;
    switch (given->how) {
    case HOW_POLICY:
        return ask_again(rerun, decision, given, out, approvals, err);
    case HOW_EXPIRED:
        *out = own_answer(HOW_EXPIRED, was->decided_ns);
        if (!gate_request_expired(&decision->request, was->decided_ns))
            out->row = SLICE("not expired");
        break;
    case HOW_RELEASED:
    case HOW_PAYLOAD:
        *out = own_answer(given->how, was->decided_ns);
        break;
    case HOW_DOUBT: /* its own sentence, and what was known beside it */
        *out = own_hold(row, was->decided_ns);
        out->row = was->row;
        for (; out->reason_count && out->reason_count < was->reason_count; out->reason_count++) {
            out->reasons_en[out->reason_count] = was->reasons_en[out->reason_count];
            out->reasons_ja[out->reason_count] = was->reasons_ja[out->reason_count];
        }
        break;
    }
    out->policy_version = was->policy_version;
    return 0;
}

static void shadowed(const struct gate_given *given, struct gate_answer *answer)
{
    if (!(given->flags & INPUT_SHADOW) || answer->decision == GATE_ALLOW)
        return;
    answer->shadow = true;
    answer->decision = GATE_ALLOW;
}

/* The first thing that is not the same, or NULL. */
static const char *difference(const struct gate_answer *was, const struct gate_answer *is)
{
    if (was->decision != is->decision || was->shadow != is->shadow)
        return "the decision";
    if (!slice_equal(was->row, is->row))
        return "the row";
    if (!slice_equal(was->policy_version, is->policy_version))
        return "the policy's version";
    if (was->reason_count != is->reason_count)
        return "the reasons";
    for (size_t i = 0; i < was->reason_count; i++)
        if (!slice_equal(was->reasons_en[i], is->reasons_en[i]) || !slice_equal(was->reasons_ja[i], is->reasons_ja[i]))
            return "the reasons";
    return NULL;
}

int gate_rerun_decision(struct gate_rerun *rerun, const struct book_decision *decision, gate_given_visit visit, void *context,
                        const char **why, struct err *err)
{
    struct gate_given given;
    struct gate_answer answer = {0};
    uint32_t approvals;
    unsigned char digest[REQUEST_DIGEST_SIZE];
    rerun->why[0] = '\0';
    *why = rerun->why;
    if (!gate_given_read(decision->inputs, &given))
        return err_set(err, ERR_CORRUPT, "what the decision was made from cannot be read");
    if (!request_digest(&decision->request, digest))
        return err_nomem(err);
    given.visit = visit;
    given.context = context;
    if (make_again(rerun, decision, &given, &answer, &approvals, err) < 0)
        return -1;
    shadowed(&given, &answer);
    const char *differs = memcmp(digest, decision->digest, sizeof(digest)) != 0 ? "the request's digest"
                          : given.differs || given.asked.len                    ? "what the policy asked for"
                          : approvals != decision->approvals_needed             ? "the approvals needed"
                                                                                : difference(&decision->answer, &answer);
    if (!differs)
        return 0;
    (void)snprintf(rerun->why, sizeof(rerun->why), "%s: now %s, row %.*s", differs, gate_decision_name(answer.decision),
                   SLICE_ARG(answer.row));
    return 1;
}
