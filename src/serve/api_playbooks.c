/* Playbooks: which there are, starting one on an incident, saying to a run that a step is done (docs/actions.md). */
#include "respond/act/playbook.h"
#include "serve/api.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 500 };

void api_playbooks(struct api *api)
{
    struct err err;
    int64_t limit = api_number(api, "limit", LIST_DEFAULT, LIST_MAX);
    if (playbook_list_json(api->parts->act, http_param(api->request, "incident"), limit, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

static void reply_run(struct api *api, int64_t run, int status)
{
    struct err err;
    if (playbook_run_json(api->parts->act, run, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, status);
}

void api_playbook_run(struct api *api)
{
    struct err err;
    int64_t run = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = playbook_check_role(api->parts->act, api->param, api->caller.role, &err);
    if (result == 0)
        result = playbook_start(api->parts->act, api->param, api_text(body, "incident"), api->caller.user.name,
                                api->caller.is_token ? SLICE("token") : SLICE("session"), &run, &err);
    if (api_did(api, "playbook.run", api->param, api_text(body, "incident"), result, &err))
        reply_run(api, run, 201);
}

void api_playbook_state(struct api *api)
{
    struct err err;
    int64_t run;
    if (playbook_parse_run(api->param, &run, &err) < 0)
        api_reply_err(api, &err);
    else
        reply_run(api, run, 200);
}

static int read_answer(struct slice word, enum playbook_answer *out, struct err *err)
{
    static const char *const words[] = {"done", "skip", "approve"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (slice_is(word, words[i])) {
            *out = (enum playbook_answer)i;
            return 0;
        }
    return err_set(err, ERR_CONFIG, "answer is done, skip or approve");
}

/* What a person decides, a program does not. */
static int check_caller(const struct api *api, int64_t run, int64_t step, enum playbook_answer answer, struct err *err)
{
    enum role need;
    if (api->caller.is_token)
        return err_set(err, ERR_DENIED, "steps are answered by people who are signed in");
    if (playbook_role(api->parts->act, run, step, answer, &need, err) < 0)
        return -1;
    return role_allows(api->caller.role, need) ? 0 : err_set(err, ERR_DENIED, "this needs the role %s", role_name(need));
}

void api_playbook_step(struct api *api)
{
    struct err err;
    int64_t run = 0;
    enum playbook_answer answer;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int64_t step = json_i64_of(json_get(body, "step"), 0);
    int result = playbook_parse_run(api->param, &run, &err);
    if (result == 0)
        result = read_answer(api_text(body, "answer"), &answer, &err);
    if (result == 0)
        result = check_caller(api, run, step, answer, &err);
    if (result == 0)
        result = playbook_answer(api->parts->act, run, step, answer, api->caller.user.name, api_text(body, "text"), &err);
    if (api_did(api, "playbook.answer", api->param, api_text(body, "answer"), result, &err))
        reply_run(api, run, 200);
}

void api_playbook_stop(struct api *api)
{
    struct err err;
    int64_t run = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    bool undo = json_bool_of(json_get(body, "undo"), false);
    int result = playbook_parse_run(api->param, &run, &err);
    if (result == 0)
        result = playbook_stop(api->parts->act, run, undo, api->caller.user.name, &err);
    if (api_did(api, "playbook.stop", api->param, undo ? SLICE("undo") : SLICE(""), result, &err))
        reply_run(api, run, 200);
}
