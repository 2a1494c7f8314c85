#pragma once
/*
 * collect/late_kafka: librdkafka, loaded when a collector of kind kafka is opened.
 *
 * Ownership  The library stays loaded.
 * Threads    Any.
 * Errors     ERR_CONFIG when it is not installed.
 */
#include "base/err.h"

#include <librdkafka/rdkafka.h>

#define LATE_KAFKA(X)                                                                                                         \
    X(rd_kafka_conf_new) X(rd_kafka_conf_destroy) X(rd_kafka_conf_set) X(rd_kafka_conf_set_opaque)                             \
    X(rd_kafka_conf_set_rebalance_cb) X(rd_kafka_conf_set_error_cb) X(rd_kafka_conf_set_log_cb) X(rd_kafka_new)                \
    X(rd_kafka_destroy) X(rd_kafka_poll_set_consumer) X(rd_kafka_subscribe) X(rd_kafka_assign)              \
    X(rd_kafka_consumer_poll) X(rd_kafka_consumer_close) X(rd_kafka_message_destroy) X(rd_kafka_commit)                        \
    X(rd_kafka_topic_name) X(rd_kafka_topic_partition_list_new) X(rd_kafka_topic_partition_list_add)                           \
    X(rd_kafka_topic_partition_list_destroy) X(rd_kafka_topic_partition_list_copy) X(rd_kafka_committed)                     \
    X(rd_kafka_err2str)

struct late_kafka {
#define MEMBER(name) __typeof__(name) *name;
    LATE_KAFKA(MEMBER)
#undef MEMBER
};

/* NULL and an error when it cannot be loaded. */
const struct late_kafka *late_kafka(struct err *err);
