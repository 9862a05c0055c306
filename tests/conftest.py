"""Fixtures that more than one area of the tests uses; an area's own are beside it."""

from __future__ import annotations

pytest_plugins = ["tests.postgres_fixture"]
