#!/usr/bin/env python3
"""docs/limits.md from src/base/limits.h: with --check, says whether it is up to date."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """# Limits

Made by `tools/make_limits.py` from `src/base/limits.h`. Reaching a limit fails one batch, request or query, never the process, and is
always said; nothing is cut off silently. What is over an event's limits stays in the store raw and is marked.
"""
NAME = re.compile(r"^(?:enum \{ (\w+) = (.+?) \};|#define (\w+) (\(.+?\)|\d\S*))\s*(?:/\* (.*))?$")


def rows(text):
    """(section, name, value, why); a comment over a group is its section, one behind a limit its reason."""
    section, open_comment, lines = "", None, text.split("\n")
    for line in lines:
        found = NAME.match(line)
        if found:
            name, value = found[1] or found[3], found[2] or found[4]
            why = found[5] or ""
            if why and not why.endswith("*/"):
                open_comment = ["why", why]
            elif name not in ("KIB", "MIB", "GIB"):
                yield section, name, value, why.removesuffix("*/").strip()
            if open_comment:
                open_comment += [name, value]
        elif open_comment:
            open_comment[1] += " " + line.strip().lstrip("* ").strip()
            if line.endswith("*/"):
                told = open_comment[1].removesuffix("*/").strip()
                if open_comment[0] == "why":
                    yield section, open_comment[2], open_comment[3], told
                else:
                    section = told
                open_comment = None
        elif line.startswith("/* "):
            if line.endswith("*/"):
                section = line[3:-2].strip()
            else:
                open_comment = ["section", line[3:]]


def make():
    text = (ROOT / "src/base/limits.h").read_text()
    text = text[text.index("#include"):]
    out, before = [HEAD], None
    for section, name, value, why in rows(text):
        if section != before:
            out.append(f"\n{section}\n\n| limit | value | why |\n|---|---|---|")
            before = section
        out.append(f"| `{name}` | {value.strip('()')} | {why} |")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    page = ROOT / "docs/limits.md"
    if "--check" in sys.argv:
        sys.exit(page.read_text() != make())
    page.write_text(make())
