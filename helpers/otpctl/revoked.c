#include "helpers/otpctl/revoked.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/otpctl/store.h"

static int
forget(const struct otpctl *ctl, const char *state, const struct strlist *users)
{
	struct store *s = NULL;
	int removed, r = otpctl_store_open(ctl, state, &s);

	for (size_t i = 0; !r && i < users->n; i++)
		if (s->ops->remembered_drop(s, users->item[i], &removed))
			r = OTPCTL_FAILED;
	if (s)
		s->ops->close(s);
	return r;
}

int
otpctl_forget_remembered(const struct otpctl *ctl, const char *state, const struct strlist *users)
{
	int status = 0;
	pid_t child, done;

	if (!users->n)
		return OTPCTL_OK;
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(forget(ctl, state, users));
	while (child > 0 && (done = waitpid(child, &status, 0)) < 0 && errno == EINTR)
		;
	if (child > 0 && done == child && WIFEXITED(status) && WEXITSTATUS(status) == OTPCTL_OK)
		return OTPCTL_OK;
	return otpctl_fail("the contacts were changed, but remembered sign-ins could not be "
			   "forgotten; run: otpctl remember revoke %s",
	    users->n == 1 ? users->item[0] : "--all");
}
