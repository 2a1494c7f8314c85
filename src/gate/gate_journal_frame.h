#pragma once
/*
 * gate/gate_journal_frame: one commit of the gate's journal.
 *
 *   | "HGJ2" | length 4 | crc 4 | flags 4 | number 8 | time 8 | before 8 | chain 32 | payload |      little-endian
 *   payload | length 4 | record | length 4 | record | ...
 *
 *   crc     CRC-32C of everything but the magic and itself
 *   flags   1: carried: what an older file said already and a new one begins with
 *   number  of the commit, from 0, over all files without a gap
 *   time    of the commit, nanoseconds since 1970
 *   before  the number that the file before this one begins with; GATE_NO_FILE: there is none
 *   chain   BLAKE2b-256 of the commit before's chain, flags, number, time, before and payload; zeros stand before the first
 *
 * A commit that was altered, left out or put elsewhere breaks the chain from there on.
 *
 * Threads  Any; nothing is shared.
 */
#include "base/attr.h"
#include "base/buffer.h"
#include "base/slice.h"

enum { GATE_FRAME_HEADER = 72, GATE_CHAIN_SIZE = 32 };
#define GATE_NO_FILE UINT64_MAX

struct gate_journal_frame {
    uint64_t number, before;
    int64_t time_ns;
    bool carried;
    unsigned char chain[GATE_CHAIN_SIZE];
    struct slice payload; /* borrowed */
};

/* Sets the chain from that of the frame before, and appends. */
void gate_journal_frame_put(struct gate_journal_frame *frame, const unsigned char chain_before[GATE_CHAIN_SIZE], struct buffer *to);

/* The frame at the start of bytes; false when there is no whole, good one. */
bool gate_journal_frame_read(struct slice bytes, struct gate_journal_frame *out);
/* How long the frame will be whose header this is; 0: this is no header. */
size_t gate_journal_frame_size(struct slice header);
bool gate_journal_frame_follows(const struct gate_journal_frame *frame, const unsigned char chain_before[GATE_CHAIN_SIZE]);

/* The next record of a payload: 1, 0 at its end, -1 when it holds half a record. */
int gate_journal_record_next(struct slice *payload, struct slice *record);
