"""Each file of tests has its own gateway, started with the file's OPTIONS."""

import pytest

from gateway import Gateway


@pytest.fixture(scope="module")
def started(request):
    with Gateway(**getattr(request.module, "OPTIONS", {})) as made:
        yield made


@pytest.fixture
def gw(started):
    """The gateway without faults, switches, state or journals. A fault that could not take effect is an error."""
    started.clear()
    yield started
    started.clear()
