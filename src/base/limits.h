#pragma once
/*
 * base/limits: every bound of the program, with its reason. Reaching one fails
 * one batch, request or query, never the process, and is always said.
 * docs/limits.md is made from the comments here.
 */
#include <stddef.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Batches: large enough that per-batch work vanishes, small enough for the cache and for latency. */
enum { BATCH_ROWS_MAX = 4096 };    /* events in one batch */
#define BATCH_BYTES_MAX (4 * MIB)  /* raw bytes in one batch */
#define BATCH_ARENA_MAX (96 * MIB) /* memory of one batch, all columns included */

/* Events. What is over a limit is kept raw, tagged and counted; it is never gone. */
#define EVENT_BYTES_MAX (1 * MIB)   /* one event's raw bytes; longer texts are linked parts (tag _part, hinomi.part), JSON documents that came over HTTP stay whole */
enum { EVENT_FIELDS_MAX = 512 };    /* fields of one event; more stay in event.original only */
enum { FIELD_NAME_MAX = 512 };      /* bytes of a field name */
enum { JSON_DEPTH_MAX = 64 };       /* nesting of a JSON event */
#define EVTX_RECORD_XML_BYTES_MAX (4 * MIB) /* XML of one record of an event log file */
#define EVTX_CHUNK_XML_BYTES_MAX (64 * MIB) /* XML of all records of a chunk (64 KiB) of an event log file; further ones are broken */
enum { EVTX_CHUNK_STEPS_MAX = 4000000 };    /* parts of templates that are put out for a chunk's records */
enum { EVTX_CHUNK_TOKENS_MAX = 250000 };    /* tokens of a chunk's templates and of binary XML in its values */
enum { BATCH_COLUMNS_MAX = 16384 }; /* different field names in one batch */
enum { FIELD_VALUES_MAX = 4096 };   /* values of one field in one event */
enum { LOOKUP_KEYS_MAX = 64 };      /* values of one field that a decoder's lookup table is asked for */
enum { TEMPLATE_PARTS_MAX = 64 };   /* fields in one text of a decoder: '${a} by ${b}' */

/* Files that are followed (collect kind: file). */
enum { COLLECT_FILES_MAX = 100000 };       /* files of one collector; more are said and wait until others go */
enum { FILE_MATCH_DEPTH_MAX = 24 };        /* folders below the fixed part of a pattern */
enum { FILES_OPEN_MAX = 512 };             /* kept open at a time by one collector, twice as many while they are read; others are opened when they grow */
enum { FILE_FOLDERS_WATCHED_MAX = 4096 };  /* folders of one collector that the kernel reports; others are looked at now and then */
#define JOURNALD_ENTRY_BYTES_MAX (32 * MIB)  /* an entry of systemd's journal with all its fields; larger ones are left out and said */
enum { COLLECT_LOG_FILES_MAX = 4096 };      /* files of one log whose places are remembered; more are said and wait until some were read */
enum { FILES_FINISHED_KEPT = 16 };         /* rotated files of one log that are remembered after they were read */
enum { FILES_UNFINISHED_KEPT = 64 };       /* rotated ones that may still be added to: beyond, ten seconds without a line finish one */

/* Time. An attacker must not be able to make ten thousand day folders. */
enum { TIME_PAST_DAYS_MAX = 3660 }; /* older stamps are filed under the day of receipt */
enum { TIME_FUTURE_HOURS_MAX = 24 };

/* The gate's Unix socket. */
enum { GATE_ASK_MAX = 64 };              /* requests in one frame */
#define GATE_FRAME_BYTES_MAX (1 * MIB)   /* a frame's body; more ends the connection with a sentence */
enum { GATE_ALLOWED_ACCOUNTS_MAX = 2000000 }; /* accounts whose sums of the last day the gate keeps beside what events say */
#define GATE_INPUTS_BYTES_MAX (1 * MIB) /* what one decision of the gate was made from; more holds */
enum { GATE_STOPS_MAX = 4096 };          /* stops at once, ended ones that are remembered included; one more stops everything */
#define APPROVE_KNOWN_BYTES_MAX (4 * MIB) /* the file of addresses that an approver approved before */
enum { GATE_CONNECTIONS_MAX = 64 };      /* at once; further ones are told and closed */
#define GATE_PAYLOAD_BYTES_MAX (64 * KIB) /* the bytes to be signed that a request carries; more is refused */
enum { GATE_EFFECTS_MAX = 64 };          /* effects told of one payload; one that has more does something unknown */
enum { GATE_CALL_DEPTH_MAX = 4 };        /* calls within calls of a payload; deeper ones are unknown */
enum { GATE_COINS_MAX = 256 };           /* inputs, and outputs, of a Bitcoin transaction that is read; more is unknown */
enum { RULE_STOPS_PER_HOUR_MAX = 50 };   /* accounts that one rule stops; then people are told, and it stops no further one */
enum { GATE_WEBHOOKS_MAX = 16 };         /* that ask in their own words (docs/gate-webhook.md) */

/* A co-signer that asks the gate (docs/gate-cosigner.md). */
#define COSIGNER_TOKEN_BYTES_MAX (1 * MIB) /* a question, signature included */
enum { COSIGNER_KEYS_MAX = 8 };            /* public keys of co-signers */
enum { COSIGNER_ASSETS_MAX = 256 };        /* names of assets that are others here */

/* Text that people write. */
enum { QUERY_BYTES_MAX = 64 * 1024 };
enum { EXPR_DEPTH_MAX = 128 };
enum { EXPR_HEIGHT_MAX = 1024 }; /* of the tree: a + b + c ... is one higher for each member */
enum { EXPR_LIST_MAX = 16384 };  /* members of a AND b AND c ..., of a OR b OR c ... */
#define EXPR_TEXT_MAX (16 * MIB) /* what replace() and mvjoin() make for one event */
enum { YAML_DEPTH_MAX = 32 };
#define YAML_BYTES_MAX (4 * MIB)
enum { YAML_NODES_MAX = 400000 };


/* What people give names to: macros, lookups, data models and the like (src/know). */
enum { KNOW_OBJECTS_MAX = 20000 };          /* definitions of one data folder, shipped ones included */
enum { KNOW_TEXT_BYTES_MAX = 256 * 1024 };  /* one definition as YAML */
enum { KNOW_NAME_BYTES_MAX = 512 };         /* its name */
enum { KNOW_ARGS_MAX = 32 };                /* arguments of a macro */
enum { DASHBOARD_PANELS_MAX = 100 };        /* panels of a dashboard */
enum { DASHBOARD_VARIABLES_MAX = 20 };      /* its variables */
enum { DASHBOARD_ANNOTATIONS_MAX = 10 };    /* its annotations */
enum { DASHBOARD_COLUMNS = 12 };            /* columns of its grid */
enum { DASHBOARD_ROWS_MAX = 1000 };         /* rows of its grid */
enum { DASHBOARD_REFRESH_MIN_S = 5 };       /* seconds between two refreshes at least */
enum { MACRO_DEPTH_MAX = 100 };             /* macros in macros */
enum { MACRO_CALLS_MAX = 10000 };            /* macros that one search stands for */
enum { LOOKUP_MATCHES_MAX = 1000 };         /* rows of a lookup table that one row may meet */
#define LOOKUP_BYTES_MAX (256 * MIB)        /* a lookup table that a search writes */
#define KNOW_BYTES_MAX (256 * MIB)          /* memory of all definitions */

/* Regular expressions: cost stays bounded whatever an author wrote. */
enum { REGEX_BYTES_MAX = 32 * 1024 };
enum { REGEX_MATCH_LIMIT = 200000 };
enum { REGEX_DEPTH_LIMIT = 2000 };
enum { REGEX_POSITIONS_MAX = 512 }; /* bytes and classes of a pattern that texts are judged by before they are put together; longer patterns read all of them */

/* What all rules' conditions become, and what is remembered of values they were asked about (src/detect). */
#define MATCH_PLAN_BYTES_MAX (256 * MIB)    /* the plan of all rules; rules that need more are refused together */
#define MATCH_MEMO_BYTES_MAX (16 * MIB)     /* answers about values; forgotten when it is full */
enum { MATCH_MEMO_VALUE_MAX = 1024 };       /* bytes of a value that is remembered */
enum { MATCH_ROUTES_MAX = 4096 };           /* different sets of log sources that are remembered */
#define MATCH_ROUTE_BYTES_MAX (8 * MIB)     /* values that log sources were told by; forgotten when it is full */

/* Memory budgets. */
enum { JOB_EVENTS_MAX = 20000 };            /* events of a search in the console that can be scrolled through; the counts cover all */
enum { JOB_ROWS_MAX = 1000000 };            /* rows of a table that a search in the console gave */
#define JOBS_KEPT_BYTES (1024 * MIB)        /* memory of results that wait to be looked at again; the oldest go */
#define MEMORY_QUERY_MAX (256 * MIB)
#define MEMORY_READ_MIN (96 * MIB)   /* for reading blocks, whatever less a search was given: one must fit */
#define MEM_FREE_KEPT (192 * MIB)    /* freed memory that stays in the process; more is given back after some seconds */
#define MEM_HUGE_KEPT (512 * MIB)    /* and of huge pages; a state table of some GiB that was looked at once is given back at once */
#define SPILL_BYTES_MAX (16 * GIB)   /* temporary file of one search, for rows that memory has no room for */
#define SPILL_BLOCK_BYTES (256 * KIB) /* of it that are read at a time, about */
enum { SPILL_BLOCK_ROWS = 4096 };

/* HTTP. */
enum { HTTP_HEADER_BYTES_MAX = 32 * 1024 };
#define HTTP_BODY_BYTES_MAX (32 * MIB)  /* after decompression */
enum { HTTP_INFLATE_RATIO_MAX = 200 };  /* a zip bomb is refused with 413 */
#define HTTP_BODIES_BYTES_MAX (192 * MIB)   /* of all requests at a time; then those over 64 KiB are told 503 */
enum { HTTP_HEADER_TIMEOUT_MS = 10000 };    /* from a request's first byte to the end of its header */
enum { HTTP_BODY_BYTES_PER_S_MIN = 16384 }; /* a body that comes more slowly is ended */
enum { HTTP_IDLE_TIMEOUT_MS = 60000 };
enum { CONNECTIONS_MAX = 16384 };         /* of one listener */
enum { CONNECTIONS_PER_PEER_MAX = 8192 }; /* from one address */

/* Inputs (docs/collect.md). */
enum { COLLECTORS_MAX = 256 };     /* entries of collect: in the configuration */
enum { QUOTA_TOKENS_MAX = 1024 }; /* tokens with a quota that one port remembers */
enum { COLLECTOR_NAME_MAX = 64 };
enum { COLLECTOR_LIST_MAX = 1024 }; /* texts in one option */
#define GATHERING_BYTES_MAX (1 * MIB) /* events of one sender that wait while others of it are written */
#define GATHERINGS_BYTES_MAX (64 * MIB) /* of all senders of one collector; then a few KiB for each */
#define RECEIVER_PENDING_MAX (64 * MIB)  /* of messages whose end has not come yet, of all senders of one collector; then they come in parts */
enum { GATHERING_RETRY_MS = 50 };
#define INTAKE_BYTES_MAX (64 * MIB)     /* of all inputs, that wait for the pipeline to come near */
#define INTAKE_DATAGRAM_BYTES (4 * MIB) /* of a sender that cannot wait; more goes to the journal however far it is ahead */
enum { INTAKE_AHEAD_MS = 250 };         /* that the journal may be ahead of the pipeline */
enum { INTAKE_WAIT_MS = 10000 };        /* that a delivery waits before its sender is told to send it again */
enum { DATAGRAM_PEERS_MAX = 256 };  /* senders of datagrams whose events are gathered at a time */
enum { SECRET_BYTES_MAX = 64 * 1024 }; /* a file that holds a secret */

/* Requests to others. */
enum { NET_LOOKUP_MS = 6000 };      /* looking a name up; it is given up, and the request with it */
enum { NET_LOOKUPS_MAX = 64 };      /* that hang at a time; then further ones fail at once */
enum { NET_TRANSFER_MIN_MS = 2000 }; /* is left for the request however long the looking up took */

/* Notifications (docs/notifiers.md). */
enum { NOTIFY_TIMEOUT_MS = 8000 };      /* one attempt, looking the name up included; then the next channel has its turn */
enum { NOTIFY_ANSWER_BYTES = 64 * 1024 }; /* of an answer that are read */
enum { NOTIFY_SAID_MAX = 160 };         /* bytes of it that are shown to people */
enum { NOTIFY_TEXT_CHARS_MAX = 3000 };  /* of a text in a chat; a longer one ends in an ellipsis */
enum { NOTIFY_LINE_CHARS_MAX = 250 };   /* of a title or subject */

/* Mails that answer notices (mailbox:). */
enum { MAILBOX_MAILS_MAX = 100 };         /* new mails that are looked at in one round; the others come in the next */
#define MAILBOX_MAIL_BYTES (256 * KIB)    /* of a mail that are read; a mark further behind is not found */
#define MAILBOX_ANSWER_BYTES (1 * MIB)    /* of one answer of the mail server */
enum { MAILBOX_PARTS_MAX = 64 };          /* parts of a mail that are looked at */
enum { MAILBOX_ROUND_MS = 30000 };        /* one round of reading */

/* The outside heartbeat (hinomi watch). */
enum { WATCH_MESSAGES_MAX = 16 };       /* that wait for a channel; then the oldest goes, which is said */
enum { WATCH_CLOCK_S = 30 };            /* that the server's clock may differ from ours */
enum { WATCH_AGAIN_LEAST_S = 300 };     /* until an outage is told again; then twice as long each time */
enum { WATCH_AGAIN_MOST_S = 14400 };    /* and at most */

/* What a server says of itself (GET /v1/health). */
#define HEALTH_DISK_FREE (64 * MIB)  /* less free space where the data folder lies is a problem */
enum { HEALTH_CLOCK_S = 300 };      /* that a step of the clock stays a problem */
enum { WAKE_UNREACHED_S = 60 };      /* that a page may reach nobody before the server says it is not well */
enum { WAKE_STILL_S = 30 };         /* that the thread that wakes people may stand still before that */
enum { HEALTH_NOTICE_S = 900 };     /* that a notification may wait before that is one */
enum { HEALTH_LOOK_S = 10 };        /* without anybody looking after the server */

/* Readers of remote things: HTTP APIs, NATS, Kafka. */
enum { READER_WAIT_MAX_S = 300 };       /* between two tries of what fails again and again, unless the other side asks for longer */
enum { READER_ASKED_WAIT_MAX_S = 3600 }; /* that the other side may ask for (Retry-After) */
#define POLL_ANSWER_BYTES_MAX (128 * MIB) /* of an answer of an HTTP API, unpacked too; a larger page is said and asked for again, a larger object is left out, said and counted */
#define POLL_ANSWER_MEMORY_MAX (512 * MIB) /* while it is cut into records */
#define POLL_DELIVERY_BYTES (4 * MIB)   /* records of an answer that are stored at a time */
enum { POLL_IDS_MAX = 128 * 1024 };     /* ids of records that are remembered, of one collector */
enum { POLL_NEXT_BYTES_MAX = 16 * 1024 }; /* of the URL or cursor of a next page */
enum { POLL_ENTRY_TRIES_MAX = 3 };      /* for an object that was listed and is not there; then it is said and counted as missing */
enum { NATS_PENDING_MAX = 4096 };       /* messages of a JetStream consumer that are not acknowledged yet */
#define NATS_FETCH_BYTES (16 * MIB)     /* of messages that are asked for at a time; also the longest one that JetStream may have for us */
enum { NATS_RANGES_MAX = 64 * 1024 };   /* ranges of stored messages above those that were acknowledged */
enum { KAFKA_PARTITIONS_MAX = 10000 };  /* of all topics of a collector */
enum { KAFKA_TOPIC_BYTES_MAX = 249 };   /* as Kafka has it */
enum { KAFKA_KEY_BYTES_MAX = 1024 };    /* of a message's key that becomes a field; a longer one does not */

/* Senders' protocols (docs/collect.md). */
#define BULK_ANSWER_BYTES_MAX (48 * MIB) /* of _bulk, which has a line for each item; more items are refused with 413 and sent in smaller batches */
enum { BULK_NAME_MAX = 512 };              /* bytes of an index' name or an _id, as Elasticsearch has it */
enum { GELF_WAIT_MS = 5000 };              /* for all chunks of a GELF message, as its specification has it */
enum { GELF_WAITING_MAX = 1024 };          /* GELF messages that wait for chunks; the oldest are given up and counted */
#define GELF_WAITING_BYTES_MAX (16 * MIB)  /* and bytes of their chunks */
#define GELF_UNPACKED_BYTES_MAX (16 * MIB) /* of one GELF datagram; a larger one is kept as it came, packed */

/* Protobuf and JSON requests of OTLP, Prometheus and Loki, while they are cut into events. */
#define WIRE_TREE_BYTES_MAX (256 * MIB) /* memory for the values of one request; a sender of more is told to send fewer at once */

/* Journal: group commit waits for company this long or this many bytes. */
enum { JOURNAL_COMMIT_MS = 5 };
#define JOURNAL_COMMIT_BYTES (1 * MIB)
#define JOURNAL_FILE_BYTES (128 * MIB)
#define JOURNAL_RECORD_BYTES_MAX (40 * MIB)
#define JOURNAL_CURSORS_BYTES_MAX (64 * MIB) /* how far sources have read; beyond, those longest unused are forgotten */
#define JOURNAL_CURSOR_TABLE_BYTES_MAX (128 * MIB) /* the table of these, with what is left of smaller ones */
enum { IDEMPOTENCY_KEYS_MAX = 1 << 20 }; /* batch ids remembered */
enum { IDEMPOTENCY_KEY_BYTES_MAX = 256 };

/* What rules remember, in one checkpoint file. */
#define CHECKPOINT_BYTES_MAX (4 * GIB)
enum { STATE_ENTRIES_MAX = 20000000 };     /* keys of one state table, where its entries_max says so */
enum { STATE_ENTRIES_DEFAULT = 1000000 };  /* where it says nothing; beyond, a key that was touched long ago goes, counted */
enum { STATE_KEY_BYTES_MAX = 512 };        /* of a key of a state table; longer ones are cut */
enum { STATE_TEXT_BYTES_MAX = 1024 };      /* of a text that a state table keeps (latest, earliest, values); longer ones are cut */
enum { STATE_DISTINCT_MAX = 256 };         /* different values of a key that distinct counts to */
enum { STATE_VALUES_MAX = 64 };            /* values of a key that values keeps, the newest */
enum { STATE_MEMBERS_MAX = 4096 };         /* members of a key whose values total adds up; beyond, the one heard longest ago goes, counted */

/* Rules (docs/rules.md). */
enum { PLACEHOLDER_TEXTS_MAX = 100000 };        /* that one value with placeholders stands for */
enum { PLACEHOLDER_LOOKUPS_MAX = 256 };         /* lookups that all placeholders together stand for */
enum { CORRELATION_RULES_MAX = 64 };            /* that one correlation names */
enum { CORRELATION_FIELDS_MAX = 16 };           /* fields of one correlation to group by or to count */
enum { CORRELATION_COMBINATIONS_MAX = 64 };     /* groups that one event with several values in its fields is in */
#define CORRELATION_BYTES_MAX (64 * MIB)        /* memory of one correlation for all its groups */
#define CORRELATIONS_BYTES_MAX (512 * MIB)      /* memory of all correlations and rules of absence together */
enum { CORRELATION_EVENTS_MAX = 2048 };         /* of one group that are kept one by one; more are kept as steps of time */
enum { CORRELATION_STEPS = 512 };               /* such steps that a timespan is cut into */
enum { CORRELATION_VALUES_MAX = 65536 };        /* different values that one group can be asked to count to */
enum { CORRELATION_LATE_HOURS = 48 };           /* an event that comes later may miss what was around it */
enum { ABSENCE_BEFORE_HOURS = 24 };             /* a partner that came so long before is in order */
#define ABSENCE_BYTES_MAX (64 * MIB)            /* memory of one rule of absence, each, for what it waits for, for partners and for what it found */
enum { SILENCE_KEYS_MAX = 200000 };              /* that one rule of silence listens to; beyond, the tenth heard longest ago goes */
enum { SILENCE_LEAST_S = 300 };                  /* no source is called silent sooner, however often it sends */
enum { SEEN_KEYS_MAX = 22000000 };              /* that one rule of what is new knows, 16 bytes each and room to grow */
enum { CALENDARS_MAX = 64 };                    /* below content/calendars */
enum { WARM_UP_DAYS_MAX = 400 };                 /* of stored history that a rule learns from when it is enabled */
enum { USUAL_KEYS_MAX = 20000 };                /* that one rule of what is usual knows, 3.3 KB each */
enum { RISK_ENTITIES_MAX = 50000 };              /* whose risk adds up; beyond, the tenth with the oldest newest finding goes, counted */
enum { RISK_PARTS_MAX = 64 };                   /* rules that add to the risk of one entity; beyond, the one with the fewest points left goes */
enum { RISK_POINTS_MAX = 1000 };                /* of one rule (hinomi: {risk: N}) */
#define RISK_BYTES_MAX (64 * MIB)               /* memory of one rule of risk; beyond, as with too many entities */
enum { FINDING_EVIDENCE_MAX = 100 };            /* events that a finding names; how many there were is said too */

/* Segments. */
enum { BLOCK_ROWS_MAX = 65536 };
#define MERGE_BYTES_MAX (64 * MIB) /* of event.original in segments that become one */
enum { SCAN_THREADS_MAX = 8 };         /* that one search reads with */
enum { ESTIMATE_TRIAL_MS = 1000 };      /* for what a search costs on a sample; longer: on a smaller one */
enum { SURVEY_SEGMENTS_MAX = 256 };   /* whose footers tell what a search will cost */
#define SCAN_HELD_MAX (16 * MIB) /* of a block, that the terms of a filter keep for the next of them */
#define STORE_FOOTERS_BYTES (64 * MIB) /* footers of segments that stay in memory */
#define SEGMENT_FOOTER_MEMORY_MAX (256 * MIB) /* one footer in memory */
enum { SEGMENT_COLUMNS_MAX = 65536 };

/* Export. */
#define EXPORT_BLOCK_BYTES_MAX (1 * GIB) /* memory for a block with all its columns; 65,536 events of 512 fields each fit */
enum { EXPORT_COLUMNS_MAX = 16384 };     /* of CSV and Parquet, which have one list for all events */
#define EXPORT_WORK_BYTES (64 * MIB)     /* memory of a writer for one event, and for a block's bookkeeping */
#define EXPORT_LINE_BYTES_MAX (32 * MIB) /* one exported event as a line; import takes no longer ones */
enum { EXPORT_GROUP_ROWS = 65536 };      /* rows of a Parquet row group */
#define EXPORT_GROUP_BYTES (16 * MIB)    /* or so many bytes of values, whichever is first */

/* Live searches (docs/api.md, GET /v1/search/tail). */
enum { TAILS_MAX = 16 };            /* that run at once, on one server */
#define TAIL_BYTES_MAX (4 * MIB)    /* of answers that wait for a slow reader, each; then events are skipped, and counted */
enum { TAIL_SETS_MAX = 3 };         /* sets of rows in memory that one may hold when it falls behind */
enum { TAIL_STEP_ROWS = 8192 };     /* rows that it looks at together, about */
enum { TAIL_POLL_MS = 40 };         /* how often it looks whether there are new ones */
enum { TAIL_ALIVE_MS = 10000 };     /* at least so often it says that it is alive */

/* What is not understood yet (docs/decoders.md, docs/api.md). */
enum { UNKNOWN_SECONDS_MAX = 5 };        /* that one look at stored events takes; then it says that it is not of all of them */
enum { UNKNOWN_LOOKS_MAX = 2 };          /* such looks at once, on one server; further ones are told to come again */
enum { UNKNOWN_TEMPLATES_MAX = 1000 };   /* templates that events are told apart by; further ones are counted together */
enum { UNKNOWN_SAMPLES_MAX = 3 };        /* events of a template that are shown, */
enum { UNKNOWN_SAMPLE_BYTES_MAX = 8192 }; /* and bytes of one of them; a longer one is cut, and that is said */
enum { UNKNOWN_PLACES_MAX = 8 };         /* sources of a template that are named, */
enum { UNKNOWN_PLACES_SEEN_MAX = 64 };   /* and that are counted at all */
#define UNKNOWN_BYTES_MAX (128 * MIB)    /* memory of one look */
enum { UNDERSTOOD_GROUPS_MAX = 100000 }; /* sources by decoder whose events are counted apart */
enum { UNDERSTOOD_SOURCES_MAX = 1000 };  /* sources that are listed; how many more there are is said */
enum { UNDERSTOOD_TAKERS_MAX = 8 };      /* decoders that are named for one source */
enum { ZONES_LOOKED_MAX = 8 };           /* sources whose stamps are looked at for the zone they are in, */
enum { ZONE_EVENTS_MAX = 20 };           /* and events of each */

/* What becomes of segments. */
enum { MANIFEST_PLACES_MAX = 16 };   /* folders that segments of one store lie in, beside its own */
enum { MANIFEST_DROPS_MAX = 4096 };  /* what retention took, kept until the audit trail has it */
enum { RETENTION_RULES_MAX = 256 };  /* streams with days of their own */
enum { RETENTION_HOLDS_MAX = 1024 }; /* spans of time that retention must not touch */
enum { RETENTION_WISH_HOURS = 24 };  /* a second person must agree to end a hold within */

/* Commands of the search that would else grow with their input; reaching one is an error or a message. */
enum { GENTIMES_ROWS_MAX = 200 * 1000 }; /* rows of gentimes */
enum { CONTINUOUS_ROWS_MAX = 1000 * 1000 }; /* rows of makecontinuous */
enum { KMEANS_GROUPS_MAX = 1000 }; /* groups of kmeans */
enum { KMEANS_FIELDS_MAX = 64 }; /* fields of kmeans */
enum { PREDICT_FUTURE_MAX = 100000 }; /* steps ahead of predict */
enum { FORECAST_PERIOD_MAX = 2000 }; /* rows of a season of predict */
enum { PATTERNS_MAX = 10000 }; /* templates of patterns; lines beyond are counted under <*> */
enum { PROCESS_STEPS_MAX = 1000 }; /* steps of a case that process holds against a model */
enum { TYPEAHEAD_ROWS = 100000 }; /* rows that typeahead counts words in */
enum { TYPEAHEAD_WORDS_MAX = 100000 }; /* different words that typeahead counts */
enum { TERMS_MAX = 512 }; /* words of a text that cluster and patterns compare */

/* Scheduled searches (docs/schedules.md). */
enum { SCHEDULE_EVERY_MIN_S = 1 };        /* seconds between two due times, at least */
enum { SCHEDULE_EVERY_MAX_DAYS = 366 };   /* and at most */
enum { SCHEDULE_CATCH_UP_HOURS = 24 };    /* due times older than this are recorded as missed, when the definition does not say */
enum { SCHEDULE_CATCH_UP_MAX_DAYS = 30 }; /* what it may say */
enum { SCHEDULES_MAX = 1000 };            /* scheduled searches of one server */
enum { SCHEDULE_RUNNING_MAX = 2 };        /* that run at once; the others wait and are late */
enum { SCHEDULE_LATE_MS = 5000 };         /* a run that begins so long after its due time is late */
enum { SCHEDULE_TIME_MAX_S = 300 };       /* one run; then it has failed */
enum { SCHEDULE_TRIES_MAX = 3 };          /* a run for which memory is out so often has failed */
#define SCHEDULE_MEMORY_MAX (128 * MIB)   /* of one run */
enum { SCHEDULE_ROWS_MAX = 10000 };       /* rows of an answer that become findings; more are said to be cut */
enum { SCHEDULE_FINDINGS_MAX = 100 };     /* groups of one run that become findings; more are counted and said */
enum { SCHEDULE_EVIDENCE_MAX = 1000 };    /* event ids of one finding; more are counted and said */
enum { SCHEDULE_ENTITIES_MAX = 100 };     /* entities of one finding; more are counted and said */
enum { SCHEDULE_TEXT_MAX = 2000 };        /* bytes of a title with its values; longer ones end in ... */
enum { SCHEDULE_RUNS_KEPT = 1000 };       /* runs of one search that are listed; the counts cover all */
enum { SCHEDULE_FIELDS_MAX = 16 };        /* fields of group_by, suppress_by and of an entity */

/* Waking people (src/respond/wake). */
enum { PLAN_BYTES_MAX = 256 * 1024 };   /* the text of a waking plan */
#define PLAN_ARENA_MAX (32 * MIB)         /* a waking plan that was read */
#define PAGER_ARENA_MAX (64 * MIB)        /* bringing pages on, once */
enum { PLAN_PEOPLE_MAX = 100 };         /* people of one plan */
enum { PLAN_SCHEDULES_MAX = 20 };       /* schedules: who has it when */
enum { PLAN_ROTATIONS_MAX = 10 };       /* of one schedule */
enum { PLAN_POLICIES_MAX = 20 };        /* ways of waking people */
enum { PLAN_STEPS_MAX = 20 };           /* of one of them */
enum { PLAN_WHOM_MAX = 20 };            /* schedules and people of one step */
enum { PLAN_ROUTES_MAX = 50 };          /* which incident wakes people in which way */
enum { PAGE_ROUNDS_MAX = 100 };         /* rounds of a policy that says how many; one that does not goes on until somebody answers */
enum { CONTACTS_MAX = 8 };              /* ways in which one person is reached */
enum { CONTACT_BYTES_MAX = 256 };        /* an address that no kind of notifier checks */
enum { STAND_INS_MAX = 1000 };          /* swaps and absences that are not over yet */
enum { RESPOND_NOTIFIERS_MAX = 32 };    /* channels of a configuration */
/* Actions (docs/actions.md). */
enum { ACTIONS_MAX = 32 };                /* rows of actions: in the configuration; a thread each */
enum { ACTION_NAME_MAX = 64 };            /* bytes of its name */
enum { ACTION_CAP = 50 };                 /* entities at once and in an hour, where the configuration does not say */
enum { ACTION_CAP_MAX = 10000 };          /* what it may say */
enum { ACTION_NEVER_MAX = 1000 };         /* entries of takes: and never: */
enum { ACTION_APPROVALS_MAX = 5 };        /* distinct people that may be asked for */
enum { ACTION_LASTS_MAX_DAYS = 366 };     /* before it is undone by itself, or for ever */
enum { ACTION_BODY_BYTES_MAX = 64 * 1024 }; /* of a body in the configuration */
enum { ACTION_ENTITIES_MAX = 100000 };    /* entities of one request */
enum { ACTION_VALUE_BYTES_MAX = 1024 };   /* bytes of a type, a value and a key; of a reason ten times as many */
enum { ACTION_TRY_MINUTES = 60 };         /* for doing it; then it is given up, and undone when it may have been done. An undo is never given up */
enum { ACTION_APPROVAL_HOURS = 24 };      /* for the approvals; then it is cancelled */
enum { ACTION_DEEDS_SHOWN_MAX = 1000 };   /* of one order in an answer; how many there are is said */
#define BLOCK_LIST_BYTES_MAX (16 * MIB)   /* of one block list */
enum { PLAYBOOKS_MAX = 200 };             /* of one server */
enum { PLAYBOOK_STEPS_MAX = 50 };         /* of one playbook */
enum { HELPER_FRAME_BYTES_MAX = 256 * 1024 }; /* of a request to hinomi-helper and of its answer */
enum { HELPER_TIME_MAX_S = 120 };         /* that a script may take */
enum { HELPER_OUTPUT_BYTES_MAX = 16 * 1024 }; /* of a script's output that is told; how much there was is said */
enum { HELPER_SCRIPT_BYTES_MAX = 1024 * 1024 }; /* of a script's file */
enum { HELPER_SCRIPTS_MAX = 64 };         /* scripts of one helper */

/* Rules over what is stored (docs/rules-at-work.md). */
enum { HISTORY_ROWS_MAX = 65536 };        /* events of one window of time that are put in order at once */
#define HISTORY_BYTES_MAX (128 * MIB)     /* and their bytes; windows with more are halved */
enum { BACKTEST_FINDINGS_MAX = 1000000 }; /* findings of two versions of the rules that are compared; more are an error */
enum { BACKTEST_ENTITIES_MAX = 100000 };  /* entities of one rule that are told apart; findings of more are counted together */

/* Packs of rules (hinomi rules install). */
enum { PACK_FILES_MAX = 100000 };         /* files of a pack */
#define PACK_BYTES_MAX (512 * MIB)        /* of all of them, unpacked */
enum { PACK_NAME_MAX = 1024 };            /* bytes of a file's name within its pack */

/* What rules can see (src/detect/coverage.h, docs/rules-at-work.md). */
#define COVERAGE_BYTES_MAX (64 * MIB)          /* fields that all rules ask for, by log source */
enum { COVERAGE_ROWS_FIRST = 2000 };           /* events that are all looked at after a start without memory */
enum { COVERAGE_EVERY = 64 };                  /* from then on every so many batches */
enum { COVERAGE_ROWS = 64 };                   /* so many of their events, evenly spread */
enum { COVERAGE_ROWS_MIN = 100 };              /* events of a log source before its rules are called blind for want of fields */
enum { RULE_SOURCE_SILENT_SECONDS = 30 };      /* without an event of its log source, a rule is called blind at the soonest, */
enum { RULE_SOURCE_SILENT_MINUTES = 60 };      /* and at the latest: three times the longest pause that is usual for it */

/* What is known of each source (src/flow/sources.h, docs/collect.md). */
enum { SOURCES_KEPT_MAX = 10000 };        /* senders, hosts behind relays and files; beyond, the one silent longest is forgotten */
enum { SOURCE_HOSTS_MAX = 2000 };         /* hosts told apart behind one sender; what further ones send is the sender's */
enum { SOURCE_NAMES_BYTES = 1024 };       /* bytes of a source's names together; longer ones are not told apart from their input */
enum { SOURCE_WORDS_MAX = 60000 };        /* names of columns and values that are told apart in all sources' events together */
#define SOURCE_WORDS_BYTES_MAX (16 * MIB) /* their texts; beyond, a source's events may be of any kind */
enum { SOURCE_COLUMNS_MAX = 600 };        /* columns that are known of a source; beyond, it may have any */
enum { SOURCE_VALUES_MAX = 16 };          /* values of each column that tells log sources apart; beyond, any */
enum { SOURCE_VALUE_BYTES = 128 };        /* of such a value; a longer one stands for any */
enum { SOURCE_SEQUENCES_MAX = 16 };       /* numberings of a source (channels of Windows); further ones are not watched */
enum { SOURCE_GAP_TRUST = 256 };          /* messages in order before a gap in an audit trail is a finding */
#define SOURCES_BYTES_MAX (128 * MIB)      /* what is known of all of them, as a file */
enum { SOURCES_SHOWN_MAX = 1000 };        /* of one answer of /v1/sources; the next begins where it ended */
enum { READERS_SHOWN_MAX = 500 };         /* of one source by /v1/sources/readers; how many there are is said */
enum { HEARTBEAT_LEAST_S = 2 };           /* a heartbeat is looked for every ten seconds: a shorter one is found as late */
enum { HEARTBEATS_MAX = 1000 };           /* entries of heartbeats */

/* Incidents (docs/incidents.md). */
enum { FINDINGS_LOOSE_MAX = 100000 };     /* findings without an incident that are kept to be looked at and for previews; the oldest go, which previews say */
enum { JOIN_LINKS_MAX = 64 };             /* values of one finding that link it to others; further ones are only listed */
enum { JOIN_ADOPT_MAX = 100 };            /* smaller findings of before that one finding brings into its incident; further ones come with the next */
enum { HUB_DAYS = 5 };                    /* a value that was met on so many days of the last thirty, */
enum { HUB_PARTNERS = 20 };               /* with so many different others, links no attacks any more */
enum { HUB_LOOK_DAYS = 30 };              /* that is looked back */
enum { LINK_PARTNERS_MAX = 32 };          /* others of one value and day that are counted */
enum { LINK_ROWS_MAX = 500000 };          /* of all values and days; the oldest days go */
enum { ASSET_ROWS_MAX = 100000 };            /* rows of the list of assets */
enum { ASSET_PATTERNS_MAX = 1000 };       /* of them with * or a network, which are looked through one by one */
#define ASSETS_BYTES_MAX (64 * MIB)       /* of that file */
enum { EXCEPTIONS_MAX = 1000 };           /* exceptions and mutes that were in force in the last thirty days */
enum { EXCEPTION_TERMS_MAX = 32 };        /* values that one names */
enum { EXCEPTION_BYTES_MAX = 4096 };      /* of its rule, reason, owner and values together */
enum { EXCEPTION_DAYS_MAX = 366 };        /* that one may last */
enum { EXCEPTION_SAMPLE_MAX = 20 };       /* findings that a preview shows one by one */
enum { PREVIEW_DAYS_MAX = 400 };          /* that a preview looks back */
enum { INCIDENT_TASKS_MAX = 200 };        /* tasks of one incident */
enum { INCIDENT_ATTACHMENTS_MAX = 100 };  /* attachments of one incident */
#define ATTACHMENT_BYTES_MAX (8 * MIB)    /* one of them */
#define ATTACHMENTS_BYTES_MAX (1 * GIB)   /* all of them; more are refused until the limit is looked at */
enum { INCIDENT_SHARES_MAX = 20 };        /* links to one incident for somebody outside */
enum { SHARE_DAYS_MAX = 90 };             /* that such a link lasts */
enum { COMMENT_EVENTS_MAX = 20 };         /* events that one comment links to */
enum { HANDED_MAX = 500 };                /* findings that are split off, or incidents that are merged, by one request */

/* Questions that are asked of an incident when it opens (docs/questions.md). */
enum { QUESTIONS_MAX = 1000 };            /* questions of the content */
enum { QUESTION_TYPES_MAX = 64 };         /* kinds of entities that they know the fields of */
enum { QUESTION_LIST_MAX = 32 };          /* fields of a kind; kinds and rules that a question is for */
enum { QUESTION_ENTITIES_MAX = 2 };       /* entities of a finding that are asked about; the incident shows the others */
enum { QUESTIONS_ASKED_MAX = 32 };        /* questions of one incident; which ones is said on standard error when there are more */
enum { QUESTION_EVIDENCE_MAX = 50 };      /* events of a finding that a question names; the timeline has all */
enum { QUESTION_SEARCH_MAX = 64 * 1024 }; /* bytes of a search with its values; a longer one has failed, which is said */
enum { QUESTION_ROWS_MAX = 1000 };        /* rows of an answer */
enum { ANSWER_VALUES_MAX = 5 };           /* values that a sentence lists; more are counted, and the search shows them */
enum { ANSWER_VALUE_BYTES_MAX = 200 };    /* of one of them; longer ones end in … */
enum { ANSWER_BYTES_MAX = 8 * 1024 };     /* of a sentence */
enum { ANSWER_EVENTS_MAX = 20 };          /* events that an answer links to; the search shows the others */
enum { ANSWER_LISTS_MAX = 16 };           /* lists of intelligence that are asked; further ones are said on standard error */
enum { ANSWER_LATE_MS = 3000 };           /* after that it says that it is late, and is finished later */
enum { ANSWER_TIME_MAX_S = 120 };         /* one search; then it has failed */
enum { ANSWERS_WAITING_MAX = 2000 };      /* that wait; further incidents are asked when there is room */
enum { ANSWERS_RUNNING_MAX = 2 };         /* that run at once */
#define ANSWER_MEMORY_MAX (64 * MIB)      /* of one search */
