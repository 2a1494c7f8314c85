#!/usr/bin/env python3
"""embed.py DIST OUT.c [FILE ...]: the console's files, and others, as gzip bytes in C, so that the program is one file."""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".json": "application/json"}


def main():
    dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted(p for p in dist.iterdir() if p.suffix in TYPES)
    if not any(p.name == "index.html" for p in files):
        sys.exit(f"{dist} has no index.html: build the console first (make does it)")
    files += map(pathlib.Path, sys.argv[3:])
    text = ['#include "serve/files.h"\n']
    rows = []
    for number, path in enumerate(files):
        plain = path.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        body = ",".join(str(b) for b in packed)
        text.append(f"static const unsigned char file_{number}[] = {{{body}}};\n")
        etag = hashlib.sha256(plain).hexdigest()[:16]
        rows.append(f'    {{"/{path.name}", "{TYPES[path.suffix]}", file_{number}, sizeof(file_{number}), "\\"{etag}\\""}},\n')
    text.append("const struct embedded_file embedded_files[] = {\n" + "".join(rows) + "};\n")
    text.append(f"const size_t embedded_file_count = {len(files)};\n")
    out.write_text("\n".join(text))


main()
