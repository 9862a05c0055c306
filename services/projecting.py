"""Keeping the read models up to date: in a thread, in a process, or not here.

Rules of this file: where the projection runs; what it folds is in ``projections``. A
process of its own leaves the interpreter to those who submit; it ends with its parent,
however that ends, and is started again should it die.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from events.store import Reader
from projections.board import Board
from projections.runner import Runner, Status
from projections.views import Generation, Views
from services.settings import Settings, as_environment
from services.telemetry import Metrics, metrics_served
from services.wiring import Commits, clock, open_store, open_views

#: How long read models may stay behind a busy log, to fold more at once.
REST_SECONDS = 0.05
#: A process of its own hears no commits: it asks this often.
_POLL_SECONDS = 0.05
_RESTART_SECONDS = 1.0
_COMMAND = (sys.executable, "-m", "services", "work", "project", "--attached")


def runner_of(reader: Reader, views: Views, wake: threading.Event) -> Runner:
    """Return the runner of all read models."""
    return Runner(
        reader=reader,
        views=views,
        projector=Board(),
        wake=wake,
        poll_seconds=_POLL_SECONDS,
        rest_seconds=REST_SECONDS,
    )


@contextmanager
def projected(
    settings: Settings, reader: Reader, views: Views, commits: Commits
) -> Iterator[Runner]:
    """Keep the read models going while the block runs, where the settings say."""
    wake = threading.Event()
    runner = runner_of(reader, views, wake)
    with ExitStack() as stack:
        if settings.projection == "process":
            stack.enter_context(_process(settings))
        elif settings.projection != "off" and not settings.views_url:
            stack.callback(commits.listen(lambda _size: wake.set()))
            stack.enter_context(_thread(runner.run, wake.set))
        yield runner


def project(settings: Settings, *, parent: BinaryIO | None) -> None:
    """Fold until a signal comes, or until ``parent`` (a pipe) is closed.

    A parent has metrics of its own; without one they are served here.
    """
    stop, metrics = threading.Event(), Metrics()
    port = 0 if parent is not None else settings.metrics_port
    with (
        _opened(settings) as runner,
        metrics_served(metrics, host=settings.host, port=port),
    ):
        publish(metrics, lambda: runner.status(clock()))
        if parent is not None:
            watch = threading.Thread(target=_await_end, args=(parent, stop))
            watch.daemon = True
            watch.start()
        runner.run(stop)
        # Stopped at an event it cannot fold: stay, so that nobody starts it again.
        stop.wait()


def publish(metrics: Metrics, status: Callable[[], Status]) -> None:
    """Publish how far the read models are behind, read when it is asked."""
    metrics.gauge(
        "henji_projection_lag_events",
        "Entries not yet in the read models.",
        lambda: float(status().lag_events),
    )
    metrics.gauge(
        "henji_projection_lag_seconds",
        "Age of the oldest entry not yet in the read models.",
        lambda: status().lag_us / 1e6,
    )
    metrics.gauge(
        "henji_projection_stopped",
        "1 where a projection stopped at an event it cannot fold.",
        lambda: float(status().poison is not None),
    )


def rebuild(settings: Settings) -> Generation:
    """Rebuild the read models beside the live ones; return what is live then."""
    with _opened(settings) as runner:
        return runner.rebuild()


@contextmanager
def _opened(settings: Settings) -> Iterator[Runner]:
    with ExitStack() as stack:
        store = open_store(settings, duty="projector")
        stack.callback(store.close)
        views = open_views(settings)
        stack.callback(views.close)
        yield runner_of(store, views, threading.Event())


def _await_end(parent: BinaryIO, stop: threading.Event) -> None:
    """Return when the other end of the pipe is gone: a killed parent closes it too."""
    while parent.read(1):
        pass
    stop.set()


@contextmanager
def _thread(
    run: Callable[[threading.Event], None], wake: Callable[[], None]
) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name="projection", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        wake()
        thread.join()


@contextmanager
def _process(settings: Settings) -> Iterator[None]:
    """Run ``henji work project`` beside this process, and again whenever it dies."""
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(settings, stop), name="keeper")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep(settings: Settings, stop: threading.Event) -> None:
    while not stop.is_set():
        worker = subprocess.Popen(  # noqa: S603 - our own command
            _COMMAND,
            stdin=subprocess.PIPE,
            env=as_environment(settings),
            # Ctrl-C is for the parent, which lets go of the pipe when it is done.
            start_new_session=True,
        )
        while worker.poll() is None and not stop.is_set():
            stop.wait(_POLL_SECONDS)
        if worker.stdin is not None:
            worker.stdin.close()
        worker.wait()
        stop.wait(_RESTART_SECONDS)
