/*
 * Those who cannot be let in by a code that is sent: unknown users, and users without a contact.
 * They see what others see, and wait as long; nothing is sent, and no code is right.
 */
#include "helpers/login/internal.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "common/err.h"

enum {
	LATELY_MS = 10 * 60 * 1000, /* for so long an outage that others met is believed in */
	UNKNOWN_LEAST_MS = 150,	    /* where no real one was measured yet */
	UNKNOWN_MORE_MS = 450,
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

/* One of the real ones, at random among those that ended as the newest did. */
static int
draw(const struct sample *s, size_t n, const struct instant *now, int64_t *ms, int *outcome)
{
	int wanted = CLASS_OK;
	size_t fit[SAMPLES_KEPT], nfit = 0;
	uint64_t pick = 0;
	int r;

	/* What happened a while ago says nothing of how it would end today. */
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
