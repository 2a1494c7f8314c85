#include "schedule/own_search.h"

#include "search/parser.h"
#include "search/table_source.h"

int own_search_begin(struct own_search *own, struct slice text, const struct search_options *options, struct err *err)
{
    struct search_options all = *options;
    struct spl_options read = {.knowledge = own->knowledge, .person = options->person};
    struct spl_query *query;
    own->query = arena_new((size_t)options->memory_max);
    if (!own->query)
        return err_nomem(err);
    if (table_backend_new(NULL, own->lookups, &own->tables, err) < 0 || spl_parse_with(text, own->query, &read, &query, err) < 0)
        return -1;
    store_backend_init(&own->backend, own->store, own->clock, own->stop);
    own->backend.threads = 1;
    own->backend.backend.files = own->files;
    own->backend.backend.redecoder = own->redecoder;
    all.backend = &own->backend.backend;
    all.tables = table_backend_get(own->tables);
    all.clock = own->clock;
    all.knowledge = own->knowledge;
    return search_new(query, &all, &own->search, err);
}

int own_search_all(struct own_search *own, struct err *err)
{
    int more = 1;
    while (more > 0)
        more = atomic_load(own->stop) ? err_set(err, ERR_CANCELLED, "the server stops") : search_step(own->search, err);
    return more;
}

void own_search_close(struct own_search *own)
{
    search_free(own->search);
    table_backend_free(own->tables);
    arena_free(own->query);
}
