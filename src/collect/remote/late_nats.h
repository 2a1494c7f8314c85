#pragma once
/*
 * collect/late_nats: libnats (the C client of NATS), loaded when a collector of kind nats is opened.
 *
 * Ownership  The library stays loaded.
 * Threads    Any.
 * Errors     ERR_CONFIG when it is not installed.
 */
#include "base/err.h"

#include <nats/nats.h>

#define LATE_NATS(X)                                                                                                          \
    X(natsOptions_Create) X(natsOptions_Destroy) X(natsOptions_SetServers) X(natsOptions_SetUserInfo)                          \
    X(natsOptions_SetToken) X(natsOptions_SetSecure) X(natsOptions_LoadCATrustedCertificates)                                  \
    X(natsOptions_LoadCertificatesChain) X(natsOptions_SetUserCredentialsFromFiles) X(natsOptions_SetNKeyFromSeed)             \
    X(natsOptions_SetAllowReconnect)                                                                                           \
    X(natsOptions_SetPingInterval) X(natsOptions_SetTimeout) X(natsOptions_SetName) X(natsConnection_Connect)                  \
    X(natsConnection_Destroy) X(natsConnection_JetStream) X(jsCtx_Destroy) X(jsSubOptions_Init) X(jsConsumerConfig_Init)       \
    X(js_AddConsumer) X(js_GetConsumerInfo) X(jsConsumerInfo_Destroy) X(js_GetStreamInfo) X(jsStreamInfo_Destroy)             \
    X(js_PullSubscribe) X(natsSubscription_Destroy) X(jsFetchRequest_Init) X(natsSubscription_FetchRequest)                    \
    X(natsMsgList_Destroy) X(natsMsg_GetData) X(natsMsg_GetDataLength) X(natsMsg_GetSubject) X(natsMsg_GetMetaData)            \
    X(jsMsgMetaData_Destroy) X(natsMsg_Ack) X(natsStatus_GetText) X(nats_GetLastError)

struct late_nats {
#define MEMBER(name) __typeof__(name) *name;
    LATE_NATS(MEMBER)
#undef MEMBER
};

/* NULL and an error when it cannot be loaded. */
const struct late_nats *late_nats(struct err *err);
