"""What processes use: processor time and memory, read of ``/proc``.

Rules of this file: Linux only; elsewhere nothing is told. A process counts with all
that it has started: servers of PostgreSQL are many.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

_PROC = Path("/proc")


class Usage(msgspec.Struct, kw_only=True):
    """What one part of a deployment used for each event of the load.

    ``memory_mib`` is its resident memory after the load, pages that are shared divided
    among those who share them (PSS).
    """

    processes: int
    cpu_us_per_event: float
    memory_mib: float


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int


def cpu_seconds(parts: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the processor time so far of each part's processes."""
    hertz = os.sysconf("SC_CLK_TCK")
    return {
        part: sum(one.ticks for one in found) / hertz
        for part, found in _trees(parts).items()
    }


def memory_mib(parts: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the resident memory of each part's processes now."""
    return {
        part: sum(_pss_kib(one.pid) for one in found) / 1_024
        for part, found in _trees(parts).items()
    }


def of(
    pids: Mapping[str, list[int]],
    *,
    before: Mapping[str, float],
    events: int,
) -> dict[str, Usage]:
    """Return the usage of each part since ``before``, for so many events."""
    now, memory = cpu_seconds(pids), memory_mib(pids)
    return {
        part: Usage(
            processes=len(pids[part]),
            cpu_us_per_event=(now[part] - before.get(part, 0.0)) / events * 1e6,
            memory_mib=memory[part],
        )
        for part in now
    }


def _trees(parts: Mapping[str, Iterable[int]]) -> dict[str, list[_Process]]:
    """Return the processes of each part, children and theirs included."""
    running = {one.pid: one for one in _running()}
    children = defaultdict(list)
    for one in running.values():
        children[one.parent].append(one.pid)
    found: dict[str, list[_Process]] = {}
    for part, pids in parts.items():
        waiting, found[part] = list(pids), []
        while waiting:
            pid = waiting.pop()
            waiting += children[pid]
            found[part] += [running[pid]] if pid in running else []
    return found


def _running() -> Iterable[_Process]:
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # It has ended since.
            # The name, in brackets, may hold anything.
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            # proc(5): ppid is field 4; utime, stime, cutime, cstime are 14 to 17.
            ticks = sum(map(int, fields[11:15]))
            yield _Process(int(path.parent.name), int(fields[1]), ticks)


def _pss_kib(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
