#pragma once
/* app/rule_commands: the words behind "hinomi rules", each with the arguments after it. They return the
 * exit status. */
int rules_test(int argc, char **argv);     /* tests that stand beside rules */
int rules_install(int argc, char **argv);  /* packs of rules as they come */
int rules_ledger(int argc, char **argv);   /* what each rule was offered and what came of it */
int rules_backtest(int argc, char **argv); /* what rules would have found in what is stored */
/* "disable", "enable" or "level": what the site decides about a rule */
int rules_tune(const char *verb, int argc, char **argv);
