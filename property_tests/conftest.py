"""How long Hypothesis plays: ``POLYBAWT_HYPOTHESIS`` is dev, ci or nightly."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=60, stateful_step_count=40, deadline=None)
settings.register_profile(
    "ci",
    max_examples=60,  # of each of the machines; their bounded part is explored whole
    stateful_step_count=40,
    deadline=None,
    derandomize=True,  # the same games every time: a red build is a changed program
    database=None,
)
settings.register_profile(
    "nightly",
    max_examples=3_000,
    stateful_step_count=120,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(
    os.environ.get("POLYBAWT_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "dev")
)
