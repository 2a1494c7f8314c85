#pragma once
/*
 * app/gate_records: `hinomi gate rerun`: the decisions in a gate's journal, each made again from its record.
 */

/* folder: the gate's; id: of one decision, or NULL for all. Prints; the status of the program. */
int gate_records_rerun(const char *folder, const char *id);
