#pragma once
/*
 * respond/incidents/links: which values link one finding to another, and under which name they meet.
 *
 * A link is text: "user:sato", "ip:10.0.0.1", "address:NC3B...". A wallet and an address are one thing, and an
 * address that is one of the internet is an ip; names of people, machines and networks meet in any case. What only
 * describes (an asset, a country, a path) links nothing, nor does a value that names nobody ("-", "root").
 *
 * Threads  Any.
 */
#include "event/finding.h"

enum { LINK_VALUE_MAX = 200 }; /* bytes; a longer value meets by its hash */

/* In the arena, or SLICE_NONE: it links nothing, or *nomem. */
struct slice link_of(const struct entity *entity, struct arena *arena, bool *nomem);
/* Both have the same link. */
bool links_meet(const struct entity *a, const struct entity *b);
/* Few ever touch it: a key, a person, somebody's address on a chain. It links over a longer time than a machine, an
 * address of a network or a wallet of ours, which many touch. */
bool link_is_particular(const struct entity *entity);
/* An address of the internet that is not one of ours: somebody's who may attack. */
bool link_is_outside(struct slice link);
/* Its name and value for people: "ip 10.0.0.1". */
struct slice link_words(struct slice link, struct arena *arena);
