#include "app/gate_whatif.h"

#include "app/admin.h"
#include "app/offline.h"
#include "app/pinned.h"
#include "app/rules.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "serve/whatif.h"

#include <stdio.h>

enum { LEARN_DAYS_MAX = 3660 };

/* What the command line says, and what runs. */
struct order {
    const char *policies[WHATIF_POLICIES_MAX], *labels, *rules, *dir;
    bool json;
    int64_t from_ns, to_ns, learn_days;
    struct whatif_config config;
    struct offline offline;
    struct arena *arena;
    struct whatif *whatif;
};

static int read_labels(struct order *order, struct err *err)
{
    struct slice text, line;
    const struct json_node *label;
    if (file_read(order->labels, 64 * MIB, order->arena, &text, err) < 0)
        return -1;
    for (size_t number = 1; slice_next_line(&text, &line); number++)
        if (slice_trim(line).len && (json_tree_parse(slice_trim(line), order->arena, &label, err) < 0 ||
                                     whatif_label(order->whatif, label, err) < 0))
            return err_within(err, "%s line %zu", order->labels, number);
    return 0;
}

static int read_policies(struct order *order, struct err *err)
{
    for (size_t i = 0; i < WHATIF_POLICIES_MAX && order->policies[i]; i++) {
        order->config.policies[i].name = order->policies[i];
        if (file_read(order->policies[i], YAML_BYTES_MAX, order->arena, &order->config.policies[i].text, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- two kinds of history ---- */

static int on_batch(void *context, struct batch *batch, const char *path, uint64_t first_record, struct err *err)
{
    (void)path;
    (void)first_record;
    return whatif_take(context, batch, err);
}

static int over_files(struct order *order, const struct cli_words *words, struct err *err)
{
    struct decoders *decoders;
    order->offline.batch = on_batch;
    order->offline.context = order->whatif;
    if (cli_load_decoders(NULL, &decoders, err) < 0)
        return -1;
    int result = offline_run(&order->offline, decoders, words->words, words->count, err);
    decoders_free(decoders);
    return result;
}

static void on_reached(void *context, int64_t time_ns)
{
    const struct order *order = context;
    char text[TIME_TEXT_SIZE];
    time_format(time_ns, text);
    cli_progress(false, "until %.19s  %llu events", text, (unsigned long long)whatif_events(order->whatif));
}

static int over_store(struct order *order, struct err *err)
{
    struct pinned *pinned = NULL;
    struct store *store = NULL;
    struct history_stats stats = {0};
    int result = pinned_store_open(order->dir, &pinned, &store, err);
    struct whatif_walk walk = {.snapshot = result == 0 ? store_snapshot(store) : NULL, .from_ns = order->from_ns,
                               .to_ns = order->to_ns, .learn_ns = order->learn_days * NS_PER_DAY, .reached = on_reached,
                               .context = order};
    if (result == 0)
        result = walk.snapshot ? whatif_walk(order->whatif, &walk, &stats, err) : err_nomem(err);
    store_snapshot_release(walk.snapshot);
    store_close(store);
    pinned_close(pinned);
    cli_progress(true, "%llu events", (unsigned long long)whatif_events(order->whatif));
    if (stats.damages)
        fprintf(stderr, "hinomi: %llu blocks or columns could not be read; what was in them was not tried (hinomi verify says which)\n",
                (unsigned long long)stats.damages);
    return result;
}

/* ---- the command ---- */

static int say(const struct order *order, struct err *err)
{
    struct buffer out;
    struct json json;
    buffer_init(&out, 64 * MIB);
    json_init(&json, &out);
    if (order->json) {
        json_open(&json, '{');
        whatif_json(order->whatif, &json);
        json_close(&json, '}');
        buffer_put_char(&out, '\n');
    } else {
        whatif_print(order->whatif, &out);
    }
    int result = buffer_failed(&out) ? err_nomem(err) : 0;
    if (result == 0)
        (void)!cli_write(buffer_slice(&out));
    buffer_close(&out);
    cli_flush();
    return result;
}

static int rehearse(struct order *order, const struct cli_words *words, struct err *err)
{
    struct rulebook *book;
    order->arena = arena_new(GIB);
    if (!order->arena)
        return err_nomem(err);
    if (read_policies(order, err) < 0 || (order->dir && !order->rules ? cli_load_server_rules(order->dir, &book, err)
                                                                      : cli_load_rules(order->rules, false, &book, err)) < 0)
        return -1;
    order->config.book = book;
    order->config.count_from_ns = order->from_ns;
    int result = whatif_new(&order->config, &order->whatif, err);
    if (result == 0 && order->labels)
        result = read_labels(order, err);
    if (result == 0)
        result = order->dir ? over_store(order, err) : over_files(order, words, err);
    if (result == 0)
        result = say(order, err);
    whatif_free(order->whatif);
    rulebook_release(book);
    return result;
}

static bool number_of(const char *text, int64_t most, int64_t *out)
{
    return !text || (slice_to_i64(slice_text(text), out) && *out >= 0 && *out <= most);
}

/* Words behind "whatif" are files; a store has none. */
static int check(struct order *order, const struct cli_words *words, const char *const times[2], const char *const numbers[3])
{
    if (!order->policies[0] || (words->count == 0) == !order->dir)
        return cli_usage("gate", "whatif needs --policy FILE, and files of events or --dir DATA");
    if (!number_of(numbers[0], WHATIF_MINUTES_MAX, &order->config.hold_minutes) ||
        !number_of(numbers[1], WHATIF_MINUTES_MAX, &order->config.stop_minutes))
        return cli_usage("gate", "--hold-minutes and --stop-minutes take 0 to %d", WHATIF_MINUTES_MAX);
    if (!number_of(numbers[2], LEARN_DAYS_MAX, &order->learn_days))
        return cli_usage("gate", "--learn-days takes 0 to %d", LEARN_DAYS_MAX);
    if (!order->dir && (times[1] || numbers[2]))
        return cli_usage("gate", "--to and --learn-days go with --dir DATA; of files everything is read");
    int status = admin_time("gate", "--from", times[0], &order->from_ns);
    return status ? status : admin_time("gate", "--to", times[1], &order->to_ns);
}

int gate_whatif(int argc, char **argv)
{
    struct order order = {.learn_days = WHATIF_LEARN_DAYS, .config = {.hold_minutes = WHATIF_HOLD_MINUTES}};
    const char *times[2] = {0}, *numbers[3] = {0};
    const struct cli_option options[] = {
        {"--policy", &order.policies[0], NULL}, {"--against", &order.policies[1], NULL}, {"--labels", &order.labels, NULL},
        {"--rules", &order.rules, NULL},        {"--hold-minutes", &numbers[0], NULL},   {"--stop-minutes", &numbers[1], NULL},
        {"--dir", &order.dir, NULL},            {"--from", &times[0], NULL},             {"--to", &times[1], NULL},
        {"--learn-days", &numbers[2], NULL},    {"--source", &order.offline.source, NULL}, {"--json", NULL, &order.json},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse("gate", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    words = (struct cli_words){words.words + 1, words.count - 1}; /* behind "whatif" */
    status = check(&order, &words, times, numbers);
    if (status)
        return status;
    int result = rehearse(&order, &words, &err);
    arena_free(order.arena);
    return result < 0 ? cli_fail(&err) : order.offline.files_failed ? EXIT_FAILED : EXIT_DONE;
}
