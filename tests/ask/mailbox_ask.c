/* Reads a mailbox: mailbox_ask URL USER PASSWORD CA ROUNDS [LATER]. Prints each answer as "token from"; with LATER the first is
 * not taken now. A line "round N" after each round, or what went wrong. */
#include "base/err.h"
#include "respond/notify/mailbox.h"

#include <stdio.h>
#include <stdlib.h>

static bool later;

static enum mailbox_result on_reply(void *context, struct slice token, struct slice from)
{
    (void)context;
    printf("%.*s %.*s\n", SLICE_ARG(token), SLICE_ARG(from));
    if (slice_is(token, "unknown-token"))
        return MAILBOX_NOT_OURS;
    bool wait = later;
    later = false;
    return wait ? MAILBOX_LATER : MAILBOX_TAKEN;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    const struct mailbox_config config = {.url = slice_text(argv[1]), .user = slice_text(argv[2]), .password = slice_text(argv[3]),
                                          .ca_file = slice_text(argv[4]), .allow_private = true, .reply = on_reply};
    struct mailbox_place place = {0};
    struct err err;
    later = argc > 6;
    if (mailbox_check(&config, &err) < 0)
        return printf("%s\n", err.text), 1;
    for (int n = 0; n < atoi(argv[5]); n++) {
        int taken = mailbox_round(&config, &place, &err);
        if (taken < 0)
            printf("%s\n", err.text);
        else
            printf("round %d\n", taken);
    }
    return 0;
}
