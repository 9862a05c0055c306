"""The recorder interfaces of the ``eventsourcing`` library over any store of the log.

Rules of this file: adapt, do not decide. What the library records here is sealed like
everything else: a notification's id is its position, gapless. The clock is given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DataError,
    IntegrityError,
    Notification,
    OperationalError,
    PersistenceError,
    StoredEvent,
    Subscription,
)
from typing_extensions import override

from events import errors
from events.merkle import Tree, leaf_hash
from events.store import Append, Node, Root, Row, Selection, Store

#: The source of entries that the library makes; their id is stream and version.
SOURCE: Final = "eventsourcing"
_PAGE = 500
_ALL = 2**31


class LedgerRecorder(ApplicationRecorder):
    """Records the library's events as sealed entries of a ledger.

    ``clock`` gives µs since the Unix epoch. ``first_version`` is the number that the
    library's streams begin with; versions of the log begin with 1.
    """

    def __init__(
        self, store: Store, *, clock: Callable[[], int], first_version: int = 1
    ) -> None:
        """Wrap a store; it stays open when the recorder is done with."""
        self._store = store
        self._clock = clock
        self._shift = 1 - first_version
        self._turn = threading.Lock()
        self.grown = threading.Condition()

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Seal the events as one batch; return their positions. All or none."""
        if not stored_events:
            return []
        with _as_library_errors(), self._turn, self._store.append() as append:
            rows, nodes, root = self._seal(append, stored_events)
            append.insert(rows=rows, nodes=nodes, root=root)
        with self.grown:
            self.grown.notify_all()
        return [row.position for row in rows]

    def _seal(
        self, append: Append, stored_events: Sequence[StoredEvent]
    ) -> tuple[list[Row], list[Node], Root]:
        head = append.head()
        tree = Tree.load(head.size, append.hashes) if head else Tree.empty()
        # Instants of batches never go back: position_at relies on it.
        now = max(self._clock(), head.ingested if head else 0)
        rows = [
            self._row(event, position=position, now=now)
            for position, event in enumerate(stored_events, tree.size + 1)
        ]
        grown, appended = tree.extend([row.leaf for row in rows])
        nodes = [Node(*node) for node in appended.tile_nodes]
        return rows, nodes, Root(grown.size, grown.root, now)

    def _row(self, event: StoredEvent, *, position: int, now: int) -> Row:
        stream = str(event.originator_id)
        return Row(
            position=position,
            stream=stream,
            version=event.originator_version + self._shift,
            type=event.topic,
            source=SOURCE,
            id=f"{stream}:{event.originator_version}",
            occurred=now,
            ingested=now,
            leaf=leaf_hash(event.state),
            entry=event.state,
        )

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of one stream, whoever sealed them."""
        stream = str(originator_id)
        after = 0 if gt is None else gt + self._shift
        last = _ALL if lte is None else lte + self._shift
        ahead = _ALL if limit is None else limit
        with _as_library_errors():
            if desc and lte is None:
                newest = Selection(streams=(stream,))
                rows = self._store.select(newest, limit=ahead, newest_first=True)
            else:
                ahead = _ALL if desc else ahead
                rows = self._store.stream(stream, after=after, limit=ahead)
                rows = rows[::-1] if desc else rows
        found = [self._stored(row) for row in rows if after < row.version <= last]
        return found[:limit]

    def _stored(self, row: Row) -> StoredEvent:
        return StoredEvent(row.stream, row.version - self._shift, row.type, row.entry)

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return committed events by position. ``topics`` may end in ``*``."""
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        selection = Selection(after=after, until=stop, types=tuple(topics))
        with _as_library_errors():
            if stop is None and not topics:
                rows = self._store.rows(after=after, limit=limit)
            else:
                rows = self._store.select(selection, limit=limit)
        return [self._notification(row) for row in rows]

    def _notification(self, row: Row) -> Notification:
        version = row.version - self._shift
        return Notification(row.stream, version, row.type, row.entry, row.position)

    @override
    def max_notification_id(self) -> int | None:
        """Return the log's size, or None when it is empty."""
        with _as_library_errors():
            head = self._store.head()
        return head.size if head else None

    @override
    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an endless iterator over committed events after position ``gt``."""
        subscription = LedgerSubscription(self, gt=gt, topics=topics)
        return cast("Subscription[ApplicationRecorder]", subscription)


class LedgerAggregateRecorder(AggregateRecorder):
    """The same without notifications, as the library wants it for snapshots."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        """Record through another recorder, under its rules."""
        self._recorder = recorder

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> None:
        """Seal the events as one batch. All or none."""
        self._recorder.insert_events(stored_events, **kwargs)

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of one stream."""
        return self._recorder.select_events(
            originator_id, gt=gt, lte=lte, desc=desc, limit=limit
        )


class LedgerSubscription(Subscription[LedgerRecorder]):
    """Yields committed events in order, each once, and waits for more.

    It wakes at once for a commit of its own recorder, and looks every ``poll`` seconds
    for those of others. There is no thread, and no wake-up can be missed: the log is
    read again under the condition's lock before waiting.
    """

    def __init__(
        self,
        recorder: LedgerRecorder,
        *,
        gt: int | None = None,
        topics: Sequence[str] = (),
        poll: float = 0.2,
    ) -> None:
        """Begin after position ``gt``; nothing is read yet."""
        super().__init__(recorder, gt=gt, topics=topics)
        self._poll = poll
        self._page: Iterator[Notification] = iter(())

    @override
    def stop(self) -> None:
        """End the iteration, from any thread."""
        super().stop()
        with self._recorder.grown:
            self._recorder.grown.notify_all()

    @override
    def __next__(self) -> Notification:
        """Return the next event; StopIteration once stopped."""
        while not self._has_been_stopped:
            found = next(self._page, None)
            if found is not None:
                self._last_notification_id = found.id
                return found
            page = self._read()
            if not page:
                page = self._waited()
            self._page = iter(page)
        raise StopIteration

    def _waited(self) -> Sequence[Notification]:
        with self._recorder.grown:
            page = self._read()
            if not page and not self._has_been_stopped:
                self._recorder.grown.wait(self._poll)
        return page

    def _read(self) -> Sequence[Notification]:
        """Read on after the last event; what no topic matches is skipped for good."""
        last = self._recorder.max_notification_id() if self._topics else None
        page = self._recorder.select_notifications(
            self._last_notification_id,
            _PAGE,
            stop=last,
            topics=self._topics,
            inclusive_of_start=False,
        )
        if not page and last is not None:
            self._last_notification_id = last
        return page


@contextmanager
def _as_library_errors() -> Iterator[None]:
    """Raise our errors as the library's, ours as the cause."""
    try:
        yield
    except errors.Conflict as error:
        raise IntegrityError(str(error)) from error
    except errors.Unavailable as error:
        raise OperationalError(str(error)) from error
    except errors.Malformed as error:
        raise DataError(str(error)) from error
    except errors.HenjiError as error:
        raise PersistenceError(str(error)) from error
