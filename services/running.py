"""A running service: an open ledger with its threads, and all that watches it.

Rules of this file: starting and stopping in order. Both the web application and the
command line run on it; neither HTTP nor terminal is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import metadata

from events import entries
from projections.board import NAME
from projections.runner import Runner, Status
from projections.views import Views
from services.auth import Authenticator
from services.projecting import projected, publish
from services.settings import Settings
from services.telemetry import Metrics, SecurityLog
from services.wiring import Ledger, clock, open_ledger, open_views


@dataclass(frozen=True, slots=True)
class Service:
    """What the edge needs of a started service."""

    ledger: Ledger
    views: Views
    runner: Runner
    authenticator: Authenticator
    metrics: Metrics
    security: SecurityLog
    version: str

    def projection(self) -> Status:
        """Return where the read models stand."""
        return self.runner.status(clock())

    def reach(self, position: int, *, seconds: float) -> None:
        """Wait until the read models include a position; ``TimeoutError``."""
        generation = self.projection().generation
        label = f"{NAME}@{generation or 1}"
        self.views.wait(label, position, timeout=seconds)


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Start a service on the ledger of these settings; stop it on exit, in reverse."""
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        views = open_views(settings)
        stack.callback(views.close)
        runner = stack.enter_context(
            projected(settings, ledger.store, views, ledger.commits)
        )
        security = SecurityLog(
            settings.data_dir / "security.log",
            now_text=lambda: entries.rfc3339(clock()),
        )
        stack.callback(security.close)
        service = Service(
            ledger=ledger,
            views=views,
            runner=runner,
            authenticator=Authenticator(
                lambda key: ledger.state_of(f"access/{key}"),
                clock=clock,
                cache_us=int(settings.key_cache_seconds * 1_000_000),
            ),
            metrics=Metrics(),
            security=security,
            version=metadata.version("henji"),
        )
        _publish(service)
        yield service


def _publish(service: Service) -> None:
    """Publish what is read when the metrics are scraped."""
    gauge, ledger = service.metrics.gauge, service.ledger

    def size() -> float:
        head = ledger.store.head()
        return float(head.size if head else 0)

    gauge("henji_log_size", "Entries in the log.", size)
    gauge(
        "henji_sequencer_waiting",
        "Requests that wait for a batch.",
        lambda: float(ledger.sequencer.waiting),
    )
    publish(service.metrics, service.projection)
