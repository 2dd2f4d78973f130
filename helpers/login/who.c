/* Identifies the user, the service and the source of the sign-in. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

/*
 * Looks up the user who is asked for the code. With identity = caller another user is signed in:
 * that one must exist as well.
 */
static int
look_up(struct login *l, const char *asked)
{
	const struct login_start *s = l->start;
	struct login_machine *m = l->io->machine;
	struct account target = {0};
	int r = m->account(m, asked, &l->account);

	if (r || !strcmp(s->user, asked))
		return r;
	r = m->account(m, s->user, &target);
	if (!r && !target.exists)
		l->account.exists = false;
	account_clear(&target);
	return r;
}

enum step
login_identify(struct login *l)
{
	const struct login_start *s = l->start;
	bool caller = l->options->identity == IDENTITY_CALLER;
	const char *asked = caller ? s->ruser : s->user;
	int r;

	/* Another machine can claim any name for the caller. */
	if (caller && *s->rhost)
		return login_end(l, LOGIN_BROKEN,
		    "identity = caller is for users of this machine, and the host set PAM_RHOST");
	if (caller && !*asked)
		return login_end(l, LOGIN_BROKEN,
		    "identity = caller needs PAM_RUSER, and the host did not set it");
	if (!*asked || !*s->user)
		return login_end(l, LOGIN_BROKEN, "the host gave no user name");
	r = look_up(l, asked);
	if (r)
		return login_end_by_error(l, r, "user lookup");
	(void)snprintf(l->name, sizeof(l->name), "%s", l->account.exists ? l->account.name : asked);
	if (l->account.exists)
		(void)snprintf(l->result->user, sizeof(l->result->user), "%s", l->account.name);
	if (s->peer && (!l->account.exists || l->account.uid != s->peer))
		return login_end(
		    l, LOGIN_DENIED, "uid %u may not sign in this user", (unsigned)s->peer);
	if (strlen(s->service) >= sizeof(l->service) - 5 || strlen(asked) >= sizeof(l->name))
		return login_end(
		    l, LOGIN_DENIED, "the name of the user or of the service is too long");
	(void)snprintf(l->service, sizeof(l->service), "%s%s", s->peer ? "peer:" : "", s->service);
	(void)snprintf(l->result->service, sizeof(l->result->service), "%s", l->service);
	r = source_of(s, &l->source);
	if (r)
		return login_end_by_error(l, r, "source");
	(void)snprintf(l->result->client, sizeof(l->result->client), "%s", l->source.client);
	if (!l->account.exists)
		login_become_decoy(l, "unknown user");
	return STEP_RULES;
}
