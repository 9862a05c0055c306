"""A cut that answers the same question from memory: reports ask many a one twice.

Rules of this file: it adds nothing and leaves nothing out. It lives as long as reports
of one cut are being made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from projections.world import Cut, Happened, StateRow, World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A ``World`` over another one, each of whose answers it asks for once."""

    world: World
    _kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def cut(self) -> Cut:
        """What this is a view of."""
        return self.world.cut

    def at(self, cut: Cut) -> Remembered:
        """Return the same log at another cut, which remembers, too."""
        if cut not in self._kept:
            self._kept[cut] = Remembered(self.world.at(cut))
        found: Remembered = self._kept[cut]
        return found

    def state(self, stream: str) -> StateRow | None:
        """Return the state of one stream; None: it had not begun."""
        if stream not in self._kept:
            self._kept[stream] = self.world.state(stream)
        found: StateRow | None = self._kept[stream]
        return found

    def states(self, kind: str) -> Sequence[StateRow]:
        """Return the state of every stream of a kind, by key."""
        key = ("states", kind)
        if key not in self._kept:
            self._kept[key] = tuple(self.world.states(kind))
        found: Sequence[StateRow] = self._kept[key]
        return found

    def events(
        self,
        *,
        types: Sequence[str] = (),
        streams: Sequence[str] = (),
        occurred_from: int | None = None,
        occurred_before: int | None = None,
    ) -> Sequence[Happened]:
        """Return events by position; types may end in ``*``, every filter narrows."""
        key = (tuple(types), tuple(streams), occurred_from, occurred_before)
        if key not in self._kept:
            self._kept[key] = tuple(
                self.world.events(
                    types=types,
                    streams=streams,
                    occurred_from=occurred_from,
                    occurred_before=occurred_before,
                )
            )
        found: Sequence[Happened] = self._kept[key]
        return found

    def derived(self, call: Callable[[World], T]) -> T:
        """Return what a function makes of this cut; it is called once."""
        if call not in self._kept:
            self._kept[call] = call(self)
        found: T = self._kept[call]
        return found


def remembered(world: World) -> Remembered:
    """Return a world that answers from memory: the same one, if it does already."""
    return world if isinstance(world, Remembered) else Remembered(world)
