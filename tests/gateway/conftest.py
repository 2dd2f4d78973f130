"""One gateway for each file of tests: OPTIONS of the file are its options."""

import pytest

from gateway import Gateway


@pytest.fixture(scope="module")
def started(request):
    with Gateway(**getattr(request.module, "OPTIONS", {})) as made:
        yield made


@pytest.fixture
def gw(started):
    """The gateway without faults, switches, memory or journals; a fault in vain is an error."""
    started.clear()
    yield started
    started.clear()
