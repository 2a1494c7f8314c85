#!/usr/bin/env python3
"""Packs of rules: installed as they come, updated with what changes said, and nothing of the site's own decisions lost."""
import io
import json
import pathlib
import tarfile
import tempfile
import zipfile

from harness import Checks, run

checks = Checks()

RULE = """title: {title}
id: 00000000-0000-4000-8000-{number:012d}
author: Somebody Else
logsource: {{product: ecs}}
detection:
  selection: {{event.action: {action}}}
  condition: selection
level: {level}
"""


def rule(number, action="x", level="medium", title=None):
    return RULE.format(title=title or f"rule {number}", number=number, action=action, level=level)


def name(number):
    return f"00000000-0000-4000-8000-{number:012d}"


def as_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def as_tar(path, files, mode):
    with tarfile.open(path, mode) as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def as_folder(path, files):
    for file, text in files.items():
        pathlib.Path(path, file).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path, file).write_text(text)
    return path


def install(data, source, *words):
    return run("rules", "install", "--dir", data, *words, source)


def listed(data):
    return {r["id"]: r for r in json.loads(run("rules", "list", "--dir", data, "--format", "json")[1])}


def check_forms(tmp):
    files = {"rules/windows/a.yml": rule(1), "rules/b.yml": rule(2), "LICENSE.Detection.Rules.md": "the licence", "images/logo.png": "x", ".github/w.yml": "on: push"}
    sources = {"zip": as_zip(tmp + "/core.zip", files), "tar": as_tar(tmp + "/core.tar", files, "w"), "tar.gz": as_tar(tmp + "/core.tar.gz", files, "w:gz"),
               "tar.xz": as_tar(tmp + "/core.tar.xz", files, "w:xz"), "folder": as_folder(tmp + "/core", files)}
    for form, source in sources.items():
        data = f"{tmp}/data-{form}"
        status, out, err = install(data, source)
        checks.equal(f"{form}: installed", (status, err, "2 rule files, 2 rules: 2 active" in out, "2 added" in out), (0, "", True, True))
        rows = listed(data)
        checks.equal(f"{form}: active, with its author", [(rows[name(n)]["status"], rows[name(n)]["author"]) for n in (1, 2)], [("active", "Somebody Else")] * 2)
        pack = pathlib.Path(data, "content/rules/packs/core")
        checks.equal(f"{form}: as it came", sorted(str(p.relative_to(pack)) for p in pack.rglob("*") if p.is_file()), ["LICENSE.Detection.Rules.md", "pack.json", "rules/b.yml", "rules/windows/a.yml"])
        checks.equal(f"{form}: unchanged", pathlib.Path(pack, "rules/b.yml").read_text(), files["rules/b.yml"])


def check_update(tmp):
    data = tmp + "/update"
    install(data, as_folder(tmp + "/v1", {"a.yml": rule(1), "b.yml": rule(2), "c.yml": rule(3), "d.yml": rule(4)}), "--name", "p")
    checks.equal("switched off", run("rules", "disable", "--dir", data, "--reason", "our backup", name(2))[0], 0)
    checks.equal("another level", run("rules", "level", "--dir", data, "--reason", "a lab", name(1), "low")[0], 0)
    own = pathlib.Path(data, "content/rules/own.yml")
    own.write_text(rule(50))
    second = as_folder(tmp + "/v2", {"moved/a.yml": rule(1, level="high"), "b.yml": rule(2, action="y"), "d.yml": rule(4) + "references: [x]\n", "e.yml": rule(5)})
    status, out, _ = install(data, second, "--name", "p", "--dry-run")
    checks.check("--dry-run changes nothing", status == 0 and "nothing was changed" in out and name(5) not in listed(data) and name(3) in listed(data), out)
    status, out, _ = install(data, second, "--name", "p")
    for line in ("~ rule 1 (high)  " + name(1) + ": level medium -> high", "~ rule 2 (medium)  " + name(2) + ": detection", "~ rule 4 (medium)  " + name(4) + ": text",
                 "- rule 3 (medium)  " + name(3), "+ rule 5 (medium)  " + name(5), "1 added, 3 changed, 1 removed, 0 as before",
                 "tuned here, and stays so: " + name(2) + " is switched off", "tuned here, and stays so: " + name(1) + " level low"):
        checks.check(f"the update says {line!r}", line in out, out)
    rows = listed(data)
    checks.equal("what was decided here stays", [(rows[name(n)]["status"], rows[name(n)]["level"]) for n in (1, 2, 4, 5, 50)],
                 [("active", "low"), ("inactive", "medium"), ("active", "medium"), ("active", "medium"), ("active", "medium")])
    checks.check("and says why", "our backup" in rows[name(2)]["reason"], rows[name(2)])
    checks.check("what is gone is gone", name(3) not in rows)
    install(data, as_folder(tmp + "/v3", {"e.yml": rule(5)}), "--name", "p")
    status, out, _ = install(data, second, "--name", "p")
    checks.equal("a decision outlives a version without the rule", (listed(data)[name(2)]["status"], listed(data)[name(1)]["level"]), ("inactive", "low"))
    run("rules", "enable", "--dir", data, "--reason", "no backup any more", name(2))
    run("rules", "level", "--dir", data, "--reason", "theirs", name(1), "own")
    rows = listed(data)
    checks.equal("taken back", (rows[name(2)]["status"], rows[name(1)]["level"]), ("active", "high"))
    trail = run("audit", "--dir", data, "--format", "json")[1]
    actions = [row["action"] for row in json.loads(trail)]
    checks.equal("all of it is in the audit trail", {a: actions.count(a) for a in set(actions) if a.startswith("rules.")},
                 {"rules.install": 4, "rules.disable": 1, "rules.level": 2, "rules.enable": 1})
    checks.equal("no folders are left over", sorted(p.name for p in pathlib.Path(data, "content/rules/packs").iterdir()), ["p"])


def check_doubles(tmp):
    data = tmp + "/doubles"
    install(data, as_folder(tmp + "/d1", {"a.yml": rule(1)}), "--name", "one")
    install(data, as_folder(tmp + "/d2", {"a.yml": rule(1), "b.yml": rule(2)}), "--name", "two")
    rows = json.loads(run("rules", "list", "--dir", data, "--format", "json")[1])
    found = [(r["status"], "packs/one" in r["path"]) for r in rows if r["id"] == name(1)]
    checks.equal("of two with one id one runs", sorted(found), [("active", True), ("inactive", False)])
    checks.check("and the other says so", any("same id" in r["reason"] for r in rows))
    theirs = [r for r in rows if r["title"] == "A source fell silent"][0]
    pathlib.Path(data, "content/rules/mine.yml").write_text(pathlib.Path(theirs["path"]).read_text().replace("level: high", "level: low"))
    rows = [r for r in json.loads(run("rules", "list", "--dir", data, "--format", "json")[1]) if r["id"] == theirs["id"]]
    checks.equal("one's own takes the place of a shipped one", sorted((r["status"], r["level"]) for r in rows), [("active", "low"), ("inactive", "high")])


def check_bad(tmp):
    data = tmp + "/bad"
    install(data, as_folder(tmp + "/good", {"a.yml": rule(1)}), "--name", "p")
    hostile = {"leaves its folder": {"../../evil.yml": rule(9)}, "absolute": {"/tmp/evil.yml": rule(9)}, "an empty part": {"a//../b.yml": rule(9)}, "a line break": {"a\nb.yml": rule(9)}}
    for what, files in hostile.items():
        status, _, err = install(data, as_tar(tmp + "/evil.tar", files, "w"), "--name", "p")
        checks.check(f"{what}: refused", status == 1 and "no name within a folder" in err, (status, err))
    link = tmp + "/link.tar"
    with tarfile.open(link, "w") as archive:
        info = tarfile.TarInfo("a.yml")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    checks.check("links are no rules", "has no rule" in install(data, link, "--name", "p")[2])
    pathlib.Path(tmp, "junk.zip").write_bytes(b"PK\x03\x04 not really")
    checks.check("a damaged archive is said", "cannot be read as an archive" in install(data, tmp + "/junk.zip", "--name", "p")[2])
    whole = pathlib.Path(as_zip(tmp + "/whole.zip", {f"r{n}.yml": rule(n) for n in range(100, 200)})).read_bytes()
    pathlib.Path(tmp, "half.zip").write_bytes(whole[:len(whole) // 2])
    checks.equal("half an archive is not taken", install(data, tmp + "/half.zip", "--name", "p")[0], 1)
    big = as_zip(tmp + "/bomb.zip", {"a.yml": " " * (64 << 20)})
    checks.check("a bomb is not unpacked", "has more than" in install(data, big, "--name", "p")[2])
    checks.equal("the pack is as before", [listed(data)[name(1)]["status"], name(9) in listed(data)], ["active", False])
    checks.equal("and nothing lies about", sorted(p.name for p in pathlib.Path(data, "content/rules/packs").iterdir()), ["p"])
    checks.check("nothing was written elsewhere", not pathlib.Path(tmp, "evil.yml").exists() and not pathlib.Path("/tmp/evil.yml").exists())
    for words, sentence in ((["rules", "install", "--dir", data, "--name", "../x", tmp + "/good"], "a pack's name"), (["rules", "install", tmp + "/good"], "--dir DATA"),
                            (["rules", "install", "--dir", data, tmp + "/nothing"], "cannot be read"), (["rules", "disable", "--dir", data, name(1)], "--reason"),
                            (["rules", "disable", "--dir", data, "--reason", "x", "nosuch"], "there is no rule 'nosuch'"),
                            (["rules", "level", "--dir", data, "--reason", "x", name(1), "loud"], "a level is"), (["rules", "list", "--dir", data, "x"], "not both")):
        status, _, err = run(*words)
        checks.check(f"{words[1]}: {sentence}", status != 0 and sentence in err, (status, err))
    pathlib.Path(data, "content/rule-tuning.yaml").write_text("x: {enabled: maybe}\n")
    checks.check("a wrong tuning is said with its place", "rule-tuning.yaml: line 1" in run("rules", "list", "--dir", data)[2])


with tempfile.TemporaryDirectory() as folder:
    check_forms(folder)
    check_update(folder)
    check_doubles(folder)
    check_bad(folder)
checks.finish()
