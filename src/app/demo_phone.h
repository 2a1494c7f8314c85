#pragma once
/*
 * app/demo_phone: the phones of the demo's two people. A network (net/http_client.h) that leads nowhere but to this
 * terminal, so that the demo wakes people by the same path as a real server and needs no account anywhere.
 *
 * Threads  Any.
 */
#include "base/err.h"

struct hin_net;
struct config;
struct respond;

const struct hin_net *demo_phone_net(void);
/* Phones for the configuration; texts live for ever. */
void demo_phone_notifiers(struct config *config);
/* Who is on call, and how the two are reached. */
MUST_USE int demo_phone_plan(struct respond *respond, struct err *err);
