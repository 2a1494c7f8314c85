#!/usr/bin/env python3
"""The power goes: the server is killed and its disk, an ext4 or XFS of its own on a loop device, is shut down without writing
anything more (EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN: the same number). What was acknowledged is there after the next mount. With fsync taken away from the
program the same rounds must report loss, else they would prove nothing. HINOMI_SEED names the run."""
import errno
import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from producer import Load, by_dump, judge, judge_folder
from harness import Checks
import store_dump

FULL = bool(os.environ.get("HINOMI_FULL"))
ROUNDS = 300 if FULL else 12
CONTROLS = 10 if FULL else 2
ROUNDS_A_DISK = 10
# kind of file system: MB (the journal reserves 128; XFS takes none below 300), how it is made
KINDS = {"ext4": (320, ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,nodiscard"]), "xfs": (480, ["mkfs.xfs", "-q", "-f", "-K"])}
SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), of both
NO_LOG_FLUSH = 2
SHIM = """
#include <stddef.h>
int fsync(int fd) { return fd < 0; }
int fdatasync(int fd) { return fd < 0; }
int msync(void *at, size_t len, int flags) { (void)at; (void)len; (void)flags; return 0; }
int sync_file_range(int fd, long from, long len, unsigned flags) { (void)from; (void)len; (void)flags; return fd < 0; }
"""
seed = int(os.environ.get("HINOMI_SEED", "1"))
rng = random.Random(seed)
checks = Checks()


def shell(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise OSError(errno.EIO, f"{' '.join(words)}: {done.stderr.strip()}")


def keep(path):
    """What an administrator wrote is on the disk long before the power goes."""
    for one in (path, path.parent):
        fd = os.open(one, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


class Disk:
    def __init__(self, folder, kind):
        self.image, self.path = folder / "image", folder / "disk"
        self.path.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(KINDS[kind][0] << 20)
        shell(*KINDS[kind][1], str(self.image))
        self.mount()

    def mount(self):
        shell("mount", "-o", "loop", str(self.image), str(self.path))

    def umount(self):
        subprocess.run(["umount", str(self.path)], capture_output=True)

    def cut(self):
        """Nothing written after the last completed fsync need be there when it returns."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)
        shell("umount", str(self.path))
        self.mount()


def within_namespace():
    """Runs this file again where its mounts are nobody else's; says why when that is not possible here."""
    if os.geteuid() or not all(shutil.which(tool) for tool in ("unshare", "mount")):
        return "it needs root, unshare and mount"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-cut-"))
    here = [sys.executable, __file__]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        shutil.rmtree(folder)
        return "a namespace of its own for mounts is not possible here"
    sys.exit(subprocess.run(["unshare", "--mount", *here, "run", str(folder)]).returncode)


def why_not(folder, kind):
    """None when a disk of that kind can be made and cut here."""
    if not shutil.which(f"mkfs.{kind}"):
        return f"there is no mkfs.{kind}"
    folder.mkdir()
    try:
        disk = Disk(folder, kind)
        disk.cut()
        disk.umount()
    except OSError as error:
        return str(error)
    shutil.rmtree(folder)
    return None


def cuts_lose_nothing(folder, kind):
    done = acked = 0
    counts = {"load": 0, "start": 0, "stop": 0}
    while done < ROUNDS:
        place = folder / f"{kind}-{done}"
        place.mkdir()
        disk = Disk(place, kind)
        load = Load(disk.path, place / "oracle")
        keep(load.server.config)
        load.server.kill()
        for _ in range(min(ROUNDS_A_DISK, ROUNDS - done)):
            counts[load.kill_somewhere(rng)] += 1
            disk.cut()
            done += 1
        failed = checks.failed
        acked += judge_folder(load, checks, f"{kind}, seed {seed}, {done} cuts")
        load.close()
        disk.umount()
        if checks.failed == failed:
            shutil.rmtree(place)
    checks.check(f"{kind}: there was something to lose", acked > 50 * ROUNDS, acked)
    print(f"{kind}, seed {seed}: {done} power cuts ({counts}), {acked} events acknowledged")


def build_shim(folder):
    (folder / "shim.c").write_text(SHIM)
    shell(os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", str(folder / "shim.so"), str(folder / "shim.c"))
    return {"LD_PRELOAD": str(folder / "shim.so")}


def without_fsync_loss_is_reported(folder, kind):
    """One cut a disk; what was there before the load is made durable by us."""
    env, lossy = build_shim(folder), 0
    for i in range(CONTROLS):
        place = folder / f"{kind}-control-{i}"
        place.mkdir()
        disk = Disk(place, kind)
        load = Load(disk.path, place / "oracle", env=env)
        os.sync()
        load.go()
        time.sleep(0.06)
        load.server.kill()
        load.halt()
        disk.cut()
        sent, acked = load.oracle()
        try:
            lossy += judge(by_dump(load.server.dir + "/data"), sent, acked)["lost"] > 0
        except store_dump.Damaged:
            lossy += 1
        load.close()
        disk.umount()
        shutil.rmtree(place)
    checks.equal(f"{kind}: without fsync every cut is reported as a loss", lossy, CONTROLS)


def main(folder):
    start = time.monotonic()
    for kind in KINDS:
        why = why_not(folder / kind, kind)
        if why:
            checks.skip(f"{ROUNDS} power cuts and {CONTROLS} controls on {kind}", why)
            checks.skipped += ROUNDS + CONTROLS - 1
            continue
        cuts_lose_nothing(folder, kind)
        without_fsync_loss_is_reported(folder, kind)
        print(f"{kind}: {time.monotonic() - start:.0f} s; {CONTROLS} controls without fsync")
    if not checks.failed:
        shutil.rmtree(folder)
    checks.finish()


if len(sys.argv) > 1:
    main(pathlib.Path(sys.argv[2]))
else:
    checks.skip(f"{ROUNDS} power cuts and {CONTROLS} controls on each of {len(KINDS)} file systems", within_namespace())
    checks.skipped = len(KINDS) * (ROUNDS + CONTROLS)
    checks.finish()
