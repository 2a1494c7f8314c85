#!/usr/bin/env python3
"""embed_examples.py OUT.c FILE.test ...: the examples of the reference as C, for `hinomi help search`.

The files are golden tests (tests/golden/run.py) whose titles say whom they show: "== KIND NAME, NAME: what",
where KIND is command, stats or eval. `--list` prints the files instead, for the build.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs/reference/examples"
sys.path.insert(0, str(ROOT / "tests/golden"))
from run import cases_of

KINDS = ("command", "stats", "eval")


def examples(paths):
    for path in paths:
        for case in cases_of(path):
            whom, _, title = case["title"].partition(": ")
            kind, _, names = whom.partition(" ")
            if kind not in KINDS or not names or not title:
                sys.exit(f'{path}: "== {case["title"]}" is not "== command|stats|eval NAME[, NAME]: what it shows"')
            given = case["given"] + [line for name, rows in case["tables"].items() for line in [f"table {name}"] + rows]
            yield [kind, names, title, *("\n".join(line for line in part if line.strip()) for part in (given, case["search"], case["expect"]))]


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(str(p) for p in sorted(EXAMPLES.rglob("*.test"))))
        return
    text = ['#include "search/help.h"\n', "const struct spl_example spl_examples[] = {"]
    rows = list(examples(sys.argv[2:]))
    # what is not plain ASCII as octal bytes
    quote = lambda s: '"' + "".join(c if " " <= c <= "~" and c not in '"\\?' else "".join(f"\\{b:03o}" for b in c.encode()) for c in s) + '"'
    text += ["    {" + ", ".join(quote(part) for part in row) + "}," for row in rows]
    text += ["};", f"const size_t spl_example_count = {len(rows)};", ""]
    pathlib.Path(sys.argv[1]).write_text("\n".join(text))


if __name__ == "__main__":
    main()
