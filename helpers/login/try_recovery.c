/*
 * Checks a recovery code that the user typed. This needs no network and no contact, and no provider
 * ever receives the code.
 */
#include "helpers/login/internal.h"

#include <openssl/crypto.h>

#include "common/err.h"
#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

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
		return login_refuse(l, NOTE_WRONG_RECOVERY, "wrong recovery code");
	case -OTP_EUSED:
		l->note = NOTE_USED_RECOVERY;
		return STEP_CODE;
	case -OTP_ELIMIT:
		l->has_recovery = false;
		login_wait_until(l, tried->until_wall_ms);
		return login_stay_or_end(
		    l, NOTE_LOCKED_RECOVERY, LOGIN_LOCKED, "too many wrong recovery codes");
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
	struct instant t = login_now(l);
	int r;

	if (!code.len)
		return login_refuse(l, NOTE_MALFORMED_RECOVERY, "malformed recovery code");
	/* The hash is slow by design, so a locked budget is looked up before. */
	r = l->io->store->ops->locked(l->io->store, &t, &trial, &tried);
	if (r)
		return judge(l, r, &tried);
	if (!l->recovery.id[0])
		r = made_up_salt(l, l->recovery.salt);
	if (!r)
		r = recovery_hash(&code, l->recovery.salt, hash);
	if (!r)
		r = l->io->store->ops->recovery_use(l->io->store, &t, &trial, &tried);
	OPENSSL_cleanse(hash, sizeof(hash));
	return judge(l, r, &tried);
}
