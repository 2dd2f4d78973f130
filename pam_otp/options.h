/* The arguments of pam_otp.so on its line in /etc/pam.d; pam_otp(8) describes them. */
#ifndef OTP_PAM_OPTIONS_H
#define OTP_PAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Seconds: the limits of timeout=, and its default. */
enum { OPTIONS_TIMEOUT_LEAST = 10, OPTIONS_TIMEOUT_MOST = 600, OPTIONS_TIMEOUT = 110 };

/* The strings are borrowed from argv, and NULL if the argument is not given. */
struct options {
	const char *socket;
	const char *helper;
	const char *config;
	int timeout_s;
	bool debug;
};

/*
 * Parses and checks all arguments, for a host whose effective user ID is euid.
 * 0. -OTP_ECONF: why (size bytes) names the wrong argument and what was expected, uncleaned.
 */
int options_parse(
    struct options *o, int argc, const char **argv, uid_t euid, char *why, size_t size);

#endif
