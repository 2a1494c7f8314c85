#include "cut/user_agent.h"

#include "base/attr.h"
#include "base/bits.h"
#include "base/limits.h"
#include "pattern/literal_set.h"

#include <pthread.h>
#include <string.h>

/* In the order of asking: those that also carry the marks of others come first. */
struct program {
    const char *mark, *name;
    const char *version; /* the mark in front of the version, when it is another; "" for none */
    const char *device;  /* or NULL: told by the system */
};

static const struct program programs[] = {
    {"Googlebot", "Googlebot", NULL, "Spider"},
    {"bingbot", "bingbot", NULL, "Spider"},
    {"Baiduspider", "Baiduspider", NULL, "Spider"},
    {"YandexBot", "YandexBot", NULL, "Spider"},
    {"DuckDuckBot", "DuckDuckBot", NULL, "Spider"},
    {"AhrefsBot", "AhrefsBot", NULL, "Spider"},
    {"SemrushBot", "SemrushBot", NULL, "Spider"},
    {"Applebot", "Applebot", NULL, "Spider"},
    {"facebookexternalhit", "FacebookBot", NULL, "Spider"},
    {"Twitterbot", "Twitterbot", NULL, "Spider"},
    {"Slackbot", "Slackbot", NULL, "Spider"},
    {"curl", "curl", NULL, "Other"},
    {"Wget", "Wget", NULL, "Other"},
    {"python-requests", "Python Requests", NULL, "Other"},
    {"Python-urllib", "Python-urllib", NULL, "Other"},
    {"aiohttp", "Python aiohttp", NULL, "Other"},
    {"Go-http-client", "Go-http-client", NULL, "Other"},
    {"okhttp", "okhttp", NULL, "Other"},
    {"PostmanRuntime", "PostmanRuntime", NULL, "Other"},
    {"Apache-HttpClient", "Apache-HttpClient", NULL, "Other"},
    {"aws-cli", "aws-cli", NULL, "Other"},
    {"Boto3", "Boto3", NULL, "Other"},
    {"aws-sdk-", "aws-sdk", "", "Other"},
    {"Terraform", "Terraform", NULL, "Other"},
    {"kubectl", "kubectl", NULL, "Other"},
    {"kube-", "Kubernetes", "", "Other"},
    {"git/", "git", "git", "Other"},
    {"nmap", "Nmap", "", "Other"},
    {"Nikto", "Nikto", NULL, "Other"},
    {"sqlmap", "sqlmap", NULL, "Other"},
    {"masscan", "masscan", NULL, "Other"},
    {"zgrab", "zgrab", NULL, "Other"},
    {"WindowsPowerShell", "PowerShell", NULL, "Other"},
    {"PowerShell/", "PowerShell", "PowerShell", "Other"},
    {"MicroMessenger", "WeChat", NULL, NULL},
    {"Teams/", "Microsoft Teams", "Teams", NULL},
    {"Slack_SSB", "Slack Desktop Client", NULL, NULL},
    {"Edge/", "Edge", "Edge", NULL},
    {"EdgA/", "Edge Mobile", "EdgA", NULL},
    {"EdgiOS/", "Edge Mobile", "EdgiOS", NULL},
    {"Edg/", "Edge", "Edg", NULL},
    {"OPR/", "Opera", "OPR", NULL},
    {"Opera", "Opera", "Version", NULL},
    {"SamsungBrowser", "Samsung Internet", NULL, NULL},
    {"YaBrowser", "Yandex Browser", NULL, NULL},
    {"Vivaldi", "Vivaldi", NULL, NULL},
    {"Electron", "Electron", NULL, NULL},
    {"HeadlessChrome", "HeadlessChrome", NULL, NULL},
    {"CriOS", "Chrome Mobile iOS", NULL, NULL},
    {"FxiOS", "Firefox iOS", NULL, NULL},
    {"Firefox", "Firefox", NULL, NULL},
    {"Thunderbird", "Thunderbird", NULL, NULL},
    {"Chrome", "Chrome", NULL, NULL},
    {"MSIE", "IE", NULL, NULL},
    {"Trident", "IE", "rv:", NULL},
    {"Outlook", "Outlook", NULL, NULL},
    {"Safari", "Safari", "Version", NULL},
    {"AppleWebKit", "Apple Mail", NULL, NULL},
    {"Java/", "Java", "Java", "Other"},
    {"node-fetch", "node-fetch", NULL, "Other"},
    {"axios", "axios", NULL, "Other"},
};

/* Marks of systems, in the order of asking. */
enum system { WINDOWS_NT, IPHONE_OS, CPU_OS, MAC_OS_X, ANDROID, CHROME_OS, UBUNTU, LINUX, WINDOWS, SYSTEM_COUNT };
static const char *const systems[SYSTEM_COUNT] = {"Windows NT", "iPhone OS", "CPU OS", "Mac OS X", "Android",
                                                  "CrOS",       "Ubuntu",    "Linux",  "Windows"};
enum { MARK_COUNT = SYSTEM_COUNT + ARRAY_COUNT(programs), MARKS_BYTES_MAX = 256 * 1024 };

/* All marks as literals, systems first: one look at the text tells which of them are in it. */
static const struct literal_set *marks;
static struct arena *marks_arena; /* as long as the program */
static pthread_once_t marks_once = PTHREAD_ONCE_INIT;

static const char *mark_of(uint32_t number)
{
    return number < SYSTEM_COUNT ? systems[number] : programs[number - SYSTEM_COUNT].mark;
}

static void make_marks(void)
{
    struct literal list[MARK_COUNT];
    marks_arena = arena_new(MARKS_BYTES_MAX);
    for (uint32_t i = 0; i < MARK_COUNT; i++)
        list[i] = (struct literal){slice_text(mark_of(i)), LITERAL_ANYWHERE};
    if (marks_arena && literal_set_build(marks_arena, list, MARK_COUNT, &marks) < 0)
        marks = NULL;
}

struct seen {
    struct slice text;
    uint64_t bits[MARK_COUNT / 64 + 1];
};

static void see_marks(struct slice text, struct seen *out)
{
    uint32_t found[MARK_COUNT + 1], stamps[MARK_COUNT + 1] = {0};
    struct literal_scan scan = {.found = found, .stamps = stamps, .size = MARK_COUNT};
    *out = (struct seen){.text = text};
    pthread_once(&marks_once, make_marks);
    if (!marks) { /* memory was out: every mark is asked for */
        bits_fill(out->bits, MARK_COUNT);
        return;
    }
    literal_set_scan(marks, text, &scan);
    for (uint32_t i = 0; i < scan.count; i++)
        bits_set(out->bits, found[i]);
}

static struct slice find_mark(struct slice text, const char *mark)
{
    ptrdiff_t at = slice_find(text, slice_text(mark));
    return at < 0 ? SLICE_NONE : slice_from(text, (size_t)at + strlen(mark));
}

/* What is behind a mark; SLICE_NONE when it is not there. */
static struct slice behind(const struct seen *seen, uint32_t number)
{
    return bits_get(seen->bits, number) ? find_mark(seen->text, mark_of(number)) : SLICE_NONE;
}

/* "/1.2.3 more" is 1.2.3. */
static struct slice version_at(struct slice text)
{
    size_t len = 0;
    if (text.len && (text.ptr[0] == '/' || text.ptr[0] == ' ' || text.ptr[0] == '-'))
        text = slice_from(text, 1);
    while (len < text.len && ((text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '.' ||
                              text.ptr[len] == '_'))
        len++;
    while (len && (text.ptr[len - 1] == '.' || text.ptr[len - 1] == '_'))
        len--;
    return slice_sub(text, 0, len);
}

/* Versions of Apple's systems have underscores. */
static void put_os(struct user_agent *out, const char *name, struct slice version)
{
    size_t len = version.len < sizeof(out->os_version_room) ? version.len : 0;
    out->os_name = slice_text(name);
    for (size_t i = 0; i < len; i++)
        out->os_version_room[i] = (char)(version.ptr[i] == '_' ? '.' : version.ptr[i]);
    out->os_version_text = slice_of(out->os_version_room, len);
}

static struct slice windows_version(struct slice nt)
{
    static const char *const names[][2] = {{"10.0", "10"}, {"6.3", "8.1"}, {"6.2", "8"}, {"6.1", "7"},
                                           {"6.0", "Vista"}, {"5.2", "XP"}, {"5.1", "XP"}, {"5.0", "2000"}};
    struct slice version = version_at(nt);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(version, names[i][0]))
            return slice_text(names[i][1]);
    return version;
}

static void cut_os(const struct seen *seen, struct user_agent *out)
{
    struct slice rest;
    out->device = SLICE("Other");
    if ((rest = behind(seen, WINDOWS_NT)).ptr) {
        put_os(out, "Windows", windows_version(rest));
    } else if ((rest = behind(seen, IPHONE_OS)).ptr || (rest = behind(seen, CPU_OS)).ptr) {
        put_os(out, "iOS", version_at(rest));
        out->device = find_mark(seen->text, "iPad").ptr ? SLICE("iPad") : SLICE("iPhone");
    } else if ((rest = behind(seen, MAC_OS_X)).ptr) {
        put_os(out, "Mac OS X", version_at(rest));
        out->device = SLICE("Mac");
    } else if ((rest = behind(seen, ANDROID)).ptr) {
        put_os(out, "Android", version_at(rest));
        out->device = find_mark(seen->text, "Mobile").ptr ? SLICE("Generic Smartphone") : SLICE("Generic Tablet");
    } else if (behind(seen, CHROME_OS).ptr) {
        put_os(out, "Chrome OS", SLICE(""));
    } else if ((rest = behind(seen, UBUNTU)).ptr) {
        put_os(out, "Ubuntu", version_at(rest));
    } else if ((rest = behind(seen, LINUX)).ptr) {
        put_os(out, "Linux", version_at(rest));
    } else if (behind(seen, WINDOWS).ptr) {
        put_os(out, "Windows", SLICE(""));
    }
}

void user_agent_cut(struct slice text, struct user_agent *out)
{
    struct seen seen;
    *out = (struct user_agent){.name = SLICE("Other")};
    see_marks(text, &seen);
    cut_os(&seen, out);
    size_t first = bits_next(seen.bits, MARK_COUNT, SYSTEM_COUNT);
    struct slice rest;
    for (; first < MARK_COUNT && !(rest = behind(&seen, (uint32_t)first)).ptr;)
        first = bits_next(seen.bits, MARK_COUNT, first + 1);
    if (first >= MARK_COUNT)
        return;
    const struct program *program = &programs[first - SYSTEM_COUNT];
    out->name = slice_text(program->name);
    if (!program->version)
        out->version = version_at(rest);
    else if (*program->version)
        out->version = version_at(find_mark(text, program->version));
    if (program->device)
        out->device = slice_text(program->device);
}
