#pragma once
/*
 * collect/journal_entry: an entry of systemd's journal as `journalctl -o export` writes it (cut/journal_export.h reads
 * that), and what its cursor says of its number.
 *
 * Threads  Any. Source  systemd.io/JOURNAL_EXPORT_FORMATS.
 */
#include "base/buffer.h"

/* "NAME=value", as the journal has it; with a length where the value is no plain text. */
void journal_entry_put(struct buffer *to, struct slice field);

/* "s=ID;i=HEX;...": whose counting it is, and the number. False when it is no cursor. */
bool journal_cursor_number(struct slice cursor, struct slice *counting, uint64_t *number);
