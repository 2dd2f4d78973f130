/*
 * Decoys: sign-ins of unknown users, and of users without a contact. They see the same prompts as
 * other users, and wait as long, so that nobody can find out which users exist. Nothing is sent,
 * and no code but a recovery code can be right.
 */
#include "helpers/login/internal.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "common/err.h"

enum {
	LATELY_MS = 10 * 60 * 1000, /* decoys imitate a real outage for this long */
	UNKNOWN_LEAST_MS = 150,	    /* if there is no sample: the shortest wait, */
	UNKNOWN_MORE_MS = 450,	    /* and how much longer it may be */
};

void
login_become_decoy(struct login *l, const char *reason)
{
	l->decoy = true;
	l->decoy_reason = reason;
}

static int
random_below(uint64_t bound, uint64_t *out)
{
	uint64_t n = 0;
	int r = RAND_bytes((unsigned char *)&n, sizeof(n)) == 1 ? 0 : -OTP_ECRYPTO;

	*out = n % bound;
	return r;
}

/*
 * Draws one sample at random, among those that ended as the newest one did. Samples are sorted, the
 * newest first. Sets *ms and *outcome. 0 or -OTP_ECRYPTO.
 */
static int
draw(const struct sample *s, size_t n, const struct instant *now, int64_t *ms, int *outcome)
{
	int wanted = CLASS_OK;
	size_t fit[SAMPLES_KEPT], nfit = 0;
	uint64_t pick = 0;
	int r;

	/* If the newest sample is old, a real send would probably succeed by now. */
	if (n && now->wall_ms - s[0].at_wall_ms < LATELY_MS)
		wanted = s[0].outcome;
	for (size_t i = 0; i < n; i++)
		if (s[i].outcome == wanted)
			fit[nfit++] = i;
	*outcome = wanted;
	r = random_below(nfit ? nfit : UNKNOWN_MORE_MS, &pick);
	*ms = nfit ? s[fit[pick]].took_ms : UNKNOWN_LEAST_MS + (int64_t)pick;
	return r;
}

static void
sample_name(char *dst, size_t size, const char *what, const char *channel)
{
	(void)snprintf(dst, size, "%s %s", what, channel);
}

int
login_decoy_wait(struct login *l, const char *what, const char *channel, int *outcome)
{
	struct sample s[SAMPLES_KEPT];
	struct instant t = login_now(l);
	char name[80];
	int64_t ms = 0;
	size_t n = 0;
	int r;

	*outcome = CLASS_OK;
	sample_name(name, sizeof(name), what, channel);
	r = l->io->store->ops->samples(l->io->store, name, s, &n);
	if (!r)
		r = draw(s, n, &t, &ms, outcome);
	return r ? r : l->io->peer->wait(l->io->peer, ms);
}

void
login_note_sample(struct login *l, const char *what, const char *channel,
    const struct instant *began, int outcome)
{
	struct login_result *out = l->result;
	struct login_sample *s;

	if (out->nsamples == LOGIN_SAMPLES_MAX)
		return;
	s = &out->sample[out->nsamples++];
	sample_name(s->what, sizeof(s->what), what, channel);
	s->took_ms = login_now(l).boot_ms - began->boot_ms;
	s->outcome = outcome;
}
