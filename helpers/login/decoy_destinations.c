/*
 * The destinations of a decoy: those of some real user, with other addresses.
 *
 * MUST:
 *  - The destinations depend only on the name and the host key: each attempt shows the same ones.
 *  - A decoy shows nothing of a real user but the country and the form of an address.
 */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/codes/code.h"

/* Changes what the masked address shows: the last two digits of a number, or the first letter. */
static void
disguise(struct contact *c, uint64_t n)
{
	if (c->kind == CONTACT_PHONE) {
		size_t len = strlen(c->address);

		c->address[len - 1] = (char)('0' + n % 10);
		c->address[len - 2] = (char)('0' + n / 10 % 10);
	} else {
		c->address[0] = (char)('a' + n % 26);
	}
}

/*
 * Disguises each address. One address may be in several destinations, and has to look the same in
 * all of them. The loop runs backwards because `first` has to be still unchanged when it is
 * compared.
 */
static void
disguise_destinations(struct login *l, uint64_t n)
{
	for (int i = l->ndestinations - 1; i >= 0; i--) {
		int first = 0;

		while (strcmp(l->destination[first].contact.address,
			   l->destination[i].contact.address) != 0)
			first++;
		disguise(&l->destination[i].contact, n >> 8 * (first % 8));
	}
}

static int
first_kind(struct login *l, enum contact_kind *kind)
{
	return l->io->delivery->needs(l->io->delivery, l->options->channels.item[0], kind);
}

/* Invents a destination if there is no real user that the decoy could look like. */
static int
invented_destination(struct login *l, uint64_t n)
{
	const struct strlist *allowed = &l->io->conf->limits.prefixes;
	struct destination *to = &l->destination[0];
	int r = first_kind(l, &to->contact.kind);

	if (r)
		return r;
	to->channel = l->options->channels.item[0];
	if (to->contact.kind == CONTACT_EMAIL)
		(void)snprintf(to->contact.address, sizeof(to->contact.address), "a@a.example");
	else
		(void)snprintf(to->contact.address, sizeof(to->contact.address), "%s%s",
		    allowed->n ? allowed->item[0] : "+977", "9800000000");
	disguise(&to->contact, n);
	l->ndestinations = 1;
	return 0;
}

/* If the user whom the decoy looks like has recovery codes, the decoy seems to have some, too. */
static int
borrow_recovery(struct login *l, const char *user)
{
	struct recovery r = {.n = 0};
	int err = l->io->store->ops->recovery_find(l->io->store, user, &r);

	l->has_recovery |= !err && r.n > 0;
	otp_wipe(r);
	return err == -OTP_ENOENT ? 0 : err;
}

int
login_decoy_destinations(struct login *l)
{
	struct contact_list list = {0};
	struct contact like = {.user = ""};
	enum contact_kind kind = CONTACT_PHONE;
	uint64_t n = 0;
	int r = keyed_number(l->io->host_key, "decoy address", l->name, &n);

	l->ndestinations = 0;
	r = r ? r : first_kind(l, &kind);
	r = r ? r : l->io->contacts->ops->any(l->io->contacts, kind, n, &like);
	if (!r)
		r = l->io->contacts->ops->find(l->io->contacts, like.user, &list);
	if (!r)
		r = borrow_recovery(l, like.user);
	if (!r)
		login_take_destinations(l, &list, NULL);
	disguise_destinations(l, n);
	contact_list_free(&list);
	if (r == -OTP_ENOENT || (!r && !l->ndestinations))
		r = invented_destination(l, n);
	return r;
}

int
login_imitate_decoy(struct login *l)
{
	struct login like = {.io = l->io, .options = l->options};
	int r;

	(void)snprintf(like.name, sizeof(like.name), "%s", l->name);
	r = login_decoy_destinations(&like);
	otp_wipe(like);
	return r;
}
