"""debian/tests, without autopkgtest: the sandbox's copy of this machine is the testbed."""
import glob
import os
import re
import subprocess

from conftest import OUT

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = f"{HERE}/../../debian/tests"


def test_sign_in():
    packages = glob.glob(f"{OUT}/first/libpam-otp_[0-9]*.deb")
    subprocess.run(["dpkg", "--install", "--force-depends", *packages], check=True, capture_output=True)
    with open(f"{TESTS}/control", encoding="ascii") as f:
        names = re.search(r"^Tests: (.*)", f.read(), flags=re.MULTILINE)[1].split()
    assert names == ["sign-in"]
    done = subprocess.run([f"{TESTS}/sign-in"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 5
