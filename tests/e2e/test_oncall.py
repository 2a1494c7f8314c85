#!/usr/bin/env python3
"""Who is on call, against an oracle in Python: the time zones of zoneinfo, handovers over changes of the clock, leap days, hours of
the week, several rotations, several years. Plans and moments are random, the seed is printed."""
import datetime
import os
import random
import subprocess
import tempfile
import zoneinfo

from harness import HINOMI, Checks, run

checks = Checks()
SEED = int(os.environ.get("ONCALL_SEED", "20261123"))
PLANS = 400 if os.environ.get("HINOMI_FULL") else 60
ZONES = ["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC", "Asia/Kathmandu",
         "America/Sao_Paulo", "Africa/Casablanca"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
UTC = datetime.timezone.utc


def instant(zone, date, minute):
    """A local time as an instant; one that is skipped counts with the offset before the jump."""
    local = datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(minutes=minute)
    return local.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0).astimezone(UTC)


class Rotation:
    def __init__(self, rand, people):
        self.people = rand.sample(people, rand.randint(1, len(people)))
        self.every = rand.choice(["1d", "2d", "1w", "2w", "3d", "12h", "8h", "6h"])
        self.zone = rand.choice(ZONES)
        self.start = datetime.date(2024, 1, 1) + datetime.timedelta(days=rand.randint(0, 900))
        self.minute = rand.choice([0, 2 * 60, 2 * 60 + 30, 9 * 60, 17 * 60 + 45, 23 * 60 + 30])
        self.hours = None
        if rand.random() < 0.5:
            self.hours = (rand.choice([(1, 5), (6, 0), (0, 6), (3, 3)]), rand.randrange(0, 1440, 15), rand.randrange(0, 1440, 15))

    def yaml(self):
        only = ""
        if self.hours:
            (a, b), f, t = self.hours
            only = f", only: {{days: {DAYS[a]}-{DAYS[b]}, from: '{f // 60:02}:{f % 60:02}', to: '{t // 60:02}:{t % 60:02}'}}"
        return (f"      - {{people: [{', '.join(self.people)}], every: {self.every}, from: '{self.start} {self.minute // 60:02}:"
                f"{self.minute % 60:02}', time_zone: {self.zone}{only}}}\n")

    def turn_begins(self, turn):
        if self.every.endswith("h"):
            a_day = 24 // int(self.every[:-1])
            day, part = divmod(turn, a_day)
            total = self.minute + part * 1440 // a_day
            return instant(self.zone, self.start + datetime.timedelta(days=day + total // 1440), total % 1440)
        days = int(self.every[:-1]) * (7 if self.every[-1] == "w" else 1)
        return instant(self.zone, self.start + datetime.timedelta(days=turn * days), self.minute)

    def on_duty(self, at):
        if not self.hours:
            return True
        (a, b), f, t = self.hours
        days = {(a + i) % 7 for i in range((b - a) % 7 + 1)}
        local = at.astimezone(zoneinfo.ZoneInfo(self.zone)).date()
        for day in (local - datetime.timedelta(days=1), local):
            if day.isoweekday() % 7 in days:
                begin = instant(self.zone, day, 0 if f == t else f)
                end = instant(self.zone, day + datetime.timedelta(days=1 if t <= f else 0), 0 if f == t else t)
                if begin <= at < end:
                    return True
        return False

    def person(self, at):
        if at < self.turn_begins(0) or not self.on_duty(at):
            return None
        low, high = 0, 1
        while self.turn_begins(high) <= at:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.turn_begins(middle) <= at else (low, middle)
        return self.people[low % len(self.people)]


def one_plan(rand, number, path):
    people = ["ana", "ben", "chie", "dai"][:rand.randint(1, 4)]
    rotations = [Rotation(rand, people) for _ in range(rand.randint(1, 3))]
    with open(path, "w") as file:
        file.write(f"version: 1\npeople: [{', '.join(people)}]\non_call:\n  first:\n    rotations:\n"
                   + "".join(r.yaml() for r in rotations) + f"policies: {{p: {{steps: [{{wake: [first]}}]}}}}\n")
    wrong = []
    moments = [datetime.datetime(2024, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=rand.randrange(0, 5 * 366 * 86400)) for _ in range(6)]
    for rotation in rotations:  # around handovers and around changes of the clock
        moments += [rotation.turn_begins(rand.randint(0, 400)) + datetime.timedelta(seconds=rand.choice([-1, 0, 1])) for _ in range(3)]
    moments += [datetime.datetime(y, m, d, h, 59, 59, tzinfo=UTC) for y, m, d, h in ((2026, 3, 29, 0), (2026, 10, 25, 0), (2028, 2, 28, 23), (2026, 3, 8, 6))]
    for at in moments:
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        status, out, err = run("oncall", path, "--at", stamp, "--format", "csv")
        got = out.splitlines()[1].split(",")[1] if status == 0 else err
        want = next((p for p in (r.person(at) for r in rotations) if p), "")
        if got != want:
            wrong.append((stamp, got, want))
    checks.check(f"plan {number}: {len(moments)} moments", not wrong, f"seed {SEED}: {wrong[:3]}\n{open(path).read()}")


def shifts_follow(path):
    """What --days lists is what --at says, without gaps."""
    open(path, "w").write("version: 1\ntime_zone: Europe/London\npeople: [ana, ben]\non_call: {first: {rotations: [{people: [ana, ben], every: 1w, "
                          "from: 2026-01-05 09:00}]}}\npolicies: {p: {steps: [{wake: [first]}]}}\n")
    status, out, _ = run("oncall", path, "--from", "2026-01-05T09:00:00Z", "--days", "364", "--format", "csv")
    rows = [line.split(",") for line in out.splitlines()[1:]]
    checks.equal("a year has 52 turns of a week", (status, len(rows)), (0, 52))
    checks.check("that follow each other", all(a[3] == b[2] for a, b in zip(rows, rows[1:])), rows[:3])
    checks.equal("in summer they begin an hour earlier, by UTC", {row[2][11:13] for row in rows}, {"09", "08"})


def checked(folder, path):
    """`hinomi check` says what a start would say."""
    config = folder + "/hinomi.yaml"
    open(config, "w").write(f"version: 1\ndir: {folder}/data\nwaking: {path}\n")
    status, out, err = run("check", "--config", config)
    checks.check("a plan that can be put in force", "2 people, 1 schedules, 1 policies" in out + err, out + err)
    open(path, "a").write("drill: sometimes\n")
    status, out, err = run("check", "--config", config)
    checks.check("a mistake is told with file and line", status == 1 and f"{path}: line 6" in out + err, out + err)


def mistakes(path):
    for text, words in (("", "waking plan"), ("version: 2\n", "version: 1"), ("version: 1\n", "names"), ("version: 1\npeople: [a]\n", "policies"),
                        ("version: 1\npeople: [a, a]\npolicies: {p: {steps: [{wake: a}]}}\n", "named twice"),
                        ("version: 1\npeople: [a]\npolicies: {p: {steps: [{wake: b}]}}\n", "neither a schedule"),
                        ("version: 1\npeople: [a]\npolicies: {p: {steps: [{at: 5m, wake: a}, {at: 5m, wake: a}]}}\n", "later"),
                        ("version: 1\npeople: [a]\non_call: {x: {rotations: [{people: a, every: 5h, from: 2026-01-05 09:00}]}}\npolicies: {p: {steps: [{wake: x}]}}\n", "divide a day"),
                        ("version: 1\npeople: [a]\non_call: {x: {rotations: [{people: a, every: 1d}]}}\npolicies: {p: {steps: [{wake: x}]}}\n", "needs from"),
                        ("version: 1\ntime_zone: Mars/Base\npeople: [a]\npolicies: {p: {steps: [{wake: a}]}}\n", "time zone"),
                        ("version: 1\nholidays: mars\npeople: [a]\npolicies: {p: {steps: [{wake: a}]}}\n", "calendar"),
                        ("version: 1\npeople: [a]\npolicies: {p: {steps: [{wake: a}]}}\nroutes: [{severity: low, policy: p}]\n", "low never wakes"),
                        ("version: 1\npeople: [a]\npolicies: {p: {steps: [{wake: a}], unanswered: {after: 5s}}}\n", "a minute or more"),
                        ("version: 1\npeople: [a]\npolicies: {p: {steps: [{wake: a, how: loudly}]}}\n", "has no 'how'")):
        open(path, "w").write(text)
        status, _, err = run("oncall", path)
        checks.check(f"a mistake has a sentence: {words}", status == 1 and words in err and path in err, err)


def main():
    rand = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/plan.yaml"
        for number in range(PLANS):
            one_plan(rand, number, path)
        shifts_follow(path)
        checked(folder, path)
        mistakes(path)
    checks.finish()


main()
