#!/usr/bin/python3
"""The inner part of ./demo: it sets pam_otp up, and signs in with it twice.

Without a folder as argument it runs as root in a sandbox. With one, it runs as any user, and pam_otp is installed in
that folder.
"""
import argparse
import contextlib
import getpass
import os
import shutil
import subprocess
import sys
import time

import pexpect

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../gateway")
import phone  # noqa: E402
from gateway import Gateway  # noqa: E402
from private_sshd import Sshd  # noqa: E402

SERVICE, NUMBER, MAILBOX = "pam_otp-demo", "+9779800000019", "alice@mail.example"
STACK = """auth     requisite  {module}
auth     required   pam_permit.so
account  required   pam_permit.so
"""
CONF = """[otp]
channels = {channel}

[channel {channel}]
providers = {provider}
{message}
[provider {provider}]
"""
HTTPS = "base = {url}\nca = {ca}\n"
MESSAGE = "message = Your code for ${host} is ${code}. It ends in ${ttl_min} minutes.\n"
# The settings of each provider, and its secrets. Crego, Bridgekeeper and KGeN make and check the code.
PROVIDERS = {
    "tingting": (HTTPS + "token = file:{secrets}/token\ncompany_name = Example\n", ["token"]),
    "crego": (HTTPS, []),
    "bridgekeeper": (HTTPS, []),
    "kgen": (HTTPS + "client_id = file:{secrets}/client_id\nclient_secret = file:{secrets}/client_secret\n",
             ["client_id", "client_secret"]),
    "smtp": ("server = {mail}\n", []),
}
PATHS = """
[paths]
contacts = {place}/contacts.db
state = {place}/state
host_key = {place}/secrets/host.key
profiles = {place}/share/pam_otp/providers
"""
PROMPT = "#" if os.geteuid() == 0 else "$"
ENTER, CODE = "Press Enter", "Verification code"


class Installed:
    """An installation in the sandbox, as root: its paths, and who signs in."""

    def __init__(self):
        self.etc, self.pam, self.user, self.group = "/etc/pam_otp", "/etc/pam.d", "alice", "pam_otp"
        self.more, self.otpctl, self.module = "", ["otpctl"], "pam_otp.so"
        self.host = self.strangers_host = ["pamtester", SERVICE, self.user, "authenticate"]


class Unprivileged(Installed):
    """An installation in one folder. The caller signs in."""

    def __init__(self, place):
        self.etc, self.pam, self.user, self.group = place, f"{place}/pam.d", getpass.getuser(), None
        config = f"{place}/pam_otp.conf"
        self.more, self.otpctl = PATHS.format(place=place), ["otpctl", "--config", config]
        self.module = (f"{place}/lib/security/pam_otp.so config={config} "
                       f"helper={place}/libexec/pam_otp/otp-helper")
        self.host = self.strangers_host = ["pamdrive", "--terminal", f"--confdir={self.pam}", SERVICE, self.user]
        for folder in (self.pam, f"{place}/secrets", f"{place}/state"):
            os.makedirs(folder, mode=0o700, exist_ok=True)


def say(text=""):
    print(text, flush=True)


def run(*command):
    """Runs a command, and shows it as it would be typed."""
    say(f"  {PROMPT} " + " ".join(command))
    done = subprocess.run(command, capture_output=True, text=True)
    for line in (done.stdout + done.stderr).splitlines():
        say("  " + line)
    if done.returncode:
        sys.exit(f"demo: {command[0]} failed ({done.returncode})")


def write(path, text, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(text)
    os.chmod(path, mode)


def put_secret(gateway, place, provider, name):
    path = f"{place.etc}/secrets/{name}"
    write(path, gateway.secret(name, provider) + "\n", 0o640 if place.group else 0o600)
    if place.group:
        shutil.chown(path, "root", place.group)


def configure(gateway, place, provider):
    settings, secrets = PROVIDERS[provider]
    conf = CONF.format(channel="email" if provider == "smtp" else "sms", provider=provider,
                       message=MESSAGE if provider == "tingting" else "")
    conf += settings.format(url=gateway.url, ca=gateway.ca_file, mail=gateway.mail_urls["plain"],
                            secrets=f"{place.etc}/secrets")
    os.makedirs(place.etc, exist_ok=True)
    write(f"{place.etc}/pam_otp.conf", conf + place.more)
    run(*place.otpctl, "init")
    for name in secrets:
        put_secret(gateway, place, provider, name)
    write(f"{place.pam}/{SERVICE}", STACK.format(module=place.module))
    run(*place.otpctl, "config", "check")
    run(*place.otpctl, "contact", "add", place.user,
        f"--email={MAILBOX}" if provider == "smtp" else f"--phone={NUMBER}")


@contextlib.contextmanager
def sshd(place):
    """A private sshd with the shipped stack: a public key, then a code. ssh becomes the host."""
    service = "sshd-demo"
    with open(f"{HERE}/../../etc/pam.d/sshd") as ours:
        write(f"{place.pam}/{service}", ours.read() + "account required pam_unix.so\nsession required pam_unix.so\n")
    with Sshd(service, AuthenticationMethods="publickey,keyboard-interactive") as server:
        place.strangers_host, place.host = (
            server.ssh(place.user, key=place.user, command="whoami", options=[f"BindAddress={address}"])
            for address in ("127.0.0.3", "127.0.0.2"))  # with two addresses, each gets its own code
        yield


class SignIn:
    """One sign-in. It shows the host's output, and the phone above each prompt for a code."""

    def __init__(self, gateway, command):
        self.gateway, self.seen = gateway, len(gateway.outbox())
        say("  $ " + " ".join(command))
        self.child = pexpect.spawn(command[0], command[1:], timeout=60, encoding="utf-8",
                                   codec_errors="replace")

    def phone(self):
        """Returns the new messages. The provider has received them before the host asks for the code."""
        found = self.gateway.outbox()
        new, self.seen = found[self.seen:], len(found)
        return "".join(phone.render(m, sys.stdout.isatty()) + "\n" for m in new)

    def show(self, text):
        sys.stdout.write(text.replace("\r\n", "\n"))
        sys.stdout.flush()

    def ended(self):
        self.child.close()
        return self.child.exitstatus == 0

    def play(self, code):
        """Types what code() returns, instead of a person. Returns whether the sign-in succeeded."""
        while self.child.expect([f"{ENTER}[^\n]*: ", f"{CODE}[^\n]*: ", pexpect.EOF]) < 2:
            asked = CODE in self.child.after
            if asked:
                self.show(self.phone())
            self.show(self.child.before + self.child.after)
            time.sleep(0.05)  # the host drops what is typed before it asks
            self.child.sendline(code() if asked else "")
            self.child.expect("\r\n")
            self.show(self.child.before + self.child.after)
        self.show(self.child.before)
        return self.ended()

    def hand_over(self):
        """Lets the person at the terminal type."""
        self.child.interact(escape_character=None, output_filter=lambda data:
                            self.phone().replace("\n", "\r\n").encode() + data)
        return self.ended()


def wrong(gateway):
    code = gateway.last_code()
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def sign_in_twice(gateway, place):
    """Returns 0 only if the wrong codes were refused and the right one was accepted."""
    say(f"\nSomebody without {place.user}'s phone guesses the code:\n")
    if SignIn(gateway, place.strangers_host).play(lambda: wrong(gateway)):
        say("\ndemo: error: a wrong code was accepted")
        return 1
    person = sys.stdin.isatty() and sys.stdout.isatty()
    if person:
        say(f"\nNow you are {place.user}. Type the code that appears on the phone:\n")
        let_in = SignIn(gateway, place.host).hand_over()
    else:
        say(f"\n{place.user} reads the phone:\n")
        let_in = SignIn(gateway, place.host).play(gateway.last_code)
    say()
    if not let_in:
        say("You did not get in." if person else "demo: error: the right code was refused")
        return 1
    say("The wrong codes were refused, and the right one was accepted. Nothing of this remains on the machine.")
    return 0


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--provider", choices=PROVIDERS, default="tingting")
    parser.add_argument("--ssh", action="store_true")
    parser.add_argument("place", nargs="?")
    return parser.parse_args()


def main():
    chosen = options()
    if chosen.place:
        place, folder = Unprivileged(chosen.place), f"{chosen.place}/gateway"
    else:
        say("Building pam_otp and installing it in a private copy of this machine …")
        subprocess.run([f"{HERE}/setup"], check=True)
        place, folder = Installed(), None
    with Gateway(folder) as gateway, contextlib.ExitStack() as more:
        say("\nThe administrator sets it up:\n")
        configure(gateway, place, chosen.provider)
        if chosen.ssh:
            more.enter_context(sshd(place))
        return sign_in_twice(gateway, place)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError:
        sys.exit(1)
