#!/usr/bin/env python3
"""predict on series whose law is known: forecasts against what comes, and anomalies that were put in
against the rows that lie outside of the bounds."""
import json
import math
import pathlib
import random
import tempfile

from harness import Checks, run

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-predict-"))
START = 1_700_000_000 // 86400 * 86400


def search(values, spl, step=3600):
    path = tmp / "series.jsonl"
    with open(path, "w") as file:
        for i, value in enumerate(values):
            file.write(json.dumps({"_time": START + i * step, **({"n": value} if value is not None else {})}) + "\n")
    status, out, err = run("search", "--data", path, "--format", "jsonl", spl)
    if status != 0:
        raise RuntimeError(f"{spl}: {err}")
    return [json.loads(line) for line in out.splitlines()]


def day_and_night(count, noise, trend=0.0, seed=1):
    """A day of 24 hours: two harmonics, noise, and a slope an hour."""
    draw = random.Random(seed)
    return [100 + trend * t + 30 * math.sin(2 * math.pi * t / 24) + 12 * math.cos(4 * math.pi * t / 24) + draw.gauss(0, noise)
            for t in range(count)]


def error_ahead(values, options, ahead):
    """Mean absolute error of the rows held back, over the mean size of the season."""
    rows = search(values, f"* | predict n as p holdback={ahead} future_timespan={ahead} {options}")
    checks.equal(f"{options}: as many rows as before", len(rows), len(values))
    return sum(abs(r["p"] - r["n"]) for r in rows[-ahead:]) / ahead


def forecasts():
    values = day_and_night(24 * 14, 2.0)
    for options, most in (("algorithm=LLP", 2.5), ("algorithm=LLP period=24", 2.5), ("", 2.5)):
        error = error_ahead(values, options, 48)
        checks.check(f"two days ahead, {options or 'default'}", error < most, f"mean error {error:.2f}, noise 2.0")
        print(f"forecast {options or 'default'}: mean error {error:.2f} of a season of 30, noise 2.0 (1.6 is the least)")
    climbing = [50 + 0.7 * t + random.Random(t).gauss(0, 1) for t in range(200)]
    error = error_ahead(climbing, "algorithm=LLT", 20)
    checks.check("a slope goes on", error < 2.5, f"{error:.2f}")
    print(f"forecast LLT: mean error {error:.2f} over 20 steps, noise 1.0")
    level = [50 + random.Random(t).gauss(0, 1) for t in range(200)]
    error = error_ahead(level, "algorithm=LL", 20)
    checks.check("a level stays", error < 1.5, f"{error:.2f}")
    gaps = [v if i % 7 else None for i, v in enumerate(values)]
    rows = search(gaps, "* | predict n as p algorithm=LLP future_timespan=24")
    true = day_and_night(24 * 15, 0)[-24:]
    error = sum(abs(r["p"] - t) for r, t in zip(rows[-24:], true)) / 24
    checks.check("with gaps", error < 2.5, f"{error:.2f}")


def bounds():
    """As many of the values held back lie within the bounds as the bounds say, about."""
    inside = total = 0
    for seed in range(5):
        values = day_and_night(24 * 14, 3.0, seed=seed)
        rows = search(values, "* | predict n as p algorithm=LLP holdback=48 future_timespan=48 upper90=hi lower90=lo")
        inside += sum(r["lo"] <= r["n"] <= r["hi"] for r in rows[-48:])
        total += 48
    share = inside / total
    checks.check("90 per cent bounds", 0.82 <= share <= 0.98, f"{share:.3f}")
    print(f"bounds of 90: {share:.3f} of {total} values held back lie within")


def f1_of(rule):
    """Spikes and drops of 6 times the noise and more in six seasonal series of three weeks with a slope."""
    hit = extra = missed = 0
    for seed in range(6):
        values = day_and_night(24 * 21, 2.0, trend=0.02, seed=100 + seed)
        draw = random.Random(seed)
        injected = set(draw.sample(range(48, len(values)), 10))
        for t in injected:
            values[t] += draw.choice((-1, 1)) * draw.uniform(12, 40)
        rows = search(values, "* | predict n as p algorithm=LLP5 future_timespan=0 upper99=hi lower99=lo"
                              f" | eval out=if({rule},1,0) | table out")
        found = {t for t, row in enumerate(rows) if row["out"] == 1}
        hit, extra, missed = hit + len(found & injected), extra + len(found - injected), missed + len(injected - found)
    f1 = 2 * hit / (2 * hit + extra + missed)
    print(f"anomalies, {rule}: {hit} found, {extra} usual ones too, {missed} missed, F1 {f1:.3f}")
    return f1


def anomalies():
    f1 = f1_of("n>hi OR n<lo")
    checks.check("outside of the bounds of 99 (which leave 1 usual value of 100 out)", f1 > 0.8, f"F1 {f1:.3f}")
    f1 = f1_of("abs(n-p)>1.6*(hi-p)")
    checks.check("beyond 1.6 times the bound of 99", f1 > 0.95, f"F1 {f1:.3f}")


forecasts()
bounds()
anomalies()
checks.finish()
