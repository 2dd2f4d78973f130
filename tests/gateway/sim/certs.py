"""A certificate authority for tests, and server certificates right or wrong in one way each.

Everything is made afresh in the folder of the gateway: `ca.pem`, the same authority as a hashed
folder `ca/` (what OpenSSL calls a CApath), `self_signed.pem` (trusted by nobody unless a test says
so), and one file with key and certificate a listener in `certs/`.
"""

import datetime
import ipaddress
import os
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
RIGHT_NAMES = ("localhost", "127.0.0.1", "::1")

# Each certificate: what differs from a right one. first/last are days from now.
CERTS = {
    "right": {},
    "wrong_name": {"names": ("wrong.example",)},
    "expired": {"first": -30, "last": -1},
    "future": {"first": 1, "last": 30},
    "self_signed": {"issuer": "self"},
    "other_ca": {"issuer": "other"},
    "cn_only": {"names": (), "cn": "localhost"},
}


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alt_names(names):
    found = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _sign(subject, public, issuer, key, first=-1, last=30, authority=False, names=()):
    now = datetime.datetime.utcnow().replace(microsecond=0)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + first * DAY).not_valid_after(now + last * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
                           critical=False))
    if not authority:
        made = made.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if names:
        made = made.add_extension(_alt_names(names), critical=False)
    return made.sign(key, hashes.SHA256())


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path, data, mode):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
        out.write(data)
    os.chmod(path, mode)


class Authority:
    """A self-signed certificate authority whose key is never written anywhere."""

    def __init__(self, title):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(title)
        self.cert = _sign(self.name, self.key.public_key(), self.name, self.key, authority=True)


def make(folder, extra_names=()):
    """Makes all certificates in folder. extra_names are added to the right one."""
    ours, other = Authority("Test CA of the simulated provider"), Authority("Unknown test CA")
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.NoEncryption())
    os.makedirs(f"{folder}/certs", mode=0o700, exist_ok=True)
    os.makedirs(f"{folder}/ca", mode=0o755, exist_ok=True)
    os.chmod(f"{folder}/ca", 0o755)
    _write(f"{folder}/ca.pem", _pem(ours.cert), 0o644)
    _write(f"{folder}/ca/test-ca.pem", _pem(ours.cert), 0o644)
    subprocess.run(["openssl", "rehash", f"{folder}/ca"], check=True, capture_output=True)
    for title, how in CERTS.items():
        names = how.get("names", RIGHT_NAMES + tuple(extra_names))
        subject = _name(how.get("cn", f"simulated provider ({title})"))
        issuer = {"self": (subject, key), "other": (other.name, other.key)}.get(
            how.get("issuer"), (ours.name, ours.key))
        made = _sign(subject, key.public_key(), *issuer, names=names,
                     first=how.get("first", -1), last=how.get("last", 30))
        _write(f"{folder}/certs/{title}.pem", secret + _pem(made), 0o600)
        if title == "self_signed":
            _write(f"{folder}/self_signed.pem", _pem(made), 0o644)


def context(folder, certificate, versions):
    """A server's TLS context for one certificate. versions: lowest and highest TLS version."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if versions[1] < ssl.TLSVersion.TLSv1_2:
        made.set_ciphers("ALL:@SECLEVEL=0")   # OpenSSL 3 speaks the old versions only at level 0
    made.minimum_version, made.maximum_version = versions
    made.set_alpn_protocols(["http/1.1"])
    made.load_cert_chain(f"{folder}/certs/{certificate}.pem")
    made.sni_callback = _note_sni
    return made


def _note_sni(sock, name, _context):
    sock.asked_name = name
