"""otp-helper as a program on a socket pair, without root: $OTP_BUILD names the folder it was built in.

As root the helper's end of a test runs as `nobody`, whose files and processes all are.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("OTP_BUILD", SOURCE)
sys.path[:0] = [HERE, os.path.join(SOURCE, "tests", "gateway")]

from gateway import Gateway  # noqa: E402
from wire import Helper  # noqa: E402

NOBODY = 65534 if os.geteuid() == 0 else None
USER = "nobody" if NOBODY else None
NUMBER = "+9779800000019"


def program(name):
    """The built program behind libtool's wrapper, or the program itself."""
    real = os.path.join(BUILD, ".libs", name)
    return real if os.path.exists(real) else os.path.join(BUILD, name)


class World:
    """A configuration with its contacts, store and provider in a folder of its own."""

    def __init__(self, gateway, folder):
        self.gateway, self.dir = gateway, folder
        self.conf = f"{folder}/otp.conf"
        self.logs = []
        if NOBODY:
            os.chown(folder, NOBODY, NOBODY)
        os.chmod(folder, 0o755)
        self.write("token", gateway.token + "\n", 0o600)
        os.mkdir(f"{folder}/providers")
        shutil.copy(f"{SOURCE}/etc/providers/tingting.json", f"{folder}/providers")
        self.configure()
        self.otpctl("init")
        self.otpctl("contact", "add", "--force", "games", "--phone", NUMBER)

    def write(self, name, text, mode=0o644):
        path = f"{self.dir}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        if NOBODY:
            os.chown(path, NOBODY, NOBODY)
        return path

    def configure(self, otp="", extra="", base=None, ca=None):
        base, ca = base or self.gateway.url, ca or self.gateway.ca_file
        self.write("otp.conf", f"""[otp]
{otp}
[paths]
contacts = {self.dir}/contacts.db
state = {self.dir}/state
host_key = {self.dir}/host.key
profiles = {self.dir}/providers
[channel sms]
providers = tingting
message = Sign-in to ${{host}} (${{service}}). Code: ${{code}}
[provider tingting]
base = {base}
token = file:{self.dir}/token
company_name = Example
ca = {ca}
{extra}""")

    def otpctl(self, *args):
        return subprocess.run([program("otpctl"), "--config", self.conf, *args], check=True,
                              capture_output=True, text=True, user=NOBODY, group=NOBODY,
                              extra_groups=[] if NOBODY else None)

    def helper(self):
        h = Helper([program("otp-helper"), "--config", self.conf], NOBODY)
        self.logs.append(h)
        return h

    def sign_in(self, user="games", **items):
        """A helper that has heard of a sign-in."""
        return self.helper().open(user=user, **items)


@pytest.fixture(scope="session")
def gateway():
    with Gateway() as g:
        yield g


@pytest.fixture
def world(gateway):
    gateway.clear()
    folder = tempfile.mkdtemp(prefix="otp-helper-")
    try:
        yield World(gateway, folder)
    finally:
        shutil.rmtree(folder)
