"""The pictures of doc/: each is on a page, and shows what the hosts show today."""
import os
import re
import sys

import pytest

from hosts import HERE

sys.path.insert(0, f"{HERE}/../sandbox")
import transcripts  # noqa: E402

TREE = f"{HERE}/../.."
DOC = f"{TREE}/doc"
# The other pictures take longer, or show the same texts.
PLAYED = ["ssh-menu", "ssh-failover", "sudo-lockout", "admin-unlock", "login-recovery"]


def text(path):
    with open(path) as f:
        return f.read()


def test_every_picture_is_on_the_page_once():
    drawn = {f"transcripts/{name}" for name in os.listdir(f"{DOC}/transcripts")}
    assert drawn == {f"transcripts/{name}.svg" for name in transcripts.SCENES}
    named = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text(f"{DOC}/sign-ins.md"))
    assert sorted(named) == sorted(drawn)


def test_the_readme_shows_one_picture_and_links_to_the_page():
    readme = text(f"{TREE}/README.md")
    shown = re.findall(r"!\[[^]]+\]\(doc/([^)]+\.svg)\)", readme)
    assert shown and all(os.path.exists(f"{DOC}/{one}") for one in shown) and "(doc/sign-ins.md)" in readme


@pytest.fixture(scope="module")
def server(one_world):
    with transcripts.server(one_world):
        yield one_world
    one_world.fresh()


@pytest.mark.parametrize("name", PLAYED)
def test_a_picture_shows_what_the_hosts_show(server, name):
    """If this fails, the texts have changed. doc/make-transcripts draws the pictures again."""
    assert transcripts.play(server, name).lines() == transcripts.drawn_lines(text(f"{DOC}/transcripts/{name}.svg"))
