/*
 * pam_stage.so stands before and after pam_otp.so in the stack of a test. Its arguments:
 *
 *	authtok=TEXT	sets PAM_AUTHTOK and returns PAM_IGNORE
 *	return=N	returns the PAM code N
 */
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int rc = PAM_IGNORE;

	(void)flags;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "authtok=", 8)) {
			if (pam_set_item(pamh, PAM_AUTHTOK, argv[i] + 8) != PAM_SUCCESS)
				rc = PAM_ABORT;
		} else if (!strncmp(argv[i], "return=", 7)) {
			rc = atoi(argv[i] + 7);
		} else {
			rc = PAM_ABORT;
		}
	}
	return rc;
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}

int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return pam_sm_authenticate(pamh, flags, argc, argv);
}
