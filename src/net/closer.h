#pragma once
/* net/closer: the first member of everything that a uv handle's data points to, so that a loop
 * which stops can close it. Called on the loop's thread, at most once a handle. */
struct net_closer {
    void (*close)(void *self);
};
