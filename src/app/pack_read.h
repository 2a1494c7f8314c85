#pragma once
/*
 * app/pack_read: the rule files of a pack as it comes: a folder, or an archive (zip, tar, tar.gz, tar.zst,
 * tar.xz ...). Rules (.yml, .yaml) and the texts that say whose they are (licences, notices, readme)
 * are given; everything else is counted.
 *
 * Ownership  Name and bytes live until the callback returns.
 * Limits     PACK_FILES_MAX, PACK_BYTES_MAX after unpacking, YAML_BYTES_MAX a file: over any of them
 *            nothing of the pack is to be used (ERR_LIMIT).
 * Errors     ERR_INPUT: an archive that is damaged, or a name that would leave the pack's folder.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* name: relative, of plain parts with / between them. */
typedef int (*pack_take)(void *context, struct slice name, struct slice bytes, struct err *err);

struct pack_counts {
    uint64_t rules, texts, left_out;
};

MUST_USE int pack_read(const char *path, pack_take take, void *context, struct pack_counts *counts,
                       struct err *err);
