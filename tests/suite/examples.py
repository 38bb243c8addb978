"""How many examples a property test tries: few in `make test-fast`, most in `make test-longest`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("fast", max_examples=10, **_SHARED)
settings.register_profile("default", max_examples=25, **_SHARED)
settings.register_profile("nightly", max_examples=100, **_SHARED)
settings.load_profile("default")


def examples(*, fast: int, default: int, nightly: int) -> int:
    """The number for the profile that was chosen by `--hypothesis-profile`.

    For tests whose examples take long: the others have the profile's own number.
    """
    chosen = {"fast": fast, "default": default, "nightly": nightly}
    return chosen[settings.get_current_profile_name()]
