#!/usr/bin/env python3
"""The shape of the source as a test: layers, headers that compile alone, banned functions, file and
function lengths, .def lists, and words that have no place here. Prints one line a finding."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# room -> rooms it may include, besides itself (ARCHITECTURE.md, "Layers")
FLOOR = {"base": set()}
FLOOR["net"] = FLOOR["pattern"] = {"base"}
FLOOR["event"] = {"base"}
FLOOR["expr"] = {"base", "event", "pattern", "cut"}
FLOOR["cut"] = {"base", "event", "pattern"}
FLOOR["table"] = {"base", "event", "pattern", "expr", "cut"}
STATION = {"base", "event", "pattern", "expr", "cut", "table"}
FLOOR["collect"] = STATION | {"net"}
FLOOR["decode"] = FLOOR["enrich"] = FLOOR["detect"] = FLOOR["store"] = STATION
FLOOR["state"] = {"base", "event"}
FLOOR["export"] = {"base", "event"}
FLOOR["proof"] = {"base", "cut", "state"}
FLOOR["flow"] = STATION | {"collect", "decode", "enrich", "detect", "store"}
FLOOR["know"] = {"base", "event", "pattern", "expr", "cut"}
FLOOR["search"] = STATION | {"know", "store"}
FLOOR["respond"] = STATION | {"net", "state"}
FLOOR["gate"] = STATION | {"state"}
FLOOR["schedule"] = STATION | {"know", "search", "state", "flow", "store"}
FLOOR["serve"] = STATION | {"schedule", "net", "state", "flow", "know", "search", "respond", "gate", "detect", "store", "decode"}
FLOOR["verify_main.c"] = {"base", "proof"} # a program of its own, without the network
FLOOR["helper_main.c"] = {"base", "cut"} # likewise; the only one that starts programs
FLOOR["app"] = set(FLOOR) | {"app"}

BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|scanf|atoi|atol|strtok|alloca|system|popen)\s*\(")
MALLOC = re.compile(r"(?<![\w.>_])(malloc|calloc|realloc|free)\s*\(")
LINES_MAX = 1000
FUNCTION_LINES_MAX = 80


def sources(*suffixes):
    return sorted(p for p in SRC.rglob("*") if p.suffix in suffixes)


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def check_layers():
    for path in sources(".c", ".h", ".cc"):
        room = path.relative_to(SRC).parts[0]
        if room == "main.c":
            continue
        if room not in FLOOR:
            yield f"{path.relative_to(ROOT)}: the room '{room}' is not in the table of layers"
            continue
        for line, text in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include "([^"]+)"', text)
            if not match or "/" not in match.group(1):
                continue
            other = match.group(1).split("/")[0]
            if other != room and other not in FLOOR[room]:
                yield f"{path.relative_to(ROOT)}:{line}: {room}/ must not include {other}/"


def check_text():
    for path in sources(".c", ".h", ".cc"):
        text = path.read_text()
        name = path.relative_to(ROOT)
        if text.count("\n") > LINES_MAX:
            yield f"{name}: more than {LINES_MAX} lines"
        plain = without_comments(text)
        for line, code in enumerate(plain.splitlines(), 1):
            match = BANNED.search(code)
            if match:
                yield f"{name}:{line}: {match.group(1)}() is banned"
            if "base/" not in str(name) and path.suffix != ".cc" and MALLOC.search(code):
                if not re.search(r"\bfree\(names", code):
                    yield f"{name}:{line}: memory comes from base/ (mem_*, arena_*)"


def check_functions():
    for path in sources(".c"):
        start = None
        for line, text in enumerate(path.read_text().splitlines(), 1):
            if text == "{":
                start = line
            elif text == "}" and start:
                if line - start > FUNCTION_LINES_MAX:
                    yield f"{path.relative_to(ROOT)}:{start}: a function of {line - start} lines"
                start = None


def check_headers():
    flags = subprocess.run(["pkg-config", "--cflags", "libuv", "gnutls", "sqlite3"], capture_output=True, text=True).stdout.split()
    text = []
    for path in sources(".h"):
        result = subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", f"-I{SRC}", *flags, "-x", "c", "-"],
                                input=f'#include "{path.relative_to(SRC)}"\n', capture_output=True, text=True)
        if result.returncode:
            text.append(f"{path.relative_to(ROOT)}: does not compile alone: {result.stderr.splitlines()[0]}")
    return text


def check_names():
    seen = {}
    for path in sources(".c", ".cc"):
        if path.name in seen:
            yield f"{path.relative_to(ROOT)}: the name stands already at {seen[path.name]}"
        seen[path.name] = path.relative_to(ROOT)


def check_lists():
    for definition in sources(".def"):
        words = re.findall(r"^[A-Z]+\((\w+)", definition.read_text(), flags=re.M)
        room = definition.parent
        kind = {"commands.def": "command_", "collectors.def": "collector_", "dialects.def": "dialect_", "notifiers.def": "notifier_",
                "actions.def": "action_", "stats.def": "stat_", "cutters.def": "cut_", "enrichers.def": "enricher_"}.get(definition.name)
        if not kind:
            continue
        text = "\n".join(p.read_text() for p in room.rglob(f"{kind}*.c"))
        for word in words:
            if not re.search(rf"\b{kind}{word}\b", text):
                yield f"{definition.relative_to(ROOT)}: {word} has no {kind}{word} in {room.name}/"
        for folder, own in ((room / "commands", "command_"), (room / "stats", "stat_")):
            for path in folder.glob(f"{own}*.c") if kind == own else ():
                if path.stem[len(own):] not in words:
                    yield f"{path.relative_to(ROOT)}: is not in {definition.name}"


WORKPLACE = re.compile("/wor" + "k/|clo" + "sing note|devel" + "opers?'? session|DEVEL" + r"OPERS\.md", re.I)


def check_limits():
    made = subprocess.run([sys.executable, str(ROOT / "tools/make_limits.py"), "--check"])
    if made.returncode:
        yield "docs/limits.md: is not what src/base/limits.h says; run tools/make_limits.py"
    text = "\n".join(p.read_text() for p in sources(".c", ".h", ".cc"))
    for name in re.findall(r"^(?:#define |enum \{ )([A-Z][A-Z0-9_]+)", (SRC / "base/limits.h").read_text(), flags=re.M):
        if len(re.findall(rf"\b{name}\b", text)) < 2:
            yield f"src/base/limits.h: nothing asks for {name}"


def check_words():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ".evtx", ".gz", ".zst"} or "corpus" in path.parts or not path.is_file():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for line, content in enumerate(text.splitlines(), 1):
            if WORKPLACE.search(content):
                yield f"{name}:{line}: speaks of a machine or a workplace"


CHECKS = [check_layers, check_text, check_functions, check_headers, check_names, check_lists, check_limits, check_words]


def main():
    failed = 0
    for check in CHECKS:
        findings = list(check())
        print(f"{'FAIL' if findings else 'ok':4}  {check.__name__}")
        for finding in findings[:50]:
            print(f"      {finding}")
        failed += bool(findings)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
