"""What PostgreSQL plans for: pages of a known length, however long the tables are."""

from __future__ import annotations

import pytest

from events.memory import MemoryStore
from projections import board, queries
from projections.postgres import PostgresViews

#: As often as the driver and the server together need to keep a plan.
_OFTEN = 12
_KEPT = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%LIMIT%'"


@pytest.mark.parametrize("as_of", [None, 7])
def test_a_plan_that_is_kept_knows_the_length_of_the_page(postgres_dsn, run, as_of):
    """The limit is in the text: unknown, it would be taken for a tenth of all rows."""
    views = PostgresViews(postgres_dsn)
    run(MemoryStore(), views).rebuild()
    with views.snapshot(board.NAME) as snapshot:
        for _ in range(_OFTEN):
            queries.commitments(snapshot, queries.Filter(), limit=50, as_of=as_of)
        kept = [text for (text,) in snapshot.select(_KEPT, {})]
    views.close()
    assert len(kept) == 1
    assert "LIMIT 51" in kept[0]
