#!/usr/bin/env python3
"""How long a start takes with much remembered: from exec until the gate answers out of what it remembers, and not out of doubt.

    python3 bench/restore.py [--addresses 10000000] [--accounts 1000000] [--rounds 3] [--keep FOLDER]

The checkpoint is made by bench/state_tables (state tables of content/state with so many keys, two events each) and put where a server has its
own. That server is stopped, so that it has both of its checkpoints. Every round starts it anew (read: with the files in the page cache; cold: they
were dropped from it), asks for one withdrawal every 10 ms, and prints when the ports were open, when an answer was of the policy, CPU seconds and
resident memory until then.
FOLDER keeps the checkpoint for the next time: 1 GB."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

DOUBTS = {"journal", "key", "policy", "unhealthy", "lost", "behind", "incidents", "state", "clock", "timeout", "busy", "memory"}  # gate_decide.c


def used(pid):
    """CPU seconds, and the most that was resident in MB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    peak = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024 / 1e6


def drop(path):
    """Out of the page cache."""
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def prepared(folder, made):
    """A server that was stopped with all that in its memory, so that it has both checkpoints; and a token of the gate."""
    memory = pathlib.Path(folder, "data/memory")
    memory.mkdir(parents=True)
    shutil.copy(made, memory / "checkpoint.0")
    server = harness.Server(folder)
    server.start(wait=300)
    server.sign_in()
    token = server.token("gate")
    server.hec(server.token("hec"), [{"@timestamp": "2026-01-01T00:00:00Z", "event": {"dataset": "wallet.balance", "action": "balance_snapshot"}, "wallet": {
        "asset": "BTC", "tier": "hot", "address": "bc1qhot", "chain_balance": 1000000, "ledger_balance": 1000000, "pending_in": 0}}])
    server.stop()
    return server, token


def one(server, token, cold):
    memory = pathlib.Path(server.dir, "data/memory")
    for file in memory.glob("checkpoint.*"):
        drop(file) if cold else file.read_bytes()
    start = time.monotonic()
    server.start(wait=300)
    opened, number, doubts = time.monotonic() - start, 0, {}
    while True:
        number += 1
        body = {"request_id": f"r{time.monotonic_ns()}", "action": "withdrawal", "account": "u00000001", "asset": "BTC", "amount": "0.001", "wallet": "w", "destination": "d"}
        status, answer, _ = server.request("POST", "/v1/gate/decide", body, headers={"Authorization": f"Bearer {token}"}, timeout=120)
        if status == 200 and answer["row"] not in DOUBTS:
            break
        doubts[json.dumps(answer.get("reasons", answer), ensure_ascii=False)[:120]] = number
        if time.monotonic() - start > 300:
            raise SystemExit(f"no answer out of the policy: {doubts}")
        time.sleep(0.01)
    seconds, (cpu, peak) = time.monotonic() - start, used(server.process.pid)
    server.kill()
    size = sum(file.stat().st_size for file in memory.glob("checkpoint.*")) / 1e6
    print(f"| {'cold' if cold else 'read'} | {size:.0f} | {opened:.2f} | {seconds:.2f} | {answer['decision']} {answer['row']} | {cpu:.2f} | {peak:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--addresses", type=int, default=10_000_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", help="a folder for the checkpoint; used again when it has one")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hinomi-restore-") as place:
        folder = pathlib.Path(args.keep or place + "/memory")
        made = folder / "checkpoint.0"
        if not made.exists():
            subprocess.run([str(ROOT / args.build / "bench/state_tables"), str(ROOT / "content"), str(args.addresses), str(args.accounts), str(folder), "keep"], check=True)
        server, token = prepared(tempfile.mkdtemp(dir=place), made)
        print("| checkpoint | MB | ports open, s | answer of the policy, s | answer | CPU s | peak MB |\n|---|---|---|---|---|---|---|")
        for cold in (False, True):
            for _ in range(args.rounds):
                one(server, token, cold)


if __name__ == "__main__":
    main()
