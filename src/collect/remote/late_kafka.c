#include "collect/remote/late_kafka.h"

#include "base/late.h"

LATE_LIBRARY(late_kafka, LATE_KAFKA, HINOMI_KAFKA_LIBRARY, "", "kind: kafka needs librdkafka", NULL)
