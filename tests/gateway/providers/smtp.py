"""A mail server: SMTP with and without TLS, a login, and the faults of sim/mail_kinds.py.

It has listeners of its own, whose URLs are in ready.json; sim/mail.py has their names.
"""

from providers import Provider
from sim.switches import Switch
from sim.tokens import read_secret, secret_file

MECHANISMS = ("LOGIN PLAIN", "PLAIN", "LOGIN", "CRAM-MD5", "")


class Smtp(Provider):
    name = "smtp"
    switches = {
        "auth": Switch("offered", ("none", "offered", "required"), "whether one may or must log in"),
        "mechanisms": Switch("LOGIN PLAIN", MECHANISMS, "the mechanisms that are offered"),
    }
    login = "otp@mail.example"

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.password_file = secret_file(folder, "smtp_password")
        self.password = read_secret(self.password_file)
        self.post = None

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--smtp-port", type=int, default=0,
                            help="port of the mail server without TLS (default: any)")

    def open(self, server, bind, listeners):
        from sim.mail import Post       # nobody else needs aiosmtpd
        self.post = Post(server, self)
        self.post.open(bind, self.options.smtp_port, listeners)

    def ready(self):
        return {"urls": self.post.urls, "login": self.login, "password_file": self.password_file}


PROVIDER = Smtp
