"""Senders from npm: a folder of scripts with its package-lock.json, installed in a cache outside of the repository."""
import hashlib
import os
import pathlib
import shutil
import subprocess


def installed(source):
    """(a folder with the scripts and their packages, "") or (None, why not)."""
    lock = (source / "package-lock.json").read_bytes()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "hinomi-senders" / hashlib.sha256(lock).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        shutil.copy(path, cache)
    if (cache / "complete").exists():
        return cache, ""
    if not shutil.which("npm"):
        return None, "npm is not here"
    done = subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=cache, capture_output=True, text=True)
    if done.returncode:
        return None, f"npm ci: {(done.stdout + done.stderr)[-300:]}"
    (cache / "complete").write_text("")
    return cache, ""
