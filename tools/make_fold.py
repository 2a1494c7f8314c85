#!/usr/bin/env python3
"""Writes src/base/utf8_fold.inc: simple case folding as runs of code points.

A run is {first, last, step, delta}: every step-th code point from first to last folds to itself + delta.
The mapping comes from Python's own Unicode database, so no table text is copied from elsewhere.
"""
import unicodedata


def fold(cp):
    text = chr(cp)
    for candidate in (text.casefold(), text.lower()):
        if len(candidate) == 1:
            return ord(candidate)
    return cp


def runs(pairs):
    out = []
    for cp, delta in pairs:
        if out:
            first, last, step, d = out[-1]
            if d == delta and (cp - last == step or (first == last and cp - last in (1, 2))):
                out[-1] = (first, cp, cp - last, d)
                continue
        out.append((cp, cp, 1, delta))
    return out


def main():
    pairs = [(cp, fold(cp) - cp) for cp in range(0x80, 0x20000)
             if not 0xD800 <= cp < 0xE000 and fold(cp) != cp]
    table = runs(pairs)
    print(f"/* Made by tools/make_fold.py, Unicode {unicodedata.unidata_version}; {len(table)} runs. */")
    for first, last, step, delta in table:
        print(f"{{0x{first:x}, 0x{last:x}, {step}, {delta}}},")


main()
