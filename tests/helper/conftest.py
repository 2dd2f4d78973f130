"""otp-helper as a program on a socket pair, without root. $OTP_BUILD names the folder in which it was built.

If the tests run as root, the helpers and all their files belong to the user nobody.
"""

import contextlib
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


def is_in_memory(folder):
    shown = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True)
    return shown.stdout == "tmpfs\n" and os.access(folder, os.W_OK | os.X_OK)


# The store waits for the disk at each commit. No test here is about that, so it stays in memory.
if not is_in_memory(tempfile.gettempdir()) and is_in_memory("/dev/shm"):
    tempfile.tempdir = "/dev/shm"

NOBODY = 65534 if os.geteuid() == 0 else None
USER = "nobody" if NOBODY else None
NUMBER, MAILBOX = "+9779800000019", "games@mail.example"


def program(name):
    """The path of the built program. It skips libtool's wrapper script."""
    real = os.path.join(BUILD, ".libs", name)
    return real if os.path.exists(real) else os.path.join(BUILD, name)


# The lines of each [provider] section besides `base` and `ca`. DIR stands for the folder of the world.
PROVIDERS = {
    "tingting": "token = file:DIR/token\ncompany_name = Example",
    "crego": "",
    "bridgekeeper": "",
    "kgen": "client_id = file:DIR/client_id\nclient_secret = file:DIR/client_secret",
}
MESSAGE = "message = Sign-in to ${host} (${service}). Code: ${code}"


class World:
    """A configuration with its contacts, store and provider, in a folder of its own."""

    def __init__(self, gateway, folder, provider="tingting"):
        self.gateway, self.dir, self.provider = gateway, folder, provider
        self.conf = f"{folder}/otp.conf"
        if NOBODY:
            os.chown(folder, NOBODY, NOBODY)
        os.chmod(folder, 0o755)
        self.write("token", gateway.token + "\n", 0o600)
        for name in "client_id", "client_secret":
            self.write(name, gateway.secret(name, "kgen") + "\n", 0o600)
        shutil.copytree(f"{SOURCE}/etc/providers", f"{folder}/providers")
        self.configure()
        self.populate()

    def populate(self):
        """Fills the first world with otpctl. The other worlds copy its files, which is faster."""
        if os.listdir(World.made):
            names, source, target = os.listdir(World.made), World.made, self.dir
        else:
            self.otpctl("init")
            self.otpctl("contact", "add", "--force", "games", "--phone", NUMBER)
            self.otpctl("contact", "add", "--force", "games", "--email", MAILBOX, "--no-notice")
            names, source, target = ["host.key", "contacts.db", "state"], self.dir, World.made
        subprocess.run(["cp", "-a", *(f"{source}/{name}" for name in names), target], check=True)

    def write(self, name, text, mode=0o644):
        path = f"{self.dir}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        if NOBODY:
            os.chown(path, NOBODY, NOBODY)
        return path

    def configure(self, otp="", extra="", base=None, ca=None, channel="sms", provider=""):
        base, ca = base or self.gateway.url, ca or self.gateway.ca_file
        settings = PROVIDERS[self.provider].replace("DIR", self.dir)
        message = MESSAGE if self.provider == "tingting" else ""
        self.write("otp.conf", f"""[otp]
channels = {channel}
{otp}
[paths]
contacts = {self.dir}/contacts.db
state = {self.dir}/state
host_key = {self.dir}/host.key
profiles = {self.dir}/providers
[channel {channel}]
providers = {self.provider}
{message}
[provider {self.provider}]
base = {base}
ca = {ca}
{settings}
{provider}
{extra}""")

    def otpctl(self, *args, **run):
        return subprocess.run([program("otpctl"), "--config", self.conf, *args], check=True,
                              capture_output=True, text=True, user=NOBODY, group=NOBODY,
                              extra_groups=[] if NOBODY else None, **run)

    def helper(self):
        h = Helper([program("otp-helper"), "--config", self.conf], NOBODY)
        return h

    def sign_in(self, user="games", **items):
        """A helper that has received the start message of a sign-in."""
        return self.helper().open(**{"user": user, "rhost": "192.0.2.1"} | items)


@pytest.fixture(scope="session", autouse=True)
def made():
    """The folder that worlds copy from."""
    with tempfile.TemporaryDirectory(prefix="otp-helper-") as World.made:
        yield


@pytest.fixture(scope="session")
def gateway():
    with Gateway(provider=sorted(PROVIDERS)) as g:
        yield g


@contextlib.contextmanager
def a_world(gateway, provider):
    gateway.clear()
    folder = tempfile.mkdtemp(prefix="otp-helper-")
    try:
        yield World(gateway, folder, provider)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def world(gateway):
    """A world with TingTing: pam_otp makes and checks the code."""
    with a_world(gateway, "tingting") as w:
        yield w


@pytest.fixture(params=["crego", "bridgekeeper", "kgen"])
def remote(gateway, request):
    """A world with each provider that makes and checks the code itself."""
    with a_world(gateway, request.param) as w:
        yield w


@pytest.fixture
def crego(gateway):
    with a_world(gateway, "crego") as w:
        yield w


@pytest.fixture
def bridgekeeper(gateway):
    with a_world(gateway, "bridgekeeper") as w:
        yield w


@pytest.fixture
def kgen(gateway):
    with a_world(gateway, "kgen") as w:
        yield w
