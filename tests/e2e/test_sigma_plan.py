"""Random Sigma rules on random events against a naive evaluator (tests/fuzz/fuzz_sigma_plan.py): a short run, and the long one with HINOMI_FULL."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fuzz"))
import fuzz_sigma_plan

agree, differ = fuzz_sigma_plan.campaign(10_000_000 if os.environ.get("HINOMI_FULL") else 120_000, 1)
print(f"{agree} pairs agree, {differ} differ")
print(f"{int(not differ)} passed, {int(bool(differ))} failed")
sys.exit(differ > 0)
