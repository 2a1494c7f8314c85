#!/usr/bin/env python3
"""kill -9 at random moments: while events arrive, while it starts, while it stops. What was acknowledged is there,
once and as it was sent; both readers agree. HINOMI_SEED names the run."""
import os
import random
import shutil
import tempfile
import time

from producer import Load, event, judge, judge_folder
from harness import Checks

ROUNDS = 1000 if os.environ.get("HINOMI_FULL") else 40
ROUNDS_A_FOLDER = 20
seed = int(os.environ.get("HINOMI_SEED", "1"))
rng = random.Random(seed)
checks = Checks()


def the_judge_sees_every_wrong():
    sent, acked = {(0, n) for n in range(4)}, {(0, 0), (0, 1)}
    good = [event(0, n) for n in range(3)]
    nothing = {"lost": 0, "altered": 0, "doubled": 0, "invented": 0}
    checks.equal("judge: good", judge(good, sent, acked), nothing)
    checks.equal("judge: lost", judge(good[1:], sent, acked), {**nothing, "lost": 1})
    checks.equal("judge: doubled", judge(good + good[:1], sent, acked), {**nothing, "doubled": 1})
    checks.equal("judge: altered", judge(good + [good[0].replace(b"payload", b"Payload")], sent, acked), {**nothing, "altered": 1})
    checks.equal("judge: invented", judge(good + [event(1, 0)], sent, acked), {**nothing, "invented": 1})


the_judge_sees_every_wrong()
counts, acked, done, start = {"load": 0, "start": 0, "stop": 0}, 0, 0, time.monotonic()
while done < ROUNDS:
    folder = tempfile.mkdtemp(prefix="hinomi-kill-")
    load = Load(folder, folder + "/oracle")
    load.server.kill()
    for _ in range(min(ROUNDS_A_FOLDER, ROUNDS - done)):
        counts[load.kill_somewhere(rng)] += 1
        done += 1
    failed = checks.failed
    acked += judge_folder(load, checks, f"seed {seed}, {done} kills")
    load.close()
    if checks.failed == failed:
        shutil.rmtree(folder)
checks.check("there was something to lose", acked > 50 * ROUNDS, acked)
print(f"seed {seed}: {done} kills ({counts}), {acked} events acknowledged, {time.monotonic() - start:.0f} s")
checks.finish()
