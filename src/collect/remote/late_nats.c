#include "collect/remote/late_nats.h"

#include "base/late.h"

LATE_LIBRARY(late_nats, LATE_NATS, HINOMI_NATS_LIBRARY, "", "kind: nats needs libnats", NULL)
