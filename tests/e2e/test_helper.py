#!/usr/bin/env python3
"""hinomi-helper: runs what is listed and signed, for the peer it was told of, within its limits; nothing else. And a script as an action."""
import json
import os
import pathlib
import socket
import stat
import subprocess
import tempfile
import time

from harness import HINOMI, Checks, Server, wait_for

checks = Checks()
HELPER = str(pathlib.Path(HINOMI).with_name("hinomi-helper"))

SCRIPTS = {
    "mark": "#!/bin/sh\necho \"$1\" >>{place}/marks\ncat >>{place}/inputs\necho >>{place}/inputs\n",
    "world": "#!/bin/sh\nenv | sort\nls /proc/self/fd | wc -l\nulimit -c\npwd\nexit 3\n",
    "slow": "#!/bin/sh\nsleep 60 &\nsleep 60\n",
    "loud": "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x\n",
    "unsigned": "#!/bin/sh\necho never >>{place}/marks\n",
    "changed": "#!/bin/sh\necho never >>{place}/marks\n",
    "deaf": "#!/bin/sh\nexec <&-\nexit 0\n",
}


class Helper:
    def __init__(self, place, peer):
        self.place = pathlib.Path(place)
        self.socket = str(self.place / "helper.sock")
        key = self.run("--new-key", self.place / "owner.key").strip()
        for name, text in SCRIPTS.items():
            path = self.place / name
            path.write_text(text.format(place=place))
            if name != "unsigned":
                self.run("--sign", self.place / "owner.key", path)
        (self.place / "changed").write_text(SCRIPTS["changed"].format(place=place) + "echo more\n")
        rows = "".join(f"  - {{name: {n}, path: {place}/{n}, timeout: {'2s' if n == 'slow' else '20s'}}}\n" for n in SCRIPTS)
        (self.place / "helper.yaml").write_text(f"socket: {self.socket}\npeer: '{peer}'\n{key}\nscripts:\n{rows}")
        self.process = subprocess.Popen([HELPER, "--config", str(self.place / "helper.yaml")], stderr=open(self.place / "log", "ab"))
        checks.check("it listens", wait_for(lambda: os.path.exists(self.socket)))

    def run(self, *args):
        return subprocess.run([HELPER, *map(str, args)], capture_output=True, check=True, timeout=60).stdout.decode()

    def raw(self, data, close=False):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.socket)
            try:
                s.sendall(data)
                if close:
                    s.shutdown(socket.SHUT_WR)
                got = b""
                while part := s.recv(65536):
                    got += part
            except (BrokenPipeError, ConnectionResetError):
                return None
        return json.loads(got[4:]) if len(got) > 4 and int.from_bytes(got[:4], "little") == len(got) - 4 else None

    def ask(self, script, **more):
        text = json.dumps({"script": script, "undo": False, "input": {}, **more}).encode()
        return self.raw(len(text).to_bytes(4, "little") + text)

    def close(self):
        self.process.kill()
        self.process.wait()


def alone(place):
    os.environ["LEAK"] = "secret"
    helper = Helper(place, os.getuid())
    marks = pathlib.Path(place, "marks")
    try:
        checks.equal("a key is its owner's", stat.S_IMODE(os.stat(f"{place}/owner.key").st_mode), 0o600)
        got = helper.ask("mark", undo=True, input={"a": "b c; rm -rf"})
        checks.equal("a signed script runs, with what it is to do", (got["outcome"], marks.read_text()), ("done", "undo\n"))
        checks.equal("its input is the request", json.loads(pathlib.Path(place, "inputs").read_text())["input"], {"a": "b c; rm -rf"})
        got = helper.ask("world")
        lines = got["output"].split("\n")
        checks.equal("an exit that is not 0 is a failure", (got["outcome"], got["detail"]), ("failed", "exit 3"))
        checks.check("its environment is clean", not any("LEAK" in l or "HOME=" in l for l in lines) and any(l.startswith("PATH=") for l in lines), lines)
        checks.check("few descriptors, no core, in /", lines[-3:-1] == ["0", "/"] and int(lines[-4]) <= 6, lines)
        before = time.monotonic()
        got = helper.ask("slow")
        checks.check("a slow one is ended in time", got["outcome"] == "failed" and "longer than 2 s" in got["detail"] and time.monotonic() - before < 15, got)
        got = helper.ask("loud")
        checks.equal("its output is bounded, and how much there was is said", (len(got["output"]), got["output_bytes"]), (16384, 300000))
        checks.equal("one that does not read its input", helper.ask("deaf", input={"x": "y" * 200000})["outcome"], "done")
        for name in ("unsigned", "changed", "no such", "../../bin/sh", "", 7):
            checks.equal(f"{name!r} is refused", (helper.ask(name) or {}).get("outcome"), "refused")
        checks.equal("and did not run", marks.read_text(), "undo\n")
        for text in (b"", b"\x01", b"\x02\x00\x00\x00{", b"\x02\x00\x00\x00{{", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"):
            helper.raw(text, close=True)
        checks.equal("noise does it no harm", helper.ask("mark")["outcome"], "done")
        if os.getuid() == 0:
            other = subprocess.run(["python3", "-c", f"""
import os, socket
os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect({helper.socket!r})
try:
    s.sendall(b"\\x10\\0\\0\\0" + b'{{"script":"mark"}}')
    print(s.recv(100))
except OSError as e:
    print(b"")
"""], capture_output=True, timeout=60)
            checks.equal("another user is refused", (other.stdout.strip(), marks.read_text().count("\n")), (b"b''", 2))
        else:
            checks.skip("another user is refused", "only root can become one")
    finally:
        helper.close()


def as_action(place):
    peer = os.getuid()
    helper = Helper(place, peer)
    server = Server(config=f"actions:\n  - {{name: isolate, kind: script, takes: [host], socket: {helper.socket}, script: mark, approvals: 0, at_once: 5}}\n"
                           f"  - {{name: broken, kind: script, takes: [host], socket: {helper.socket}, script: unsigned, approvals: 0}}\n").start()
    try:
        server.sign_in()

        def ask(action, **more):
            status, order, _ = server.request("POST", "/v1/actions", {"action": action, "reason": "a test", "entities": [{"type": "host", "value": "pc-7"}], **more})
            checks.check(f"{action} is asked for", status in (200, 201), order)
            return order

        state = lambda order: server.request("GET", f"/v1/actions/{order['id']}")[1]
        dry = ask("isolate", dry_run=True)
        checks.equal("a dry run", (dry["deeds"][0]["do"]["script"], dry["deeds"][0]["do"]["input"]["entity.value"]), ("mark", "pc-7"))
        order = ask("isolate")
        checks.check("done", wait_for(lambda: state(order)["state"] == "done"), state(order))
        server.request("POST", f"/v1/actions/{order['id']}/undo", {})
        checks.check("undone", wait_for(lambda: state(order)["state"] == "undone"), state(order))
        checks.equal("the script was run both ways", pathlib.Path(place, "marks").read_text(), "do\nundo\n")
        helper.close()
        later = ask("isolate")
        checks.check("without the helper it waits", wait_for(lambda: state(later)["deeds"][0]["attempts"] >= 1) and state(later)["state"] == "working", state(later))
        helper.process = subprocess.Popen([HELPER, "--config", f"{place}/helper.yaml"], stderr=open(f"{place}/log", "ab"))
        checks.check("and goes on with it", wait_for(lambda: state(later)["state"] == "done"), state(later))
        bad = ask("broken")
        failed = wait_for(lambda: state(bad)["state"] == "failed" and state(bad))
        checks.check("one that is not signed is a failure that says so", failed and ".sig" in failed["deeds"][0]["why"], failed)
    finally:
        server.close()
        helper.close()


for part in (alone, as_action):
    with tempfile.TemporaryDirectory(prefix="hinomi-helper-") as folder:
        os.chmod(folder, 0o755)
        part(folder)
checks.finish()
