#!/usr/bin/env python3
"""A disk that runs full: senders get 503 and keep their events, nothing that was acknowledged is lost,
and when there is room again the server goes on without a restart."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from harness import Checks, Server

SIZE_MB = 340  # the journal takes its files of 128 MB at once
checks = Checks()


def within_namespace():
    """Runs this file again where it may mount a small disk that nobody else sees; False: not possible here."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    probe = tempfile.mkdtemp(prefix="hinomi-full-")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", probe]
    possible = shutil.which("unshare") and subprocess.run([*unshare, *mount], capture_output=True).returncode == 0
    if possible:
        status = subprocess.run([*unshare, "sh", "-c", '"$@" && exec ' + f'{sys.executable} {__file__} {probe}', "sh", *mount]).returncode
        os.rmdir(probe)
        sys.exit(status)
    os.rmdir(probe)


class Sender:
    def __init__(self, server):
        self.server, self.token, self.next, self.acked = server, server.token("hec"), 0, set()

    def send(self, size=200):
        """One batch of 100 numbered events; it is only sent again under the same number when it was refused."""
        numbers = range(self.next, self.next + 100)
        status, body, headers = self.server.hec(self.token, [{"full": n, "pad": os.urandom(size // 2).hex()} for n in numbers])
        if status == 200:
            self.acked.update(numbers)
            self.next += 100
        return status, body, headers

    def send_until(self, wanted, seconds, size=200):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status, body, headers = self.send(size)
            if status == wanted:
                return status, body, headers
            if status not in (200, 503):
                break
            time.sleep(0.02 if status == 503 else 0)
        return status, body, headers


def fill(folder):
    """What another program does to a disk: the last byte is gone."""
    with open(folder / "filler", "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass


def found(server):
    page = server.query("full=* | stats count dc(full) as distinct")
    return int(page["rows"][0][0]), int(page["rows"][0][1])


def expect_all(server, sender, when):
    until = time.monotonic() + 30
    while time.monotonic() < until and found(server)[1] < len(sender.acked):
        time.sleep(0.2)
    count, distinct = found(server)
    checks.equal(f"{when}: every acknowledged event is found", distinct, len(sender.acked))
    checks.equal(f"{when}: what was refused is not there", count, distinct)


def others_fill_it(server, sender, disk):
    checks.equal("before: acknowledged", sender.send()[0], 200)
    fill(disk)
    status, body, headers = sender.send_until(503, 60, 6000)
    text = json.dumps(body)
    checks.equal("full: refused with 503", status, 503)
    checks.check("full: it says why and what to do", "No space left" in text and "again" in text, text)
    checks.check("full: it says when", headers["Retry-After"], headers)
    time.sleep(3)  # sealing is tried and fails as well; the rest of a journal file takes small batches
    checks.equal("full: still refused", sender.send_until(503, 20, 6000)[0], 503)
    status, body, _ = server.request("GET", "/v1/status")
    checks.equal("full: the console is there", status, 200)
    checks.check("full: people can still search", found(server)[1] > 0)
    (disk / "filler").unlink()
    checks.equal("room again: accepted without a restart", sender.send_until(200, 20)[0], 200)
    expect_all(server, sender, "room again")


def own_data_fills_it(server, sender, disk):
    (disk / "reserve").write_bytes(bytes(max(0, shutil.disk_usage(disk).free - (40 << 20))))
    status, body, _ = sender.send_until(503, 60, 6000)
    checks.equal("filled by events: refused with 503", status, 503)
    (disk / "reserve").unlink()
    checks.equal("filled by events: accepted when there is room", sender.send_until(200, 30)[0], 200)
    expect_all(server, sender, "filled by events")


def restart(server, sender):
    server.kill()
    server.setup_code = None
    server.start()
    server.sign_in()
    expect_all(server, sender, "after kill -9")
    checks.equal("after kill -9: accepted", sender.send_until(200, 20)[0], 200)


def main(disk):
    server = Server(str(disk)).start()
    try:
        server.sign_in()
        sender = Sender(server)
        for part in (lambda: others_fill_it(server, sender, disk), lambda: own_data_fills_it(server, sender, disk),
                     lambda: restart(server, sender)):
            part()
        checks.check("it lives", server.process.poll() is None)
    except Exception as why:
        checks.check("disk full", False, repr(why) + (disk / "stderr").read_text()[-1500:])
    finally:
        server.close()


if len(sys.argv) == 1:
    within_namespace()
    checks.skip("disk full", "this user may not mount a small disk here (unshare --mount)")
else:
    main(pathlib.Path(sys.argv[1]))
checks.finish()
