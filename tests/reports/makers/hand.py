"""What the tests of supervision's reports share: figures by name, and G11.

``exact`` holds of every report: a count is the number of the events that it lists.
"""

from __future__ import annotations

from projections.reports.addresses import find
from tests.reports.makers.books import counts, sound


def figure(report, block, item):
    """Return the value of a headline figure."""
    return find(report, f"{block}/{item}/value").value


def exact(report, book, *keys, but=()):
    """Assert that each count lists as many events; ``but`` columns count other things."""
    sound(report, book)
    checked = 0
    for address, cell in counts(report, *keys):
        parts = address.split("/")
        name = parts[1] if parts[-1] == "value" else parts[-1]
        if name not in but:
            assert cell.value == len(cell.events), address
            checked += 1
    assert checked


def texts(value):
    """Yield every text in a report, in both languages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from texts(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from texts(getattr(value, name))
