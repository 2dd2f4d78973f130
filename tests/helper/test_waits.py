"""C32, U36: the time that a sign-in takes does not show who is registered.

The bounds are generous. Equal waits stay far below them on a busy machine; a wait that is missing would be far
above. tests/bench/waits.py prints the figures.
"""

import statistics

import pytest

import waiting

COUNT = 60
TURN_MS = 10     # a busy machine may delay one of the two by this much


@pytest.mark.parametrize("provider", ["tingting", "crego"])
def test_unregistered_and_unknown_users_wait_as_registered_ones_do(request, provider):
    world = request.getfixturevalue("world" if provider == "tingting" else provider)
    for moment, waits in waiting.measure(world, COUNT, 4).items():
        real = waits.pop("registered")
        usual = statistics.median(real)
        for kind, made_up in waits.items():
            print(f"{moment} {kind}: {statistics.median(made_up):.1f} ms, "
                  f"registered {usual:.1f} ms, "
                  f"D = {waiting.difference(real, made_up):.2f}")
            assert len(real) == len(made_up) == COUNT
            assert waiting.difference(real, made_up) < 0.5
            assert usual / 2 - TURN_MS < statistics.median(made_up) < usual * 2 + TURN_MS
