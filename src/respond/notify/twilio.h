#pragma once
/*
 * respond/notify/twilio: what the notifiers sms and voice share: a form posted to an API of Twilio's shape,
 * URL/2010-04-01/Accounts/SID/..., with basic authentication; the answer has the message's sid.
 */
#include "respond/notify/notify_http.h"

/* Numbers, account and token of a row. */
MUST_USE int twilio_check(const struct respond_notifier *row, struct err *err);
/* To, From and the rest (a form without them) to "Messages" or "Calls". */
enum notifier_result twilio_post(const struct notifier_message *message, const struct hin_net *net, const char *what, struct slice rest,
                                 struct notifier_answer *answer, struct err *err);
/* The language a person reads: "ja" or "en" ("ja" when both are asked for and there is a Japanese title). */
bool twilio_is_ja(const struct notice *notice);

#define TWILIO_OPTIONS                                                                                                     \
    NOTIFIER_OPTION(user, .required = true, .summary = "the account's SID (AC…)"),                                         \
    NOTIFIER_OPTION(password, .required = true, .secret = true, .summary = "its auth token"),                              \
    NOTIFIER_OPTION(from, .required = true, .summary = "the number it comes from, +815012345678; for SMS also a messaging service (MG…)"), \
    NOTIFIER_OPTION(to, .summary = "the number that news go to; without it persons only"),                                \
    NOTIFIER_OPTION(url, .standard = "https://api.twilio.com", .summary = "of the API, up to its /2010-04-01")
