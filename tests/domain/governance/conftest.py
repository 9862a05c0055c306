"""Worlds of streams with two units and a post, held and handed over."""

from __future__ import annotations

import pytest

from tests.support.governance import World


@pytest.fixture
def new_world():
    """Return a way to make a world with two units and a post, held and handed over."""

    def make():
        world = World()
        for unit in ("gouzhao", "shifo"):
            world.send("unit.created", f"unit/{unit}", name="示例办事处")
        for person, start, end in (
            ("p:1", "2017-01-01T00:00:00Z", "2017-11-01T00:00:00Z"),
            ("p:2", "2017-11-01T00:00:00Z", "2018-11-01T00:00:00Z"),
        ):
            world.send(
                "post.appointed",
                "post/head",
                unit="gouzhao",
                title="所长",
                person_ref=person,
                valid_from=start,
                valid_to=end,
            )
        return world

    return make


@pytest.fixture
def world(new_world):
    """Return such a world."""
    return new_world()
