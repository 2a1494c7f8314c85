#pragma once
/* hinomi search --tail: a live search of a running server, printed line by line until a signal. */

/* The words behind "search", --tail among them. An exit status. */
int app_tail(int argc, char **argv);
