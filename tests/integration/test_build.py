"""The installed files: the module needs few libraries, and everything is hardened."""
import re
import subprocess

import pytest

from world import HELPER

MODULE = subprocess.run(["sh", "-c", "ls /usr/lib/*/security/pam_otp.so"], capture_output=True,
                        text=True).stdout.strip()


def out(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_module_needs_only_libpam_and_libc():
    """U42: the module loads nothing else into the host."""
    needed = re.findall(r"NEEDED.*\[(.*)\]", out("readelf", "-d", MODULE))
    assert sorted(needed) == ["libc.so.6", "libpam.so.0"]


@pytest.mark.parametrize("path", [MODULE, HELPER, "/usr/sbin/otpctl"])
def test_hardened(path):
    dynamic, headers = out("readelf", "-d", path), out("readelf", "-lW", path)
    assert "BIND_NOW" in dynamic or "NOW" in dynamic
    assert "GNU_RELRO" in headers
    assert not re.search(r"GNU_STACK.*E ", headers)
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    assert re.search(r"Type: +DYN", out("readelf", "-h", path)), "position-independent"


def test_no_installed_file_is_set_user_id():
    assert out("find", MODULE, HELPER, "/usr/sbin/otpctl", "-perm", "/6000") == ""
