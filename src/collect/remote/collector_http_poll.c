/* HTTP APIs, asked again and again. What is asked and in which order: collect/remote/poll_round.h. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/remote/poll_round.h"

struct collector_http_poll {
    struct reader_thread reader;
    struct poll_round round;
};

static const char *const methods[] = {"GET", "POST", NULL};
static const char *const ways[] = {"none", "basic", "token", "oauth2", "service_account", "aws", NULL};
static const char *const client_auths[] = {"post", "basic", "private_key", NULL};
static const char *const formats[] = {"json", "lines", "s3_list", NULL};
static const char *const fetch_formats[] = {"json", "lines", NULL};
static const char *const pagings[] = {"none", "link", "header", "url", "cursor", "page", "offset", NULL};

static const struct collector_option options[] = {
    {"preset", SETTING_TEXT, .summary = "a ready configuration: the name of a file of content/collect; what is written beside it counts more"},
    {"url", SETTING_URL, .required = true, .summary = "what is asked, with places such as ${start}, ${end:unix}, ${day:%Y/%m/%d}, ${each}, ${cursor}, ${page}"},
    {"method", SETTING_CHOICE, "GET", .choices = methods, .summary = "of these requests"},
    {"headers", SETTING_NODE, .summary = "further headers, as {Name: value}; secrets belong into secret"},
    {"body", SETTING_TEXT, .summary = "of these requests, with places as in url"},
    {"auth", SETTING_CHOICE, "none", .choices = ways, .summary = "how it says who it is; token also is GitHub's and Okta's"},
    {"user", SETTING_TEXT, .summary = "of auth: basic"},
    {"secret", SETTING_SECRET, .summary = "the password of auth: basic, the token of auth: token"},
    {"scheme", SETTING_TEXT, "Bearer", .summary = "the word before the token, such as SSWS; '' for none"},
    {"token_header", SETTING_TEXT, "Authorization", .summary = "the header that has the token"},
    {"token_url", SETTING_URL, .summary = "of auth: oauth2 and service_account, where tokens are given"},
    {"client_id", SETTING_TEXT, .summary = "of auth: oauth2; of service_account its address, which a JSON key file has as well"},
    {"client_secret", SETTING_SECRET, .summary = "of auth: oauth2"},
    {"client_auth", SETTING_CHOICE, "post", .choices = client_auths, .summary = "of auth: oauth2, how the client shows who it is: its secret in the form or as Basic, or a signature with private_key"},
    {"private_key", SETTING_SECRET, .summary = "of auth: service_account, and of client_auth: private_key: PEM of an RSA key, or the JSON key file that Google gives"},
    {"key_id", SETTING_TEXT, .summary = "of private_key, where the server knows several; a JSON key file has it"},
    {"subject", SETTING_TEXT, .summary = "of auth: service_account, the user it acts for"},
    {"scope", SETTING_TEXT, .summary = "of auth: oauth2 and service_account"},
    {"audience", SETTING_TEXT, .summary = "of auth: oauth2 and service_account; of the latter token_url as long as it is not given"},
    {"access_key", SETTING_SECRET, .summary = "of auth: aws, the id of the key"},
    {"secret_key", SETTING_SECRET, .summary = "of auth: aws"},
    {"session_token", SETTING_SECRET, .summary = "of auth: aws, with temporary keys"},
    {"region", SETTING_TEXT, .summary = "of auth: aws, such as ap-northeast-1"},
    {"service", SETTING_TEXT, .summary = "of auth: aws, such as s3"},
    {"format", SETTING_CHOICE, "json", .choices = formats, .summary = "of answers: JSON, one record a line, or the list of objects that S3 gives"},
    {"records", SETTING_TEXT, .summary = "path of the list of records in the answer, such as value; without it the answer is the list, or one record"},
    {"records_may_lack", SETTING_BOOL, "false", .summary = "true: an answer without that path has no records; false: it is an error"},
    {"id", SETTING_LIST, .summary = "path of a record's id, or those of its parts; records whose id was seen are left out"},
    {"entry", SETTING_TEXT, .summary = "path of what is to be fetched in each record: the answer is a list, and the events are in what it names"},
    {"fetch_url", SETTING_URL, .summary = "where an entry is fetched, with ${entry}; without it the entry is the URL"},
    {"fetch_format", SETTING_CHOICE, "json", .choices = fetch_formats, .summary = "of what is fetched; gzip is told by its first bytes"},
    {"fetch_records", SETTING_TEXT, .summary = "path of the list of records in what is fetched"},
    {"prepare_url", SETTING_URL, .summary = "POSTed once at the start, for each of `each`; a refusal is no error"},
    {"paging", SETTING_CHOICE, "none", .choices = pagings, .summary = "where the next page is named: a Link header, the header or path `next` (a URL, or a cursor for ${cursor}), or ${page} counts pages or records"},
    {"next", SETTING_TEXT, .summary = "name of the header, or path in the answer; it is not needed for format: s3_list"},
    {"more", SETTING_TEXT, .summary = "added to url for pages after the first, such as &after=${cursor}; with paging: page and offset for all"},
    {"first_page", SETTING_NUMBER, "0", .summary = "what ${page} begins with"},
    {"page_size", SETTING_NUMBER, .summary = "a page with fewer records is the last one; without it an empty one is"},
    {"each", SETTING_LIST, .summary = "values of ${each}: each round asks for each of them"},
    {"follow", SETTING_BOOL, "false", .summary = "true: the next page of the last answer is where the next round begins"},
    {"interval", SETTING_DURATION, "1m", .least = 100 * NS_PER_MS, .summary = "between two rounds"},
    {"start", SETTING_DURATION, "1h", .summary = "how far back the first round begins"},
    {"window", SETTING_DURATION, "1d", .least = NS_PER_SECOND, .summary = "the longest time that one round asks for"},
    {"overlap", SETTING_DURATION, .summary = "how much of the round before is asked for again, for events that the API has late; needs id"},
    {"delay", SETTING_DURATION, .summary = "how long before now a round ends"},
    {"reach", SETTING_DURATION, .summary = "how far back the API goes; nothing older is asked for"},
    {"timeout", SETTING_DURATION, "60s", .least = NS_PER_SECOND, .most = NS_PER_HOUR, .summary = "of a request"},
    {"ca_file", SETTING_PATH, .summary = "PEM file of the authorities that are believed; without it the system's"},
    {"certificate", SETTING_PATH, .summary = "PEM file: who we are, for servers that ask; with key"},
    {"key", SETTING_PATH, .summary = "PEM file of its key"},
    {"allow_private", SETTING_BOOL, "false", .summary = "true: http, and hosts of the own network, may be asked"},
};

static int check_urls(const struct collector_settings *settings, struct err *err)
{
    static const char *const names[] = {"url", "token_url", "fetch_url", "prepare_url"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_starts(settings_text(settings, names[i]), SLICE("http://")) && !settings_bool(settings, "allow_private"))
            return err_set(err, ERR_CONFIG, "%s: http sends secrets in the clear; write https, or allow_private: true for a server "
                           "of the own network", names[i]);
    return 0;
}

static int http_poll_check(const struct collector_settings *settings, struct err *err)
{
    if (!settings_string(settings, "certificate") != !settings_string(settings, "key"))
        return err_set(err, ERR_CONFIG, "certificate and key come together");
    if (check_urls(settings, err) < 0 || poll_auth_check(settings, err) < 0 || poll_fetch_check(settings, err) < 0)
        return -1;
    return poll_round_check(settings, err);
}

static void *run(void *context)
{
    struct collector_http_poll *collector = context;
    struct poll_round *round = &collector->round;
    bool behind = false;
    bool going = poll_round_resume(round) && poll_round_prepare(round);
    while (going) {
        going = poll_round_run(round, &behind) && !reader_is_stopping(&collector->reader);
        if (going && !behind)
            going = reader_sleep(&collector->reader, settings_number(collector->reader.settings, "interval"));
    }
    return NULL;
}

static int http_poll_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                          struct err *err)
{
    struct collector_http_poll *collector = *out = reader_new(sizeof(*collector), host, settings, 128 * KIB, err);
    if (!collector)
        return -1;
    if (poll_round_init(&collector->round, &collector->reader, err) < 0)
        return -1;
    return reader_thread_start(&collector->reader, run, collector, err);
}

static void http_poll_free(void *self)
{
    struct collector_http_poll *collector = self;
    poll_round_close(&collector->round);
    reader_free(collector);
}

static void http_poll_count(void *self, struct collector_counts *out)
{
    struct collector_http_poll *collector = self;
    out->gaps = atomic_load(&collector->round.gaps);
    reader_problem_of(&collector->reader, out->problem);
}

const struct collector_kind collector_http_poll = {
    .name = "http_poll",
    .summary = "HTTP APIs, asked again and again: audit logs of clouds and services",
    .details = "Ready configurations (preset: NAME): microsoft_365, entra_signins, entra_audits, okta, github, google_workspace, gcp_audit, aws_cloudtrail_s3. "
               "Each round asks for the time since the last one, less overlap, page by page; records whose id was seen are left "
               "out. How far it came is stored with the events, so that a restart or a kill neither loses nor doubles any.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = http_poll_check,
    .open = http_poll_open,
    .stop = reader_stop,
    .free = http_poll_free,
    .counts = http_poll_count,
};
