#include "helpers/base/hosts.h"

#include <string.h>

/* A host for users of this machine. It reports neither a client nor a key. */
#define LOCAL(name, ...)                                                             \
	{                                                                            \
		.service = (name), .no_client = true, .no_key = true, ##__VA_ARGS__, \
	}
/* A login from the console, the desktop or the network, but not through ssh. */
#define KEYLESS(name, ...)                                        \
	{                                                         \
		.service = (name), .no_key = true, ##__VA_ARGS__, \
	}
/* A network service whose prompts a program answers. */
#define NOBODY(name)                                                           \
	{                                                                      \
		.service = (name), .no_key = true, .person = HOST_PERSON_NONE, \
	}

const struct host hosts[] = {
    LOCAL("sudo", .calls_itself = true, .person = HOST_PERSON_THERE),
    LOCAL("sudo-i", .family = "sudo", .calls_itself = true, .person = HOST_PERSON_THERE),
    LOCAL("su", .person = HOST_PERSON_THERE),
    LOCAL("su-l", .family = "su", .person = HOST_PERSON_THERE),
    LOCAL("runuser"),
    LOCAL("runuser-l"),
    LOCAL("doas"),
    LOCAL("polkit-1"),
    LOCAL("cron"),
    LOCAL("atd"),
    LOCAL("chfn"),
    LOCAL("chsh"),
    LOCAL("passwd"),
    LOCAL("vlock"),
    LOCAL("xscreensaver"),
    LOCAL("i3lock"),
    LOCAL("swaylock"),
    LOCAL("kde"),

    {.service = "sshd", .no_caller = true},

    KEYLESS("login", .no_caller = true, .person = HOST_PERSON_THERE),
    KEYLESS("remote", .no_caller = true),
    KEYLESS("cockpit", .no_caller = true),
    KEYLESS("systemd-user"),
    KEYLESS("gdm-password", .no_caller = true),
    KEYLESS("gdm-fingerprint", .no_caller = true),
    KEYLESS("gdm-smartcard", .no_caller = true),
    KEYLESS("gdm-autologin"),
    KEYLESS("gdm-launch-environment"),
    KEYLESS("lightdm", .no_caller = true),
    KEYLESS("lightdm-greeter"),
    KEYLESS("lightdm-autologin"),
    KEYLESS("sddm", .no_caller = true),
    KEYLESS("sddm-greeter"),
    KEYLESS("sddm-autologin"),

    NOBODY("dovecot"),
    NOBODY("imap"),
    NOBODY("pop"),
    NOBODY("pop3"),
    NOBODY("smtp"),
    NOBODY("esmtp"),
    NOBODY("sieve"),
    NOBODY("lmtp"),
    NOBODY("vsftpd"),
    NOBODY("proftpd"),
    NOBODY("pure-ftpd"),
    NOBODY("ftp"),
    NOBODY("cups"),
    NOBODY("samba"),
    NOBODY("postgresql"),
    NOBODY("mysql"),
    NOBODY("mariadb"),
    NOBODY("openvpn"),
    NOBODY("squid"),
};
const size_t hosts_n = sizeof(hosts) / sizeof(hosts[0]);

const struct host *
host_of(const char *service)
{
	static const struct host unknown = {.service = NULL};

	for (size_t i = 0; i < hosts_n; i++)
		if (!strcmp(hosts[i].service, service))
			return &hosts[i];
	return &unknown;
}

const char *
host_family(const char *service)
{
	const char *family = host_of(service)->family;

	return family ? family : service;
}
