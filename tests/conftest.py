"""What every test shares: how hypothesis runs. An area's fixtures live in its folder."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "henji",
    # The machine that runs them may be busy; a slow example is no wrong one.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("henji")
