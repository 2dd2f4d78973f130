"""Credentials and tokens: made for one run, and nobody could take them for real ones."""

import base64
import json
import os
import secrets
import time

NO_SIGNATURE = b"simulated: not a signature"


def secret_file(folder, name, given=None):
    """The path of a file that holds a credential: the given one, else folder/name, made if new."""
    path = os.path.abspath(given or f"{folder}/{name}")
    if not given and not os.path.exists(path):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"test-{name}-not-a-secret-{secrets.token_hex(16)}\n")
    return path


def read_secret(path):
    """What such a file holds; ValueError if nothing."""
    with open(path, encoding="ascii") as source:
        secret = source.read().strip()
    if not secret:
        raise ValueError(f"{path} holds nothing")
    return secret


def _part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def fake_jwt(lifetime, **claims):
    """What looks like a JSON web token, is never the same, and is signed by nobody."""
    now = int(time.time())
    claims |= {"iat": now, "exp": now + int(lifetime), "jti": secrets.token_hex(8),
               "simulated": True}
    head = {"typ": "JWT", "alg": "HS256"}
    return ".".join([_part(json.dumps(one).encode()) for one in (head, claims)]
                    + [_part(NO_SIGNATURE)])
