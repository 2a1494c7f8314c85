"""Random searches asked in several ways (tests/fuzz/fuzz_search.py): a short run, and the long one with HINOMI_FULL."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fuzz"))
import fuzz_search

if os.environ.get("HINOMI_FULL"):
    runs = [(9700, 1, False), (300, 1, True)]
else:
    runs = [(190, 1, False), (10, 1, True)]
results = [fuzz_search.campaign(*run) for run in runs]
passed, failed = map(sum, zip(*results))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
