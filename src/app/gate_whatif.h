#pragma once
/* app/gate_whatif: `hinomi gate whatif`: what a policy would have held of a history (docs/gate-whatif.md). */
int gate_whatif(int argc, char **argv);
