#!/usr/bin/env python3
"""docs/sources.md from what `hinomi decoders --format json` says and the samples beside the decoders.

  tools/make_decoders_page.py [--bin build/hinomi] [--check]      --check: says whether the page is old
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "sources.md"
HEAD = """# Sources

What Hinomi understands without being told more: made by `tools/make_decoders_page.py` from `content/decoders`. `--source NAME`, a token or an
input may name a source by any of its names; where *by content* stands, nobody has to. Fields are those that the samples beside the decoder
fill; beside them each vendor's own fields stay under its prefix. How a decoder is written: [decoders](decoders.md). What no decoder
knows, in JSON, key=value, CSV, W3C, CEF, LEEF or syslog, still gives its time, host, addresses, user, action and outcome
(`generic.yaml`).
"""
BOOK = {"@timestamp", "event.original", "event.ingested", "event.kind", "event.dataset", "hinomi.decoder", "hinomi.sent_time", "hinomi.text",
        "hinomi.encoding", "hinomi.header", "message", "tags", "error.message"}
SAMPLE_MAX = 320
ROOTS = set("""agent as client cloud code_signature container data_stream destination device dll dns ecs email error event faas file geo group
hash host http interface log macho network observer orchestrator organization os package pe process registry related risk rule server
service source threat tls trace transaction url user user_agent vlan volume vulnerability x509""".split())


def samples(path):
    """(first lines, expected documents) beside a decoder file."""
    log, expected = path.with_suffix(".log"), path.with_suffix(".json")
    if not expected.exists():
        return [], []
    lines = [line for line in log.read_bytes().decode("utf8", "replace").split("\n") if line.strip()] if log.exists() else []
    return lines, [json.loads(line) for line in expected.read_text().splitlines()]


def fields_of(documents):
    names = {name for document in documents for name in document} - BOOK
    own = sorted(name for name in names if name.split(".")[0] in ROOTS)
    vendor = sorted({".".join(name.split(".")[:2]) if "." in name else name for name in names if name.split(".")[0] not in ROOTS})
    return own, vendor


def entry(decoder):
    names = ", ".join(f"`{name}`" for name in decoder["sources"])
    how = [names] if names else []
    if decoder["by_content"]:
        how.append("by content")
    if decoder["programs"]:
        how.append("in syslog: " + ", ".join(f"`{name}`" for name in decoder["programs"]))
    return f"| **{decoder['name']}** | {decoder['summary'] or ''} | {'; '.join(how)} |"


def section(file, decoders):
    path = ROOT / "content" / "decoders" / file
    lines, documents = samples(path)
    own, vendor = fields_of(documents)
    yield f"## {path.stem}\n\n| decoder | is for | answers to |\n|---|---|---|"
    for decoder in decoders:
        yield entry(decoder).replace("\n", " ")
    if own:
        yield "\nFields: " + ", ".join(f"`{name}`" for name in own) + ("; and under " + ", ".join(f"`{name}`" for name in vendor[:12]) if vendor else "")
    if lines:
        line = lines[0] if len(lines[0]) <= SAMPLE_MAX else lines[0][:SAMPLE_MAX] + " …"
        yield "\n```\n" + line + "\n```"
    for decoder in decoders:
        for text in decoder["differs"]:
            yield f"\n- {decoder['name']}: {text}" if decoder["differs"].index(text) == 0 else f"- {decoder['name']}: {text}"
    yield ""


def page(binary):
    all_decoders = json.loads(subprocess.run([binary, "decoders", "--format", "json"], capture_output=True, check=True).stdout)
    files = {}
    for decoder in all_decoders:
        if not decoder["helper"] or decoder["differs"]:
            files.setdefault(decoder["file"], []).append(decoder)
    parts = [HEAD, f"{sum(not d['helper'] for d in all_decoders)} decoders in {len(files)} files.\n"]
    for file in sorted(files):
        parts += section(file, sorted(files[file], key=lambda d: d["name"]))
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", default=str(ROOT / "build" / "hinomi"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = page(arguments.bin)
    if arguments.check:
        if not PAGE.exists() or PAGE.read_text() != text:
            print("docs/sources.md is not what the decoders say; run tools/make_decoders_page.py")
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
