"""The life of the package in a small Debian, inside tests/sandbox/run. tests/package/check starts it.

Each test gets a fresh copy of that Debian: `debian` is entered by chroot, `booted` runs its own systemd.
"""
import glob
import os
import shutil
import subprocess
import sys
import time

import pytest

from machine import GUARD, Machine

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../gateway")
from gateway import Gateway  # noqa: E402

OUT, ROOT, GROUP = (os.environ.get(f"OTP_PACKAGE_{name}") for name in ("OUT", "ROOT", "GROUP"))
LAYERS = "/run/package"


def pytest_configure(config):
    if config.getoption("dist", "no") != "no":
        return  # the workers are in sandboxes
    if not (OUT and ROOT and GROUP and os.path.isdir("/run/sandbox")):
        pytest.exit("these tests install packages: run tests/package/check", 3)
    if os.getsid(0) == 0:
        os.setsid()  # the session began outside of the sandbox, where its ID does not exist


def mount(*arguments):
    subprocess.run(["mount", "-n", *arguments], check=True)


@pytest.fixture(scope="session")
def one_gateway():
    with Gateway(credits=10 ** 6) as g:
        yield g


@pytest.fixture
def gateway(one_gateway):
    one_gateway.clear()
    return one_gateway


@pytest.fixture
def code(gateway):
    return gateway.last_code


class Root(Machine):
    """A copy of the Debian, as an overlay, with the built packages."""

    def __init__(self):
        os.makedirs(LAYERS, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=755", "layers", LAYERS)
        for name in "root", "upper", "work":
            os.mkdir(f"{LAYERS}/{name}")
        mount("-t", "overlay", "-o", f"lowerdir={ROOT},upperdir={LAYERS}/upper,workdir={LAYERS}/work", "overlay",
              f"{LAYERS}/root")
        super().__init__(f"{LAYERS}/root", ["chroot", f"{LAYERS}/root"])
        packages = glob.glob(f"{OUT}/first/libpam-otp_[0-9]*.deb")
        assert len(packages) == 1
        shutil.copy(packages[0], self.path("/root/libpam-otp.deb"))
        for path in glob.glob(f"{OUT}/*.deb"):
            shutil.copy(path, self.path("/root/"))

    def settle(self):
        self.people("alice", "bob")
        self.before = self.state("/etc/pam.d")

    def enter_by_chroot(self):
        mount("-t", "proc", "proc", self.path("/proc"))
        mount("--rbind", "/dev", self.path("/dev"))
        self.log_start = os.path.getsize("/run/sandbox/log")
        self.settle()

    def log(self):
        time.sleep(0.1)
        with open("/run/sandbox/log", errors="surrogateescape") as f:
            f.seek(self.log_start)
            return f.read()

    def state(self, folder):
        """Lists every file below the folder, with owner, mode and content."""
        return self.run("bash", "-c", f"cd {folder} && find . -type f -exec stat -c '%n %U %G %a' {{}} + -exec "
                        "sha256sum {} + | sort").stdout

    def install(self, package="libpam-otp", check=True):
        """apt install ./package.deb"""
        return self.apt("install", f"/root/{package}.deb", check=check)

    def ready(self, gateway):
        """Installs and configures the package, with a phone for alice and bob. No stack names the module yet."""
        self.install()
        self.provider(gateway)
        self.run("otpctl", "contact", "add", "alice", "--phone=+9779800000019")
        self.run("otpctl", "contact", "add", "bob", "--phone=+9779800000028")

    def put_back(self, *names):
        """Restores these stacks as they were before."""
        for name in names:
            shutil.copy(f"{ROOT}/etc/pam.d/{name}", self.path(f"/etc/pam.d/{name}"))


class Booted(Root):
    """The same under systemd. Commands run in its namespaces."""

    def prepare(self):
        """Installs systemd, before the package comes."""
        mount("-t", "proc", "proc", self.path("/proc"))
        self.apt("install", "systemd")
        os.unlink(self.path("/usr/sbin/policy-rc.d"))
        for unit in ("ssh.service", "systemd-sysctl.service", "systemd-modules-load.service", "getty.target"):
            os.symlink("/dev/null", self.path(f"/etc/systemd/system/{unit}"))
        subprocess.run(["umount", "-n", self.path("/proc")], check=True)

    def boot(self):
        self.group = f"{GROUP}-{time.monotonic_ns()}"
        self.console = open("/run/sandbox/console", "w+b")
        self.systemd = subprocess.Popen([f"{HERE}/boot", self.root, self.group], stdin=subprocess.DEVNULL,
                                        stdout=self.console, stderr=self.console)
        end = time.monotonic() + GUARD
        while self.run("systemctl", "is-active", "basic.target", check=False).stdout != "active\n":
            assert self.systemd.poll() is None and time.monotonic() < end, self.console_text()
            time.sleep(0.1)
            pid = self.process_1()
            if pid:
                self.prefix = ["nsenter", f"--target={pid}", "--mount", "--pid", "--uts", "--ipc", "--cgroup",
                               "--root", "--wdns=/"]
        self.settle()

    def console_text(self):
        self.console.seek(0)
        return self.console.read().decode(errors="replace")

    def process_1(self):
        """Returns the process ID of systemd outside, or "" if it does not run."""
        done = subprocess.run(["pgrep", "-P", str(self.systemd.pid), "-x", "systemd"], capture_output=True, text=True)
        return done.stdout.strip()

    def log(self):
        return self.run("journalctl", "--sync", check=False).stdout + self.run(
            "journalctl", "--no-pager", "-o", "short").stdout

    def close(self):
        super().close()
        self.systemd.kill()
        self.systemd.wait()


def gone(machine):
    machine.close()
    subprocess.run(["umount", "-n", "-R", "-l", f"{LAYERS}/root"], check=True)
    subprocess.run(["umount", "-n", "-l", LAYERS], check=True)


@pytest.fixture
def debian():
    machine = Root()
    machine.enter_by_chroot()
    try:
        yield machine
    finally:
        gone(machine)


@pytest.fixture
def booted():
    machine = Booted()
    try:
        machine.prepare()
        machine.boot()
        yield machine
    finally:
        gone(machine)
