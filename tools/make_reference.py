#!/usr/bin/env python3
"""docs/reference/*.md from what `hinomi help search --json`, `hinomi help collect --json` and `hinomi help notify --json` say.

  tools/make_reference.py [--bin build/hinomi] [--check]      --check: says which pages are old
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MADE = "Made by `tools/make_reference.py` from the descriptors in {} and the examples in [examples](examples), which run as tests."
PAGES = {
    "commands": ("commands.md", "Commands", "`src/search/commands/`",
                 "`hinomi help search NAME` prints the same. In capital letters: what you put there; in [ ]: what may be left out, but "
                 "[SUBSEARCH] and [COMMANDS] are written in brackets."),
    "stats": ("stats.md", "Functions of stats, chart and timechart", "`src/search/stats/`",
              "They stand behind `stats`, `eventstats`, `streamstats`, `chart`, `timechart`. Values that are no numbers do not count where "
              "numbers are wanted, and a group without values has none, but `count` and `dc`, which say 0."),
    "functions": ("functions.md", "Functions of eval and where", "`src/expr/function_*.c`",
                  "The language around them is in [expressions](../expressions.md). A function gives null where it cannot answer."),
}


def cell(text):
    return text.replace("|", "\\|")


def anchor(name):
    return f"[{name}](#{name})"


def options(entry):
    if not entry.get("options"):
        return
    yield "| option | is | default | |\n|---|---|---|---|"
    for option in entry["options"]:
        kind = " ".join(f"`{word}`" for word in option["words"]) or option["kind"]
        default = f"`{option['default']}`" if option["default"] is not None else ""
        yield f"| `{option['name']}` | {kind} | {cell(default)} | {cell(option['summary'])} |"
    yield ""


def examples(entry, shown):
    """An example that shows several functions stands with the first of them."""
    for example in entry["examples"]:
        where = shown.setdefault((example["title"], example["search"]), entry["name"])
        if where != entry["name"]:
            yield f"Example: {anchor(where)}, {example['title']}\n"
            continue
        yield f"{example['title'][0].upper()}{example['title'][1:]}:\n\n```"
        yield "\n".join(example["given"] + ["", example["search"].rstrip(), "", *example["expect"]])
        yield "```\n"


def section(entry, shown):
    alias = f" (also `{entry['alias']}`)" if entry["alias"] else ""
    summary = entry["summary"][:1].upper() + entry["summary"][1:]
    yield f"## {entry['name']}\n\n{summary}{alias}.\n\n    {entry['syntax']}\n"
    yield from options(entry)
    for note in entry["notes"]:
        yield f"- {note}"
    if entry["notes"]:
        yield ""
    yield from examples(entry, shown)


def page(key, entries):
    _, title, source, words = PAGES[key]
    there = [entry for entry in entries if entry.get("runs", True)]
    missing = [entry for entry in entries if not entry.get("runs", True)]
    yield f"# {title}\n\n{MADE.format(source)} {words}\n"
    yield " · ".join(anchor(entry["name"]) for entry in there) + "\n"
    shown = {}
    for entry in there:
        yield from section(entry, shown)
    if missing:
        yield "## Read but not run yet\n\nA query with one of these is checked; running it says which one is missing.\n"
        yield "\n".join(f"- `{entry['name']}`: {entry['summary']}" for entry in missing) + "\n"


def collector_options(entries):
    yield "| option | is | default | |\n|---|---|---|---|"
    for option in entries:
        default = "needed" if option["required"] else f"`{option['default']}`" if option["default"] is not None else ""
        yield f"| `{option['name']}` | {option['type']} | {cell(default)} | {cell(option['summary'])} |"
    yield ""


def collectors_page(reference):
    yield ("# Collectors\n\nMade by `tools/make_reference.py` from the descriptors in `src/collect/`. `hinomi help collect KIND` prints the same. "
           "How they are used, with examples of senders: [collect](../collect.md).\n")
    yield " · ".join(anchor(kind["name"]) for kind in reference["kinds"]) + " · [dialects](#dialects-of-the-http-port)\n"
    yield "## What every collector has\n"
    yield "An entry of `collect:` in the configuration has a `kind` and these options, and its kind's own:\n"
    yield from collector_options(reference["common"])
    for kind in reference["kinds"]:
        yield f"## {kind['name']}\n\n{kind['summary'][:1].upper() + kind['summary'][1:]}.\n"
        if kind["details"]:
            yield kind["details"] + "\n"
        yield from collector_options(kind["options"])
    yield "## Dialects of the HTTP port\n\nA path's `*` stands for any one segment; where no token is asked for, nothing is taken in.\n"
    for dialect in reference["dialects"]:
        yield f"**{dialect['name']}**: {dialect['summary']}.\n"
        yield "| | path | token |\n|---|---|---|"
        for route in dialect["routes"]:
            yield f"| {route['method']} | `{route['path']}` | {'yes' if route['token'] else 'no'} |"
        yield ""


def notifiers_page(reference):
    yield ("# Notifiers\n\nMade by `tools/make_reference.py` from the descriptors in `src/respond/notify/`. `hinomi help notify KIND` prints the same. "
           "What to enter where, with an example of each: [notifiers](../notifiers.md).\n")
    yield " · ".join(anchor(kind["name"]) for kind in reference["kinds"]) + "\n"
    yield "## What every notifier has\n"
    yield "An entry of `notifiers:` in the configuration has a `kind` and these options, and its kind's own. A secret is the text itself, `file:PATH` or `env:NAME`:\n"
    yield from collector_options(reference["common"])
    for kind in reference["kinds"]:
        yield f"## {kind['name']}\n\n{kind['summary'][:1].upper() + kind['summary'][1:]}.\n"
        if kind["details"]:
            yield kind["details"] + "\n"
        yield (f"A person's address: {kind['address']}.\n" if kind["address"] else "It reaches a place, and no single person.\n")
        yield from collector_options(kind["options"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build/hinomi"))
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    ask = lambda what: json.loads(subprocess.run([args.bin, "help", what, "--json"], capture_output=True, check=True).stdout)
    reference, old = ask("search"), 0
    pages = [(name, page(key, reference[key])) for key, (name, *_) in PAGES.items()] + [("collectors.md", collectors_page(ask("collect"))), ("notifiers.md", notifiers_page(ask("notify")))]
    for name, lines in pages:
        path, text = ROOT / "docs/reference" / name, "\n".join(lines).rstrip("\n") + "\n"
        if not args.check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"docs/reference/{name}: is not what the program says; run tools/make_reference.py")
            old += 1
    return old > 0


if __name__ == "__main__":
    sys.exit(main())
