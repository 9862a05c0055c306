"""How far read models and relay are, looked at again and again while a load runs.

Rules of this file: it reads what they have noted in the database, as anybody may, and
asks nobody who is measured.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from benchmarks.scale.deployment import Deployment
from benchmarks.scale.lags import Sample
from events.errors import HenjiError
from projections.board import NAME
from services.relay.worker import noted_in
from services.wiring import clock, open_leases, open_views

_EVERY_SECONDS = 0.01
_PATIENCE_SECONDS = 300.0


class Watch:
    """Samples of each source, in order."""

    def __init__(self, sources: Mapping[str, Callable[[], int]]) -> None:
        self._sources = sources
        self._stop = threading.Event()
        self.samples: dict[str, list[Sample]] = {name: [] for name in sources}

    def run(self) -> None:
        """Look until it is told to stop."""
        while not self._stop.wait(_EVERY_SECONDS):
            for name, position in self._sources.items():
                try:
                    self.samples[name].append(Sample(clock(), position()))
                except HenjiError:
                    continue  # There is nothing to see yet.

    def stop(self) -> None:
        """End the loop."""
        self._stop.set()

    def await_all(self, position: int) -> None:
        """Return when every source has been seen at a position; ``TimeoutError``."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not all(
            samples and samples[-1].position >= position
            for samples in self.samples.values()
        ):
            if time.monotonic() > deadline:
                last = {name: found[-1:] for name, found in self.samples.items()}
                raise TimeoutError(f"not at {position}: {last}")
            time.sleep(_EVERY_SECONDS)


@contextmanager
def watched(deployment: Deployment) -> Iterator[Watch]:
    """Watch what a deployment has: ``projection``, ``relay``."""
    with ExitStack() as stack:
        sources = {}
        if deployment.scenario.projectors:
            sources["projection"] = _projection(deployment, stack)
        if deployment.scenario.relays:
            sources["relay"] = _relay(deployment, stack)
        watch = Watch(sources)
        thread = threading.Thread(target=watch.run, daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(watch.stop)
        yield watch


def _projection(deployment: Deployment, stack: ExitStack) -> Callable[[], int]:
    views = open_views(deployment.views)
    stack.callback(views.close)
    return lambda: max((each.position for each in views.generations(NAME)), default=0)


def _relay(deployment: Deployment, stack: ExitStack) -> Callable[[], int]:
    leases = open_leases(deployment.settings)
    stack.callback(leases.close)
    name = f"relay/{deployment.topics.relayed}"

    def position() -> int:
        noted = noted_in(leases, name)
        return noted.position if noted else 0

    return position
