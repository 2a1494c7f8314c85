/* The commands and functions that read texts of events (pairs, tables, XML, JSON, numbers, times): the first byte picks
 * one, what follows is the event. An answer or an error, never a crash. */
#include "base/limits.h"
#include "event/schema.h"
#include "search/parser.h"
#include "search/run.h"
#include "search/source.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const searches[] = {
    "* | extract",
    "* | extract pairdelim=\"|;,\" kvdelim=\"=:\" mv_add=t clean_keys=f limit=0",
    "* | multikv",
    "* | multikv fields a b filter x noheader=t",
    "* | xmlkv | fieldsummary",
    "* | xmlkv maxinputs=5",
    "* | spath",
    "* | spath output=o path=a{}.b{@c}",
    "* | spath output=o path=a{1}{}.b",
    "* | fromjson _raw | tojson",
    "* | makemv delim=\",\" allowempty=t _raw | mvexpand _raw | stats count by _raw",
    "* | makemv tokenizer=\"([^,]+),?\" setsv=t _raw",
    "* | rex max_match=0 offset_field=o \"(?<a>\\w+)=(?<b>[^ ]*)\"",
    "* | rex mode=sed \"s/(a+)b/\\1-\\1/g\" | rex mode=sed \"y/abc/xyz/\"",
    "* | patterns",
    "* | cluster showcount=t t=0.5",
    "* | convert auto(*) num(_raw) as n memk(_raw) as m dur2sec(_raw) as d mktime(_raw) as t rmunit(_raw) as u",
    "* | eval a=strptime(_raw, \"%Y-%m-%dT%H:%M:%S.%6N%:z\"), b=strftime(tonumber(_raw), _raw), c=relative_time(0, _raw)",
    "* | eval a=tonumber(_raw, 16), b=tostring(tonumber(_raw), \"duration\"), c=printf(_raw, 1, 2.5, \"x\"), d=round(_raw, 3)",
    "* | eval a=json_extract(_raw, \"a{}.b\"), b=json_keys(_raw), c=json_set(_raw, \"a.b\", 1), d=json_array_to_mv(_raw), e=json_entries(_raw)",
    "* | eval a=split(_raw, \"\"), b=mvjoin(mvdedup(a), \"-\"), c=urldecode(_raw), d=len(_raw), e=substr(_raw, -5, 3), f=upper(_raw)",
    "* | eval a=cidrmatch(_raw, \"10.0.0.1\"), b=cidrmatch(\"10.0.0.0/8\", _raw), c=ipmask(_raw, \"10.1.2.3\"), d=like(_raw, _raw), e=match(_raw, _raw), f=replace(_raw, _raw, \"\\1\")",
    "* | eval n=_raw | bin n bins=5 | stats sum(n) avg(n) p95(n) values(n) list(n) mode(n) by n",
    "* | eval _time=_raw | timechart span=1h count by _raw",
};

struct reading {
    struct batch *batch;
    bool given;
};

static int next(void *context, struct search_rows *out, struct err *err)
{
    struct reading *reading = context;
    (void)err;
    if (reading->given)
        return 0;
    reading->given = true;
    *out = (struct search_rows){.batch = reading->batch, .later_max = INT64_MIN};
    return 1;
}

static int open_rows(void *context, const struct search_request *request, struct arena *arena,
                     struct search_source *out, struct err *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = (struct search_source){.next = next, .context = context, .ordered = true, .kind = "fuzz"};
    return 0;
}

/* The text alone, and once more with half of it. */
static bool fill(struct batch *batch, struct slice text)
{
    for (uint32_t row = 0; row < 2; row++)
        if (batch_put(batch, row, FIELD_TIMESTAMP, value_time(row)) < 0 ||
            batch_put(batch, row, FIELD_SEQ, value_i64(row)) < 0 ||
            batch_put(batch, row, FIELD_ORIGINAL, value_string(row ? slice_sub(text, 0, text.len / 2) : text)) < 0)
            return false;
    batch->row_count = 2;
    return true;
}

static void run_search(const char *spl, struct batch *batch, struct arena *arena)
{
    struct reading reading = {.batch = batch};
    struct search_backend backend = {.open = open_rows, .context = &reading};
    struct search_options options = {.backend = &backend, .memory_max = 64 * MIB, .time_max_ms = 2000};
    struct spl_query *query;
    struct search *search;
    struct err err;
    err_clear(&err);
    if (spl_parse(slice_text(spl), arena, &query, &err) < 0)
        __builtin_trap(); /* the list above is wrong */
    if (search_new(query, &options, &search, &err) < 0)
        return;
    if (search_run(search, &err) == 0)
        (void)search_result(search);
    search_free(search);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * MIB);
    struct batch *batch = batch_new(16 * MIB);
    if (size > 1 && size < 64 * KIB && arena && batch && fill(batch, slice_of(data + 1, size - 1)))
        run_search(searches[data[0] % ARRAY_COUNT(searches)], batch, arena);
    batch_free(batch);
    arena_free(arena);
    return 0;
}
