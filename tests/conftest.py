"""What every test shares: how hypothesis runs, and a PostgreSQL for who asks for one.

An area's own fixtures live in the conftest of its folder.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres_fixture"]

settings.register_profile(
    "henji",
    # The machine that runs them may be busy; a slow example is no wrong one.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("henji")
