#!/usr/bin/env python3
"""Values and rules made to hurt: what an event of a megabyte costs with thousands of rules, garbage as rules, endless conditions and lists."""
import json
import pathlib
import random
import re
import resource
import subprocess
import tempfile

from harness import HINOMI, ROOT, SHARED, Checks, run

BENCH = pathlib.Path(HINOMI).parent / "bench/detect_bench"
EVENT_BYTES = 900_000
checks = Checks()
rng = random.Random(5)


def rule(number, detection):
    return json.dumps({"title": f"rule {number}", "id": str(number), "logsource": {"product": "windows", "category": "process_creation"},
                       "detection": detection})


def cpu_of(*args):
    """A command that has ended, and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(a) for a in args], capture_output=True, cwd=ROOT, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# ---- a megabyte ----

WORDS = ["powershell", "-enc", "http://", ".exe", "cmd /c", "rundll32", "javascript:", "AppData", "\\Temp\\", "%comspec%", "-w hidden"]
PATTERNS = ["(?:http|ftp)s?://[^ ]+\\.exe", "\\^[a-z]\\^", "[A-Za-z0-9+/]{60,}={0,2}", "(a+)+b", "-e[nc]*\\s", "cmd.*/c.*start", "\\\\{2}[^\\\\]+\\\\"]


def made_rules(count):
    """As published ones are: lists of parts of command lines, images, some regular expressions, filters."""
    out = []
    for i in range(count):
        word = f"{rng.choice(WORDS)}{rng.randrange(count)}"
        detection = {"sel": {"CommandLine|contains": [word, rng.choice(WORDS), f"w{i:05}"], "Image|endswith": f"\\tool{i % 300}.exe"},
                     "also": {"CommandLine|contains|all": [rng.choice(WORDS), rng.choice(WORDS)]},
                     "filter": {"ParentImage|startswith": f"C:\\Program{i}"}, "condition": "sel or also and not filter"}
        if i % 20 == 0:
            detection |= {"re": {"CommandLine|re": rng.choice(PATTERNS)}, "condition": "sel or re and not filter"}
        out.append(rule(i, detection))
    return out


def fill(parts):
    text = "".join(rng.choice(parts) for _ in range(EVENT_BYTES // max(map(len, parts)) + 1))
    return text.encode()[:EVENT_BYTES].decode(errors="ignore")


def windows(channel, number, **data):
    return {"Event": {"System": {"Channel": channel, "EventID": number, "Computer": "h"}, "EventData": data}}


SYSMON, POWERSHELL = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-PowerShell/Operational"
EVENTS = {  # where a megabyte may be, for rules of several kinds
    "command line": lambda text: windows(SYSMON, 1, CommandLine=text, Image="C:\\tool7.exe"),
    "image": lambda text: windows(SYSMON, 1, CommandLine="x", Image=text, ParentImage=text),
    "script": lambda text: windows(POWERSHELL, 4104, ScriptBlockText=text),
    "registry": lambda text: windows(SYSMON, 13, TargetObject=text, Details="x"),
    "message": lambda text: {"message": text, "event": {"dataset": "system.auth"}, "process": {"name": "sshd"}},
    "url": lambda text: {"url": {"original": text, "query": "x"}, "http": {"request": {"method": "GET"}}, "event": {"dataset": "nginx.access", "category": ["web"]}},
}


def said_by_rules(rules):
    """Texts that the rules look for, and texts that nearly are what their regular expressions look for."""
    literals, near = ["x"], ["x"]
    for path in sorted(rules.rglob("*.yml")) if rules.is_dir() else [rules]:
        text = path.read_text()
        literals += re.findall(r"^ +- '?([^'\n:]{4,60}?)'?$", text, re.M) + re.findall(r'"([^"\n]{5,30})"', text)
        near += [re.sub(r"\\[dwsb]|[()\[\]^$|{}?*+\\]", "", r)[:-1] for r in re.findall(r"\|re[|ims]*\"?: *['\"]?(.{6,}?)['\"]?$", text, re.M)]
    return literals, near


def megabytes(rules, name, folder):
    literals, near = said_by_rules(rules)
    texts = {"literals": fill(literals), "beginnings of literals": fill([w[:-1] for w in literals]), "literals among other letters": fill([w + "\u9280" for w in literals]),
             "near misses of regular expressions": fill([w + " " for w in near if w]), "all kinds of letters": fill(["\u00e9", "\u9280", "\U0001f600", "a", "powershell ", "\u212a", "\\"]),
             "nested JSON": '{"a":' * (EVENT_BYTES // 5), "one letter": fill(["a"])}
    for where, event in EVENTS.items():
        for what, text in texts.items():
            path = folder / "event.jsonl"
            path.write_text(json.dumps(event(text), ensure_ascii=False) + "\n")
            least = least_us(rules, path)
            checks.check(f"{name}, a megabyte of {what} as {where} in {least / 1000:.0f} ms", least <= 50_000)


def least_us(rules, path):
    """Of three runs at most."""
    least = 1e9
    for _ in range(3):
        least = min(least, json.loads(subprocess.run([BENCH, rules, ROOT / "content", path], capture_output=True, check=True).stdout)["detect_us"])
        if least <= 40_000:
            break
    return least


def plain_megabytes(rules, name, folder):
    texts = {"words": fill([w + " " for w in WORDS]), "one letter": fill(["a"]), "backslashes": fill(["\\"]), "blanks": fill([" "]),
             "base64": fill(["QWJj", "SUVYI"]), "not ASCII": fill(["\u00e9"]), "folds into ASCII": fill(["\u212a"]), "dashes": fill(["-/"])}
    for what, text in texts.items():
        path = folder / "event.jsonl"
        path.write_text(json.dumps(EVENTS["command line"](text), ensure_ascii=False) + "\n")
        least = least_us(rules, path)
        checks.check(f"{name}, a megabyte of {what} in {least / 1000:.0f} ms", least <= 50_000)


# ---- rules ----

def garbage():
    pieces = ["title: x\n", "detection:\n", "  sel:\n", "    a|re: '('\n", "    b|contains: '*'\n", "  condition: sel\n", "  condition: (((\n", "- ", "{", "]",
              "\x00", "&a *a", "1 of", "logsource: {product: windows}\n", "    c|cidr: 1.2.3/99\n", "    d|nosuch: 1\n", "\u00e9", "   ", "not not ", ": :\n"]
    return "title: x\n" + "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 25)))


def check_garbage(folder):
    for i in range(10_000):
        (folder / f"{i}.yml").write_text(garbage() if i % 2 else rule(i, {"sel": {"a": "b"}, "condition": garbage().replace("\x00", "")}))
    done, cpu = cpu_of(HINOMI, "rules", "check", "--format", "jsonl", folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    checks.check(f"10,000 rules of garbage in {cpu:.1f} CPU s", done.returncode in (0, 1) and cpu < 20, done.stderr[-300:])
    checks.check("each of them is listed, with a reason unless it is active",
                 len(lines) >= 10_000 and all(line["status"] == "active" or line.get("reason") for line in lines), len(lines))


def detect_one(folder, name, document, events, seconds):
    rules, path = folder / f"{name}.yml", folder / f"{name}.jsonl"
    rules.write_text(document)
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    done, cpu = cpu_of(HINOMI, "detect", "--rules", rules, "--ignore-logsource", path)
    checks.check(f"{name} in {cpu:.1f} CPU s", done.returncode == 0 and cpu < seconds, done.stderr[-300:])
    return [json.loads(line)["hinomi"]["record"] for line in done.stdout.splitlines()]


def check_conditions(folder):
    events = [{"f": "x199"}, {"f": "y"}, {"g": "x199"}]
    searches = {f"sel{i}": {"f": f"x{i}"} for i in range(200)}
    many = " or ".join(["1 of sel*"] * 20_000)
    checks.equal("1 of, over and over", detect_one(folder, "1 of", rule(1, searches | {"condition": many}), events, 5), [0])
    long = " and ".join(["not sel1"] * 100_000)
    checks.equal("a long and", detect_one(folder, "long and", rule(1, searches | {"condition": long}), events, 5), [0, 1, 2])
    deep = "(" * 100_000 + "sel1" + ")" * 100_000
    (folder / "deep.yml").write_text(rule(1, searches | {"condition": deep}))
    status, out, _ = run("rules", "check", "--format", "jsonl", folder / "deep.yml")
    checks.check("brackets without end are refused", status == 1 and json.loads(out)["status"] == "refused", out[-300:])


def check_lists(folder):
    values = [f"value {i}" for i in range(99_990)]
    events = [{"f": "VALUE 99989"}, {"f": "value"}, {"f": "a value 7 b"}, {"f": ["x", "value 0"]}]
    for mods, want in (("", [0, 3]), ("|contains", [0, 2, 3]), ("|endswith", [0, 3]), ("|cased", [3])):
        detection = {"sel": {"f" + mods: values}, "condition": "sel"}
        checks.equal(f"a list of 100,000 values {mods}", detect_one(folder, "list" + mods.replace("|", " "), rule(1, detection), events, 10), want)
    networks = [f"10.{i // 256}.{i % 256}.0/24" for i in range(60_000)]
    checks.equal("a list of networks", detect_one(folder, "networks", rule(1, {"sel": {"f|cidr": networks}, "condition": "sel"}),
                                                  [{"f": "10.1.2.3"}, {"f": "10.255.0.1"}], 10), [0])


with tempfile.TemporaryDirectory() as tmp:
    tmp = pathlib.Path(tmp)
    (tmp / "made.yml").write_text("\n---\n".join(made_rules(2000)))
    plain_megabytes(tmp / "made.yml", "2,000 made rules", tmp)
    megabytes(tmp / "made.yml", "2,000 made rules", tmp)
    if (SHARED / "data/sigma/rules.tar.zst").exists():
        (tmp / "rules").mkdir()
        subprocess.run(["tar", "--zstd", "-xf", SHARED / "data/sigma/rules.tar.zst", "-C", tmp / "rules"], check=True)
        plain_megabytes(tmp / "rules", "published rules", tmp)
        megabytes(tmp / "rules", "published rules", tmp)
    (tmp / "garbage").mkdir()
    check_garbage(tmp / "garbage")
    check_conditions(tmp)
    check_lists(tmp)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
checks.check(f"no run took more than {peak} MiB", peak <= 512)
print(f"at most {peak} MiB")
checks.finish()
