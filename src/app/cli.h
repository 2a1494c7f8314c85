#pragma once
/*
 * app/cli: the subcommands, and what they share. A command gets the words after its name and
 * returns the exit status: 0 done, 1 failed, 2 wrong usage. Errors are sentences on standard error.
 */
#include "base/err.h"
#include "base/slice.h"
#include "decode/decode.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command_line {
    const char *name;
    const char *usage;   /* one line behind the name */
    const char *summary;
    int (*run)(int argc, char **argv);
};

/* The program's own subcommands; ends with a NULL name. */
extern const struct command_line command_lines[];

/* ---- options: "--name value" and "--name=value", flags, then the other words in order ---- */
struct cli_option {
    const char *name;   /* "--rules" */
    const char **value; /* where its text goes, or */
    bool *flag;         /* where its presence goes */
};
struct cli_words {
    char **words;
    int count;
};
/* 0, or EXIT_USAGE after a sentence. words points into argv, which is reordered. */
int cli_parse(const char *command, int argc, char **argv, const struct cli_option *options,
              size_t option_count, struct cli_words *words);

int cli_fail(const struct err *err); /* prints "hinomi: TEXT", returns EXIT_FAILED */
PRINTF_LIKE(2, 3) int cli_usage(const char *command, const char *format, ...);

/* The folder with decoders, rules and the like: $HINOMI_CONTENT, beside the program, or installed.
 * Never NULL; the text lives for ever. */
const char *cli_content(const char *name);

/* DIR/content/decoders, where a data folder has its own decoders; NULL when there is none. The text lasts until the
 * next call. */
const char *cli_own_decoders(const char *dir);
/* Those of the content folder, and the own ones (a file or folder, or NULL), which come before them. */
int cli_load_decoders(const char *own, struct decoders **out, struct err *err);

/* What --tz and --encoding name (either may be NULL): 0, or EXIT_USAGE after a sentence. */
int cli_check_text(const char *command, const char *zone, const char *encoding);
/* A sentence when no decoder answers to --source (may be NULL); events then go by their content. */
void cli_note_source(const struct decoders *decoders, const char *source);

/* Buffered standard output that notices a closed pipe: false when nobody reads any more. */
bool cli_write(struct slice bytes);
bool cli_flush(void);

/* A line of progress on a terminal, at most a few times a second; done ends the line. */
void cli_progress(bool done, const char *format, ...) PRINTF_LIKE(2, 3);

int app_decode(int argc, char **argv);
int app_recognise(int argc, char **argv);
int app_decoders(int argc, char **argv);
int app_detect(int argc, char **argv);
int app_rules(int argc, char **argv);
int app_import(int argc, char **argv);
int app_replay(int argc, char **argv);
int app_search(int argc, char **argv);
int app_export(int argc, char **argv);
int app_approve(int argc, char **argv);
int app_gate(int argc, char **argv);
int app_serve(int argc, char **argv);
int app_demo(int argc, char **argv);
int app_check(int argc, char **argv);
int app_verify(int argc, char **argv);
int app_ledger(int argc, char **argv);
int app_audit(int argc, char **argv);
int app_backup(int argc, char **argv);
int app_restore(int argc, char **argv);
int app_watch(int argc, char **argv);
int app_oncall(int argc, char **argv);
int app_keep(int argc, char **argv);
int app_user(int argc, char **argv);
int app_token(int argc, char **argv);
int app_knowledge(int argc, char **argv);
int app_version(int argc, char **argv);
int app_help(int argc, char **argv);
