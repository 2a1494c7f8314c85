#pragma once
/*
 * collect/preset: ready configurations of collectors, one a file (content/collect/NAME.yaml).
 *
 *   summary: Okta System Log
 *   needs: {domain: the organisation's host, token: an API token}     what the user gives
 *   may: {host: api.example.com}                                      what the user can give, and what it is without
 *   options: {url: "https://${domain}/api/v1/logs", secret: "${token}"}
 *
 * Ownership  Everything lives in the arena.
 * Errors     The sentence begins with the line of the entry; what is wrong with the file names the file.
 */
#include "base/arena.h"
#include "base/err.h"

struct yaml_node;

/* An entry of `collect:` that names a preset becomes one with the preset's options and its own, which count more; one
 * that names none stays as it is. */
MUST_USE int preset_apply(const char *folder, const struct yaml_node *node, struct arena *arena,
                          const struct yaml_node **out, struct err *err);
