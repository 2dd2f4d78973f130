/*
 * Checks a recovery code that the user typed. This needs no network and no contact, and no provider
 * ever receives the code. Wrong codes lock nobody out, because others could type them on purpose:
 * a code has 80 random bits, so a limit of tries adds nothing.
 */
#include "helpers/login/internal.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "common/err.h"
#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

_Static_assert(RECOVERY_SYMBOLS * 5 >= 80, "shorter codes need a limit of tries");

/* A user without recovery codes gets a made-up salt, so that the comparison takes as long. */
static int
made_up_salt(struct login *l, unsigned char salt[RECOVERY_SALT_LEN])
{
	uint64_t n = 0;
	int r = keyed_number(l->io->host_key, "decoy salt", l->name, &n);

	for (int i = 0; i < RECOVERY_SALT_LEN; i++)
		salt[i] = (unsigned char)(n >> 8 * (i % 8));
	return r;
}

/*
 * Waits for a place, so that whoever tries many codes cannot use up the processors. If this machine
 * has no locks, goes on without a place. The owner at a known source has a place that no unknown
 * source can take. 0, -OTP_ETIME (the sign-in has no time left), -OTP_EGONE, -OTP_ENOMEM or
 * -OTP_ECRYPTO.
 */
static int
wait_for_place(struct login *l, const struct budget *b)
{
	struct store *s = l->io->store;
	char who[sizeof(b->kind) + sizeof(b->owner) + 16];
	uint64_t number = 0;
	int r;

	(void)snprintf(who, sizeof(who), "%s %s %s", b->kind, b->owner, l->known ? "known" : "");
	r = keyed_number(l->io->host_key, "hash", who, &number);
	while (!r && s->ops->hash_place_take(s, number, l->known) == -OTP_EBUSY)
		r = deadline_passed(l->deadline) ? -OTP_ETIME
						 : l->io->peer->wait(l->io->peer, HASH_WAIT_MS);
	return r;
}

/* Makes the slow hash. 0, or the errors of wait_for_place() and recovery_hash(). */
static int
hash_in_turn(struct login *l, const struct budget *b, const struct secret *code,
    unsigned char hash[RECOVERY_HASH_LEN])
{
	int r = wait_for_place(l, b);

	if (!r && !l->recovery.id[0])
		r = made_up_salt(l, l->recovery.salt);
	if (!r)
		r = recovery_hash(code, l->recovery.salt, hash);
	l->io->store->ops->hash_place_release(l->io->store);
	return r;
}

/*
 * Refuses a wrong code. After some wrong ones in a row it does so late, so that whoever guesses
 * costs this machine little. A right code is never late.
 */
static enum step
refuse_late(struct login *l, int64_t in_a_row)
{
	int64_t ms = login_recovery_delay(in_a_row), left = deadline_left(l->deadline);
	int r = ms ? l->io->peer->wait(l->io->peer, ms < left ? ms : left) : 0;

	if (r) {
		l->result->wrong = l->wrong + 1;
		return login_end_by_error(l, r, "recovery code");
	}
	return login_refuse(l, NOTE_WRONG_RECOVERY, "wrong recovery code");
}

static enum step
judge(struct login *l, int r, const struct trial_result *tried)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (r) {
	case 0:
		prompt_recovery_left(text, tried->left);
		login_show_line(l, text);
		return login_accept(l, PROOF_RECOVERY);
	case -OTP_EWRONG:
	case -OTP_ENOENT:
		return refuse_late(l, tried->in_a_row);
	case -OTP_EUSED:
		l->note = NOTE_USED_RECOVERY;
		return STEP_CODE;
	case -OTP_ETIME: /* login_run() says so, and ends */
		return STEP_CODE;
	default:
		return login_end_by_error(l, r, "recovery code");
	}
}

enum step
login_try_recovery(struct login *l)
{
	_auto_secret struct secret code = login_take_typed(l);
	struct budget budget = login_recovery_budget(l);
	unsigned char hash[RECOVERY_HASH_LEN];
	const struct trial trial = {
	    .id = l->recovery.id,
	    .user = l->account.exists ? l->name : "",
	    .proof = hash,
	    .budget = &budget,
	    .rule = login_recovery_rule(l),
	    .effects = login_success_effects(l),
	};
	struct trial_result tried = {0};
	struct instant t;
	int r;

	if (!code.len)
		return login_refuse(l, NOTE_MALFORMED_RECOVERY, "malformed recovery code");
	r = hash_in_turn(l, &budget, &code, hash);
	t = login_now(l);
	if (!r)
		r = l->io->store->ops->recovery_use(l->io->store, &t, &trial, &tried);
	OPENSSL_cleanse(hash, sizeof(hash));
	return judge(l, r, &tried);
}
