"""What a post is called: reports show posts where the log has references to persons.

Rules of this file: posts, as they were held at an instant. No name of a person is in
the log, and none is made up here.
"""

from __future__ import annotations

from projections.reports.pieces import Scene


def post_title(one: Scene, post: str | None, at: int | None) -> str | None:
    """Return the title of a post at an instant; its id where nobody held it then."""
    if post is None:
        return None
    held = one.world.state(f"post/{post}")
    holding = None if held is None or at is None else held.state.holding_at(at)
    return post if holding is None else str(holding.title)
