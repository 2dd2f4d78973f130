/* The module's arguments, as they stand on its line in /etc/pam.d. */
#ifndef OTP_PAM_OPTIONS_H
#define OTP_PAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { OPTIONS_TIMEOUT_LEAST = 10, OPTIONS_TIMEOUT_MOST = 600, OPTIONS_TIMEOUT = 110 };

/* The strings are borrowed from argv; NULL where the argument was not given. */
struct options {
	const char *socket;
	const char *helper;
	const char *config;
	int timeout_s;
	bool debug;
};

/*
 * Parses and judges every argument for a host whose effective user is euid. 0, or -OTP_ECONF with
 * the argument at fault and what is wrong with it in why (size bytes), uncleaned.
 */
int options_parse(
    struct options *o, int argc, const char **argv, uid_t euid, char *why, size_t size);

#endif
