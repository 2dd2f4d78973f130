"""A real sshd inside a sandbox, with its own keys, configuration and client configuration."""
import os
import shutil
import subprocess
import time

GUARD = 10.0
SSH, IN = "/run/sandbox/ssh", "you are in"
CLIENT = """IdentitiesOnly yes
LogLevel ERROR
NumberOfPasswordPrompts 1
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
"""


def ssh_keys():
    """Makes a host key, and a key for each user that sshd accepts."""
    if os.path.exists(SSH):
        return
    os.makedirs(f"{SSH}/keys", mode=0o755)
    for name in ("host", "alice", "bob", "carol", "root", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{SSH}/{name}"], check=True)
        if name not in ("host", "stranger"):
            shutil.copy(f"{SSH}/{name}.pub", f"{SSH}/keys/{name}")


class Sshd:
    """A private sshd. The name of its program is its PAM service."""
    ports = iter(range(2200, 3000))

    def __init__(self, service, **options):
        ssh_keys()
        self.service, self.port = service, next(self.ports)
        self.program, self.conf = f"/usr/local/sbin/{service}", f"{SSH}/{service}-{self.port}"
        if not os.path.lexists(self.program):
            os.symlink("/usr/sbin/sshd", self.program)
        self.options = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": f"{SSH}/host", "PidFile": "none",
            "AuthorizedKeysFile": f"{SSH}/keys/%u", "UsePAM": "yes", "KbdInteractiveAuthentication": "yes",
            "PasswordAuthentication": "no", "AuthenticationMethods": "keyboard-interactive",
            "PrintLastLog": "no", "PrintMotd": "no", "LogLevel": "VERBOSE"} | options
        self.log = f"{self.conf}.log"

    def __enter__(self):
        with open(self.conf, "w") as f:
            f.writelines(f"{k} {v}\n" for k, v in self.options.items())
        with open(f"{self.conf}.client", "w") as f:
            f.write(f"Port {self.port}\n{CLIENT}")
        self.process = subprocess.Popen([self.program, "-D", "-f", self.conf, "-E", self.log],
                                        stdin=subprocess.DEVNULL)
        end = time.monotonic() + GUARD
        while "Server listening" not in self.log_text():
            assert self.process.poll() is None and time.monotonic() < end, self.log_text()
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        subprocess.run(["pkill", "-KILL", "-P", str(self.process.pid)], check=False)
        self.process.kill()
        self.process.wait()

    def log_text(self):
        try:
            with open(self.log) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def ssh(self, user="alice", key=None, command=f"echo {IN}", options=()):
        """Returns the command line of a client. key: the user whose key it offers."""
        more = [x for o in options for x in ("-o", o)]
        keys = ["-i", f"{SSH}/{key}"] if key else ["-o", "PubkeyAuthentication=no"]
        return ["ssh", "-F", f"{self.conf}.client", *more, *keys, f"{user}@127.0.0.1", command]

    def children(self):
        """Returns the process IDs of its connections."""
        done = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return done.stdout.split()

    def idle(self, within=5.0):
        """Returns whether all connections end within this time."""
        end = time.monotonic() + within
        while self.children():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True
