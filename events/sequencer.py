"""The append path: one thread a process that turns what is waiting into one commit.

Rules of this file: the order of steps and what a crash after each leaves. What an event
means is decided in ``draft``, how rows are kept in a store. Nothing here parses input,
speaks HTTP or reads a clock of its own.

    1  take what is waiting        crash: nobody was answered, clients send again
    2  take the append lock        crash: the lock goes with the transaction
    3  catch up with the log       reads only
    4  decide every request        memory only
    5  insert entries, nodes, root crash: rolled back as a whole
    6  commit                      crash before: as 5; after: the events are in the log,
                                   unanswered; sent again they get their receipt
    7  sign the root, answer       crash: as after 6; the signature can be made again
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from events import errors
from events.checkpoint import Checkpoint, sign_checkpoint
from events.draft import NOTHING, Draft, Known, fold
from events.merkle import Tree
from events.store import Node, Root
from events.submissions import Accepted, Prepared, SealedBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from events.notes import Signer
    from events.store import Append, Row, Store
    from events.submissions import Request, Result

_STOP = None
_CATCH_UP = 4_000


class Sequencer:
    """Serialises all appends of this process to one store.

    ``clock`` gives µs since the Unix epoch; it is read once a batch. ``signers`` sign
    the root of each batch for its receipts (deterministic ones only, so that a receipt
    can be made again byte for byte). ``on_commit`` hears the new size.
    """

    def __init__(  # noqa: PLR0913 - a composition of exactly these parts
        self,
        store: Store,
        *,
        origin: str,
        signers: Sequence[Signer],
        clock: Callable[[], int],
        on_commit: Callable[[int], None] = lambda _size: None,
        max_batch: int = 1_000,
        max_waiting: int = 20_000,
        max_streams: int = 50_000,
    ) -> None:
        self._store = store
        self._origin = origin
        self._signers = signers
        self._vkeys = frozenset(signer.vkey for signer in signers)
        self._clock = clock
        self._on_commit = on_commit
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._cache = StreamCache(max_streams)
        self._tree = Tree.empty()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._door = threading.Lock()
        self._closed = False
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread. Idempotent."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._queue.put(_STOP)
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a batch."""
        return self._queue.qsize()

    def submit(self, request: Request) -> None:
        """Queue a request; its ``deliver`` is called from the sequencer's thread.

        ``Unavailable``: sequencer_stopped, or overloaded when too many wait.
        """
        with self._door:  # Nothing comes after the stop: it would wait for ever.
            if self._closed or self.failure is not None:
                raise errors.Unavailable("sequencer_stopped")
            if self._queue.qsize() >= self._max_waiting:
                raise errors.Unavailable("overloaded")
            self._queue.put(request)

    def _run(self) -> None:
        while (first := self._queue.get()) is not _STOP:
            batch, stopping = self._gather(first)
            _deliver(batch, self._settle(batch))
            if stopping:
                return

    def _gather(self, first: Request) -> tuple[list[Request], bool]:
        """Take what is waiting, without idling for more: group commit."""
        batch, count = [first], len(first.items)
        while count < self._max_batch:
            try:
                request = self._queue.get_nowait()
            except Empty:
                break
            if request is _STOP:
                return batch, True
            batch.append(request)
            count += len(request.items)
        return batch, False

    def _settle(self, batch: list[Request]) -> list[list[Result]]:
        """Commit a batch; whatever goes wrong, every request gets an answer."""
        if self.failure is not None:
            return self._stopped(batch, self.failure)
        try:
            return self.commit(batch)
        except errors.Unavailable as error:
            return [[error] * len(request.items) for request in batch]
        except errors.Conflict:
            # A unique index refused what the cache allowed: the log moved under us.
            return self._one_by_one(batch)
        except BaseException as error:  # noqa: BLE001 - an unknown state must stop
            self.failure = error
            return self._stopped(batch, error)

    def _stopped(
        self, batch: list[Request], cause: BaseException
    ) -> list[list[Result]]:
        stopped = errors.Unavailable("sequencer_stopped")
        stopped.__cause__ = cause
        return [[stopped] * len(request.items) for request in batch]

    def _one_by_one(self, batch: list[Request]) -> list[list[Result]]:
        if len(batch) == 1:
            refused = errors.Unavailable("store_conflict")
            return [[refused] * len(batch[0].items)]
        return [self._settle([request])[0] for request in batch]

    def commit(self, batch: Sequence[Request]) -> list[list[Result]]:
        """Run steps 2 to 7 for these requests and return each one's results."""
        try:
            with self._store.append() as log:
                head = self._catch_up(log)
                draft = self._open(log, head, batch)
                results = [draft.decide(request) for request in batch]
                tree, sealed = self._seal(log, draft)
        except BaseException:
            # What the cache holds may be ahead of the log now, or behind it.
            self._cache.clear()
            self._tree = Tree.empty()
            raise
        if sealed is not None:
            self._tree = tree
            self._cache.update(draft.known)
            self._sign(sealed, tree)
            _attach(results, sealed)
            self._on_commit(tree.size)
        return results

    def _catch_up(self, log: Append) -> Root | None:
        """Learn what other processes appended since our last batch."""
        head = log.head()
        size = head.size if head else 0
        if size == self._tree.size:
            return head
        behind = size - self._tree.size
        if 0 < behind <= _CATCH_UP:
            self._cache.follow(log.rows(after=self._tree.size, limit=behind))
        else:
            self._cache.clear()
        self._tree = Tree.load(size, log.hashes)
        if head and self._tree.root != head.root:
            raise errors.Corrupt("root_mismatch", size=size)
        return head

    def _require_keys(self, log: Append) -> None:
        """Append nothing that we may not sign: the keys were rotated since we started.

        Free while the ledger's own stream is in the cache. ``Denied`` ends the thread:
        only a process that reads the key file anew can go on.
        """
        ledger = self._cache.look(log, f"ledger/{self._origin}").state
        if ledger is not None and not self._vkeys.issubset(ledger.vkeys):
            raise errors.Denied("signing_key_retired")

    def _open(self, log: Append, head: Root | None, batch: Sequence[Request]) -> Draft:
        """Read, in one query each, all that the batch's decisions will ask for."""
        self._require_keys(log)
        items = [
            item
            for request in batch
            for item in request.items
            if isinstance(item, Prepared)
        ]
        keys = [(item.submission.source, item.submission.id) for item in items]
        seen = log.find_many(keys) if keys else {}
        self._cache.load(log, items)
        now = self._clock()
        return Draft(
            size=self._tree.size,
            # After the last entry: order in the log is order in time, and no two roots
            # share an instant, so that a root row that is taken out leaves a trace.
            now=max(now, head.ingested + 1) if head else now,
            committed=lambda stream: self._cache.look(log, stream),
            # Asked for corrections only: not worth a cache or a query of its own.
            holds=lambda stream, event_id: any(
                row.id == event_id for row in log.streams([stream])
            ),
            seen=seen,
        )

    def _seal(self, log: Append, draft: Draft) -> tuple[Tree, SealedBatch | None]:
        """Insert the batch's rows with the tree's growth over them."""
        if not draft.rows:
            return self._tree, None
        tree, appended = self._tree.extend([row.leaf for row in draft.rows])
        log.insert(
            rows=draft.rows,
            nodes=[Node(*node) for node in appended.tile_nodes],
            root=Root(tree.size, tree.root, draft.now),
        )
        return tree, SealedBatch(appended, "", draft.now)

    def _sign(self, sealed: SealedBatch, tree: Tree) -> None:
        """Sign after the commit, outside of the lock: the root is persisted by now."""
        checkpoint = Checkpoint(self._origin, tree.size, tree.root)
        sealed.note = sign_checkpoint(checkpoint, self._signers, 0)


class StreamCache:
    """The states of the streams used last; bounded, and always allowed to forget."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Known] = OrderedDict()

    def look(self, log: Append, stream: str) -> Known:
        """Return a stream up to its committed end, reading it if it is not here."""
        found = self._known.get(stream)
        if found is None:
            found = fold(NOTHING, log.streams([stream]))
            self._known[stream] = found
        return found

    def load(self, log: Append, items: Iterable[Prepared]) -> None:
        """Read the streams of these items that are not here, in at most two queries.

        Only streams of ours are folded; of an external one the version is enough,
        however long it is.
        """
        self._trim()  # Refused and tried events load streams too, and commit none.
        known = self._known
        missing = {
            item.stream: item.kind is None for item in items if item.stream not in known
        }
        folded = [stream for stream, external in missing.items() if not external]
        counted = [stream for stream, external in missing.items() if external]
        if folded:
            known.update(_folded(folded, log.streams(folded)))
        if counted:
            versions = log.versions(counted)
            for stream in counted:
                known[stream] = Known(versions.get(stream, 0), None)

    def update(self, known: dict[str, Known]) -> None:
        """Take over what a committed batch led to; drop the oldest beyond the limit."""
        self._known.update(known)
        self._trim()

    def _trim(self) -> None:
        for _ in range(len(self._known) - self._limit):
            self._known.popitem(last=False)

    def follow(self, rows: Iterable[Row]) -> None:
        """Move on by what another process appended; what is not here stays away.

        Dropping these streams instead would have every batch read again what two
        processes that share streams have just read of each other.
        """
        for row in rows:
            known = self._known.get(row.stream)
            if known is not None:
                self._known[row.stream] = fold(known, [row])

    def clear(self) -> None:
        """Drop everything."""
        self._known.clear()


def _folded(names: Sequence[str], rows: Sequence[Row]) -> dict[str, Known]:
    of: dict[str, list[Row]] = {name: [] for name in names}
    for row in rows:
        of[row.stream].append(row)
    return {name: fold(NOTHING, found) for name, found in of.items()}


def _attach(results: list[list[Result]], sealed: SealedBatch) -> None:
    for group in results:
        for result in group:
            if isinstance(result, Accepted) and result.position > sealed.appended.start:
                result.batch = sealed


def _deliver(batch: list[Request], results: list[list[Result]]) -> None:
    """Hand out answers, one call a channel: waking a loop costs more than an answer."""
    channels: dict[object, list[tuple[Request, list[Result]]]] = {}
    for request, result in zip(batch, results, strict=True):
        channels.setdefault(request.deliver, []).append((request, result))
    for deliver, answers in channels.items():
        # Who asked may be gone. What is in the log stays, and the others wait.
        with suppress(Exception):
            deliver(answers)  # type: ignore[operator]
