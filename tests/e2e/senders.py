"""Debian's programs that send: unpacked by tools/fetch_senders, run from there."""
import os
import pathlib
import subprocess

import harness

FOLDER = pathlib.Path(os.environ.get("HINOMI_SENDERS", harness.ROOT / "build/senders"))
MULTIARCH = "lib/x86_64-linux-gnu"


def fetch():
    """None, or why they cannot be had."""
    done = subprocess.run([harness.ROOT / "tools/fetch_senders", FOLDER], capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip().splitlines()[-1]


def environment(name):
    root = FOLDER / name
    folders = [root / "usr" / MULTIARCH, root / MULTIARCH, root / "usr/lib/syslog-ng", root / "usr/lib/syslog-ng/3.38"]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, folders)), "SYSLOGNG_PREFIX": str(root / "usr")}


def program(name, path):
    return str(FOLDER / name / path)


class Running:
    """A sender in the foreground of its own; its output is in FOLDER/sender.out."""

    def __init__(self, name, command, folder):
        self.out = open(folder / "sender.out", "ab")
        self.process = subprocess.Popen(command, env=environment(name), cwd=folder, stdout=self.out, stderr=self.out)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()


def rsyslog(config, folder):
    """rsyslogd with this configuration, its modules loaded from where they were unpacked."""
    (folder / "rsyslog.conf").write_text(f'global(workDirectory="{folder}")\n{config}\n')
    return Running("rsyslog", [program("rsyslog", "usr/sbin/rsyslogd"), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "rsyslog.pid"),
                               "-M", program("rsyslog", f"usr/{MULTIARCH}/rsyslog")], folder)


def syslog_ng(config, folder):
    (folder / "syslog-ng.conf").write_text(f"@version: 3.38\noptions {{ stats-freq(0); }};\n{config}\n")
    return Running("syslog-ng", [program("syslog-ng", "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", str(folder / "syslog-ng.conf"),
                                 "-R", str(folder / "persist"), "-c", str(folder / "ctl"), "-p", str(folder / "pid"),
                                 "--module-path", program("syslog-ng", "usr/lib/syslog-ng/3.38")], folder)
