"""A machine of its own for the gates, inside the namespaces that scripts/mailhost makes: addresses, files, programs.

`/etc`, `/run`, `/usr/local/bin` and what mail programs write under `/var` are copies in memory: programs find their usual paths, the
machine outside sees none of it, and all of it is gone with the namespace.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# In memory, and where the copies are; of Debian's own folders under / the one that no package uses.
MEMORY = pathlib.Path("/srv")


class Failed(Exception):
    """What a gate found wrong."""


def sh(*command, check=True, **options):
    """Runs a command to its end.

    Raises Failed with its output, unless its exit code is 0 or `check` is false."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=120, **options)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(what, look, seconds=30):
    """The first true value of `look()`; asks four times a second."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise Failed(f"nothing after {seconds} s: {what}")
        time.sleep(0.25)
    return seen


def write(path, text, mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def listens(address, port):
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex((address, port)) == 0


class Machine:
    """Prepares the namespace, and ends what was started in it."""

    def __init__(self, addresses, nameserver, private=("/etc",), empty=("/run",)):
        sh("mount", "-t", "proc", "proc", "/proc")
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", MEMORY)
        for folder in private:
            copy = MEMORY / "copy" / folder.strip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            sh("cp", "-a", folder, copy)
            sh("mount", "--bind", copy, folder)
        for folder in empty:
            copy = MEMORY / "new" / folder.strip("/")
            copy.mkdir(parents=True)
            sh("mount", "--bind", copy, folder)
        sh("ip", "link", "set", "lo", "up")
        for address in addresses:
            sh("ip", "address", "add", f"{address}/32", "dev", "lo")
        # It may be a link to a file under /run.
        pathlib.Path("/etc/resolv.conf").unlink(missing_ok=True)
        write("/etc/resolv.conf", f"nameserver {nameserver}\n")
        write("/etc/hosts", "127.0.0.1 localhost\n")
        self.started = {}

    def start(self, name, *command, **options):
        """Starts a program that stays in the foreground. What it prints is in `/srv/NAME.out`."""
        with open(MEMORY / f"{name}.out", "ab") as out:
            self.started[name] = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, **options)
        return self.started[name]

    def until(self, name, look, seconds=30):
        """Waits for `look()`, and says so when the program ended instead."""

        def seen():
            if self.started[name].poll() is not None:
                raise Failed(f"{name} ended: {self.said(name)}")
            return look()

        return wait_for(f"{name} is not ready: {self.said(name)}", seen, seconds)

    def said(self, name):
        return (MEMORY / f"{name}.out").read_text(errors="replace")

    def stop(self, name):
        program = self.started.pop(name)
        program.terminate()
        program.wait(30)

    def end(self):
        """Asks everything to end; what does not is killed with the namespace."""
        for program in self.started.values():
            program.terminate()
        for program in self.started.values():
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()

    def put_program(self, binary, name):
        """The binary as `/usr/local/bin/NAME`, without copying it."""
        target = pathlib.Path("/usr/local/bin") / name
        target.touch()
        sh("mount", "--bind", binary, target)
        return target


def keep(path, folder):
    """Copies a file out of the namespace's memory."""
    if pathlib.Path(path).exists():
        os.makedirs(folder, exist_ok=True)
        shutil.copy(path, folder)
