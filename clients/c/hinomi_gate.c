#include "hinomi_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 12, ASK = 1, ANSWER = 2, CHECK = 3, CHECKED = 4, REPORT = 5, REPORTED = 6, REFUSED = 255, LINE_MAX_BYTES = 256 };
enum { BODY_MAX = 1 << 20, ANSWER_MAX = 16 << 20 };

struct bytes {
    unsigned char *at;
    size_t len, room;
    bool failed;
};

struct table_row {
    char action[128], asset[128], most[128], text[LINE_MAX_BYTES];
};

struct hinomi_gate {
    char *path, *spool;
    int fd, timeout_ms;
    struct table_row *rows;
    size_t row_count;
    struct bytes out, in;
};

/* ---- bytes ---- */

static bool make_room(struct bytes *to, size_t more)
{
    if (to->failed || to->room - to->len >= more)
        return !to->failed;
    size_t room = (to->len + more) * 2;
    unsigned char *at = realloc(to->at, room);
    if (!at) {
        to->failed = true;
        return false;
    }
    to->at = at;
    to->room = room;
    return true;
}

static void put(struct bytes *to, const void *from, size_t len)
{
    if (!make_room(to, len + 1))
        return;
    if (len)
        memcpy(to->at + to->len, from, len);
    to->len += len;
}

static void put_number(struct bytes *to, uint64_t n, size_t width)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (unsigned char)(n >> (8 * i));
    put(to, bytes, width);
}

static void put_block(struct bytes *to, const void *bytes, size_t len)
{
    put_number(to, len, 4);
    put(to, bytes, len);
}

static void put_text(struct bytes *to, const char *text)
{
    put_block(to, text, text ? strlen(text) : 0);
}

static void set_length(struct bytes *to, size_t at, size_t length)
{
    for (size_t i = 0; i < 4 && !to->failed; i++)
        to->at[at + i] = (unsigned char)(length >> (8 * i));
}

struct reading {
    const unsigned char *at;
    size_t len;
};

static bool take(struct reading *from, size_t len, const unsigned char **out)
{
    if (from->len < len)
        return false;
    *out = from->at;
    from->at += len;
    from->len -= len;
    return true;
}

static bool take_number(struct reading *from, size_t width, uint64_t *out)
{
    const unsigned char *bytes;
    *out = 0;
    if (!take(from, width, &bytes))
        return false;
    for (size_t i = 0; i < width; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return true;
}

static bool take_bytes(struct reading *from, const unsigned char **out, size_t *len)
{
    uint64_t length;
    if (!take_number(from, 4, &length) || !take(from, (size_t)length, out))
        return false;
    *len = (size_t)length;
    return true;
}

/* False also when it does not fit: half an id is none. */
static bool take_text(struct reading *from, char *to, size_t size)
{
    const unsigned char *bytes;
    size_t len;
    if (!take_bytes(from, &bytes, &len) || len >= size || memchr(bytes, 0, len))
        return false;
    memcpy(to, bytes, len);
    to[len] = '\0';
    return true;
}

/* ---- the fail table ---- */

static bool is_decimal(const char *text)
{
    size_t digits = 0, dots = 0;
    for (const char *c = text; *c; c++)
        if (*c == '.')
            dots++;
        else if (*c >= '0' && *c <= '9')
            digits++;
        else
            return false;
    return digits > 0 && digits <= 38 && dots <= 1;
}

static const char *skip_zeros(const char *text)
{
    while (*text == '0')
        text++;
    return text;
}

/* a <= b, of plain decimals. */
static bool at_most(const char *a, const char *b)
{
    a = skip_zeros(a);
    b = skip_zeros(b);
    size_t whole_a = strcspn(a, "."), whole_b = strcspn(b, ".");
    if (whole_a != whole_b)
        return whole_a < whole_b;
    int order = memcmp(a, b, whole_a);
    if (order)
        return order < 0;
    const char *x = a[whole_a] ? a + whole_a + 1 : "", *y = b[whole_b] ? b + whole_b + 1 : "";
    for (; *x || *y; x += *x != '\0', y += *y != '\0') {
        char p = *x ? *x : '0', q = *y ? *y : '0';
        if (p != q)
            return p < q;
    }
    return true;
}

/* 1: a row; 0: nothing in the line; -1: wrong. */
static int read_row(const char *line, size_t len, struct table_row *row)
{
    char text[LINE_MAX_BYTES], more[2];
    size_t from = 0;
    while (from < len && (line[from] == ' ' || line[from] == '\t' || line[from] == '\r'))
        from++;
    if (from == len || line[from] == '#')
        return 0;
    if (len - from >= sizeof(text))
        return -1;
    memcpy(text, line + from, len - from);
    text[len - from] = '\0';
    if (sscanf(text, "%127s %127s %127s %1s", row->action, row->asset, row->most, more) != 3 || !is_decimal(row->most))
        return -1;
    (void)snprintf(row->text, sizeof(row->text), "%.80s %.80s at most %.80s", row->action, row->asset, row->most);
    return 1;
}

/* rows NULL: only looks. The first wrong line, or 0. */
static size_t read_table(const char *table, struct table_row *rows, size_t *count)
{
    size_t number = 1;
    *count = 0;
    for (const char *line = table; line && *line; number++) {
        size_t len = strcspn(line, "\n");
        struct table_row row;
        int kind = read_row(line, len, &row);
        if (kind < 0)
            return number;
        if (kind && rows)
            rows[*count] = row;
        *count += (size_t)kind;
        line += len + (line[len] == '\n');
    }
    return 0;
}

size_t hinomi_gate_table_error(const char *fail_table)
{
    size_t count;
    return read_table(fail_table, NULL, &count);
}

static bool fits(const char *pattern, const char *text)
{
    return strcmp(pattern, "*") == 0 || strcmp(pattern, text ? text : "") == 0;
}

/* The first row for this action and asset decides, also when its amount is too small: then it holds. */
static const struct table_row *row_of(const struct hinomi_gate *gate, const struct hinomi_gate_request *request)
{
    for (size_t i = 0; i < gate->row_count; i++)
        if (fits(gate->rows[i].action, request->action) && fits(gate->rows[i].asset, request->asset))
            return &gate->rows[i];
    return NULL;
}

/* ---- the socket ---- */

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void hang_up(struct hinomi_gate *gate)
{
    if (gate->fd >= 0)
        close(gate->fd);
    gate->fd = -1;
}

static bool wait_for(int fd, short events, int64_t until_ns)
{
    for (;;) {
        struct pollfd polled = {.fd = fd, .events = events};
        int64_t left_ns = until_ns - now_ns(CLOCK_MONOTONIC);
        if (left_ns <= 0)
            return false;
        int result = poll(&polled, 1, (int)(left_ns / 1000000) + 1);
        if (result > 0)
            return true;
        if (result == 0 || errno != EINTR)
            return false;
    }
}

static bool connect_to(struct hinomi_gate *gate)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (gate->fd >= 0)
        return true;
    if (strlen(gate->path) >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, gate->path, strlen(gate->path));
    gate->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (gate->fd >= 0 && connect(gate->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    hang_up(gate);
    return false;
}

static bool send_all(struct hinomi_gate *gate, int64_t until_ns)
{
    for (size_t at = 0; at < gate->out.len;) {
        ssize_t sent = send(gate->fd, gate->out.at + at, gate->out.len - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else if (sent == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(gate->fd, POLLOUT, until_ns))
            return false;
    }
    return true;
}

static bool receive(struct hinomi_gate *gate, size_t want, int64_t until_ns)
{
    if (want > gate->in.len && !make_room(&gate->in, want - gate->in.len + 1))
        return false;
    while (gate->in.len < want) {
        ssize_t got = recv(gate->fd, gate->in.at + gate->in.len, want - gate->in.len, 0);
        if (got > 0)
            gate->in.len += (size_t)got;
        else if (got == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(gate->fd, POLLIN, until_ns))
            return false;
    }
    return true;
}

static size_t begin(struct hinomi_gate *gate, int kind, size_t count)
{
    gate->out.len = 0;
    put(&gate->out, "HGS1", 4);
    put_number(&gate->out, (uint64_t)kind, 2);
    put_number(&gate->out, count, 2);
    put_number(&gate->out, 0, 4);
    return gate->out.len;
}

/* Sends what was written since begin() and waits for an answer of that kind. A connection that the other side closed meanwhile is
 * opened anew once: a question asked twice is answered once. */
static bool ask(struct hinomi_gate *gate, int kind, size_t count, struct reading *body)
{
    int64_t until_ns = now_ns(CLOCK_MONOTONIC) + (int64_t)gate->timeout_ms * 1000000;
    set_length(&gate->out, 8, gate->out.len - HEAD);
    if (gate->out.failed || gate->out.len > BODY_MAX + HEAD)
        return false;
    for (int attempt = 0; attempt < 2; attempt++) {
        bool old = gate->fd >= 0;
        gate->in.len = 0;
        if (connect_to(gate) && send_all(gate, until_ns) && receive(gate, HEAD, until_ns)) {
            const unsigned char *head = gate->in.at;
            size_t length = head[8] | (size_t)head[9] << 8 | (size_t)head[10] << 16 | (size_t)head[11] << 24;
            size_t told = head[6] | (size_t)head[7] << 8;
            if (memcmp(head, "HGS1", 4) == 0 && head[4] == kind && told == count && length <= ANSWER_MAX &&
                receive(gate, HEAD + length, until_ns)) {
                *body = (struct reading){gate->in.at + HEAD, length};
                return true;
            }
        }
        hang_up(gate);
        if (!old)
            return false;
    }
    return false;
}

/* ---- requests and answers ---- */

/* As the canonical bytes of docs/gate.md, with their length in front. */
static void put_request(struct bytes *to, const struct hinomi_gate_request *request)
{
    char at[24], expiry[24];
    size_t begun = to->len;
    (void)snprintf(at, sizeof(at), "%lld", (long long)request->at_ns);
    (void)snprintf(expiry, sizeof(expiry), "%lld", (long long)request->expiry_ns);
    put_number(to, 0, 4);
    put_text(to, request->request_id);
    put_text(to, request->action);
    put_text(to, request->account);
    put_text(to, request->asset);
    put_text(to, request->amount);
    put_text(to, request->wallet);
    put_text(to, request->destination);
    put_text(to, at);
    put_text(to, request->nonce);
    put_text(to, expiry);
    if (request->payload && request->payload_len)
        put_block(to, request->payload, request->payload_len);
    set_length(to, begun, to->len - begun - 4);
}

static void add_reason(char to[HINOMI_GATE_REASON_SIZE], const unsigned char *text, size_t len)
{
    static const char more[] = "…";
    size_t used = strlen(to), room = HINOMI_GATE_REASON_SIZE - used - sizeof(more);
    if (used && room > 0) {
        to[used++] = ' ';
        room--;
    }
    bool cut = len > room;
    if (cut)
        for (len = room; len > 0 && (text[len] & 0xC0) == 0x80; len--)
            continue;
    memcpy(to + used, text, len);
    memcpy(to + used + len, cut ? more : "", cut ? sizeof(more) : 1);
}

static bool take_reasons(struct reading *from, struct hinomi_gate_answer *to)
{
    const unsigned char *en, *ja;
    size_t en_len, ja_len;
    uint64_t count;
    if (!take_number(from, 1, &count) || count > HINOMI_GATE_REASONS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_bytes(from, &en, &en_len) || !take_bytes(from, &ja, &ja_len))
            return false;
        add_reason(to->reason_en, en, en_len);
        add_reason(to->reason_ja, ja, ja_len);
    }
    return from->len == 0;
}

static bool take_answer(struct reading *body, struct hinomi_gate_answer *to)
{
    struct reading from;
    uint64_t decision, shadow, at, expiry;
    memset(to, 0, sizeof(*to));
    if (!take_bytes(body, &from.at, &from.len) || !take_number(&from, 1, &decision) || !take_number(&from, 1, &shadow) ||
        !take_number(&from, 8, &at) || !take_number(&from, 8, &expiry) ||
        (decision > HINOMI_GATE_DENY && decision != REFUSED) || !take_text(&from, to->id, sizeof(to->id)) ||
        !take_text(&from, to->row, sizeof(to->row)) || !take_text(&from, to->incident, sizeof(to->incident)) ||
        !take_text(&from, to->policy_version, sizeof(to->policy_version)) ||
        !take_text(&from, to->token, sizeof(to->token)) || !take_reasons(&from, to))
        return false;
    to->refused = decision == REFUSED;
    to->decision = to->refused ? HINOMI_GATE_HOLD : (enum hinomi_gate_decision)decision;
    to->shadow = shadow != 0;
    to->at_ns = (int64_t)at;
    to->token_expiry_ns = (int64_t)expiry;
    return true;
}

/* ---- alone ---- */

static bool write_all(int fd, const unsigned char *at, size_t len)
{
    while (len) {
        ssize_t wrote = write(fd, at, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        at += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

/* The spool is a file of reports as they go onto the socket, each with its length in front; written behind its end, or not at
 * all. */
static bool keep(struct hinomi_gate *gate, const struct hinomi_gate_request *request, const struct hinomi_gate_answer *answer)
{
    struct bytes line = {0};
    if (!gate->spool)
        return false;
    int fd = open(gate->spool, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    put_number(&line, 0, 4);
    put_request(&line, request);
    put_number(&line, (uint64_t)answer->decision, 1);
    put_number(&line, (uint64_t)answer->at_ns, 8);
    put_text(&line, answer->row);
    set_length(&line, 0, line.len - 4);
    bool kept = end >= 0 && !line.failed && write_all(fd, line.at, line.len) && fdatasync(fd) == 0;
    if (!kept && end >= 0 && ftruncate(fd, end) < 0)
        kept = false;
    if (fd >= 0)
        close(fd);
    free(line.at);
    return kept;
}

static void explain(struct hinomi_gate_answer *answer, const char *en, const char *ja)
{
    (void)snprintf(answer->reason_en, sizeof(answer->reason_en), "%s", en);
    (void)snprintf(answer->reason_ja, sizeof(answer->reason_ja), "%s", ja);
}

static void decide_alone(struct hinomi_gate *gate, const struct hinomi_gate_request *request, struct hinomi_gate_answer *answer)
{
    const struct table_row *row = row_of(gate, request);
    bool passes = row && request->request_id && request->amount && is_decimal(request->amount) &&
                  at_most(request->amount, row->most);
    memset(answer, 0, sizeof(*answer));
    answer->alone = 1;
    answer->decision = passes ? HINOMI_GATE_ALLOW : HINOMI_GATE_HOLD;
    answer->at_ns = now_ns(CLOCK_REALTIME);
    (void)snprintf(answer->row, sizeof(answer->row), "%.127s", row ? row->text : "nothing fits");
    explain(answer, passes ? "The gate does not answer; the table of the caller lets this amount pass." :
                             "The gate does not answer; the table of the caller holds this.",
            passes ? "ゲートが応答しないため、呼び出し側の表によりこの金額は通過します。" :
                     "ゲートが応答しないため、呼び出し側の表により保留します。");
    if (keep(gate, request, answer) || !passes)
        return;
    answer->decision = HINOMI_GATE_HOLD;
    (void)snprintf(answer->row, sizeof(answer->row), "no spool");
    explain(answer, "The gate does not answer, and what is let pass alone cannot be written down.",
            "ゲートが応答せず、単独での判断を記録できないため保留します。");
}

/* Reads the next report of the spool into the frame; false at its end. What is torn at the end was never returned to anybody. */
static bool add_report(struct hinomi_gate *gate, FILE *spool)
{
    unsigned char length[4];
    if (fread(length, 1, 4, spool) != 4)
        return false;
    size_t len = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (len > BODY_MAX || !make_room(&gate->out, len + 1) || fread(gate->out.at + gate->out.len, 1, len, spool) != len)
        return false;
    gate->out.len += len;
    return true;
}

/* How many follow from here on. */
static long count_reports(FILE *spool)
{
    struct hinomi_gate counting = {.fd = -1};
    long count = 0;
    while (add_report(&counting, spool)) {
        counting.out.len = 0;
        count++;
    }
    free(counting.out.at);
    return count;
}

/* Up to a frame's worth; how many were told. */
static size_t tell_some(struct hinomi_gate *gate, FILE *spool)
{
    struct reading body;
    size_t count = 0;
    (void)begin(gate, REPORT, 0);
    while (count < HINOMI_GATE_ASK_MAX && gate->out.len < BODY_MAX / 2 && add_report(gate, spool))
        count++;
    if (count)
        gate->out.at[6] = (unsigned char)count;
    return count && ask(gate, REPORTED, count, &body) ? count : 0;
}

/* The gate keeps a report once, however often it is told, so the spool is emptied only when all of it is told. */
long hinomi_gate_report(struct hinomi_gate *gate)
{
    struct stat info;
    if (!gate->spool || stat(gate->spool, &info) < 0)
        return !gate->spool || errno == ENOENT ? 0 : -1;
    FILE *spool = fopen(gate->spool, "re");
    long left;
    if (!spool)
        return -1;
    for (;;) {
        long at = ftell(spool);
        left = count_reports(spool);
        if (left <= 0 || at < 0 || fseek(spool, at, SEEK_SET) != 0 || tell_some(gate, spool) == 0)
            break;
    }
    (void)fclose(spool);
    return left == 0 && unlink(gate->spool) < 0 && errno != ENOENT ? -1 : left;
}

/* ---- deciding ---- */

static bool ask_all(struct hinomi_gate *gate, const struct hinomi_gate_request *requests, size_t count,
                    struct hinomi_gate_answer *answers)
{
    struct reading body;
    if (gate->fd < 0 && connect_to(gate))
        (void)hinomi_gate_report(gate);
    (void)begin(gate, ASK, count);
    for (size_t i = 0; i < count; i++)
        put_request(&gate->out, &requests[i]);
    if (!ask(gate, ANSWER, count, &body))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take_answer(&body, &answers[i])) {
            hang_up(gate);
            return false;
        }
    return body.len == 0;
}

int hinomi_gate_decide_many(struct hinomi_gate *gate, const struct hinomi_gate_request *requests, size_t count,
                            struct hinomi_gate_answer *answers)
{
    if (count == 0 || (count <= HINOMI_GATE_ASK_MAX && ask_all(gate, requests, count, answers)))
        return 0;
    for (size_t i = 0; i < count; i++)
        decide_alone(gate, &requests[i], &answers[i]);
    return 1;
}

int hinomi_gate_decide(struct hinomi_gate *gate, const struct hinomi_gate_request *request, struct hinomi_gate_answer *answer)
{
    return hinomi_gate_decide_many(gate, request, 1, answer);
}

int hinomi_gate_check(struct hinomi_gate *gate, const struct hinomi_gate_request *request, const char *token)
{
    struct reading body;
    const unsigned char *good;
    (void)begin(gate, CHECK, 1);
    put_request(&gate->out, request);
    put_text(&gate->out, token);
    if (!ask(gate, CHECKED, 1, &body) || !take(&body, 1, &good))
        return -1;
    return good[0] == 1;
}

/* ---- life ---- */

static bool fill(struct hinomi_gate *gate, const char *path, const char *table, const char *spool)
{
    size_t count;
    if (read_table(table, NULL, &count))
        return false;
    gate->path = strdup(path);
    gate->spool = spool ? strdup(spool) : NULL;
    gate->rows = calloc(count + 1, sizeof(*gate->rows));
    if (!gate->path || (spool && !gate->spool) || !gate->rows)
        return false;
    (void)read_table(table, gate->rows, &gate->row_count);
    return true;
}

struct hinomi_gate *hinomi_gate_open(const char *socket_path, int timeout_ms, const char *fail_table, const char *spool)
{
    struct hinomi_gate *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return NULL;
    gate->fd = -1;
    gate->timeout_ms = timeout_ms;
    if (fill(gate, socket_path, fail_table, spool))
        return gate;
    hinomi_gate_close(gate);
    return NULL;
}

void hinomi_gate_close(struct hinomi_gate *gate)
{
    if (!gate)
        return;
    hang_up(gate);
    free(gate->path);
    free(gate->spool);
    free(gate->rows);
    free(gate->out.at);
    free(gate->in.at);
    free(gate);
}
