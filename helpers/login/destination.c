/* Destinations: the channels and contacts that a code may be sent to. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

bool
login_may_send_to(const struct login *l, const struct contact *c)
{
	if (l->options->require_verified == REQUIRE_VERIFIED_YES && !c->verified_at)
		return false;
	return c->kind != CONTACT_PHONE || conf_allows_number(l->io->conf, c->address);
}

void
login_take_destinations(struct login *l, const struct contact_list *list, left_out_fn *left_out)
{
	const struct strlist *channels = &l->options->channels;

	for (size_t i = 0; i < channels->n; i++) {
		enum contact_kind kind;

		if (l->io->delivery->needs(l->io->delivery, channels->item[i], &kind))
			continue;
		for (size_t k = 0; k < list->n && l->ndestinations < PROMPT_DESTINATIONS_MAX; k++) {
			const struct contact *c = &list->item[k];

			if (c->kind != kind)
				continue;
			if (login_may_send_to(l, c))
				l->destination[l->ndestinations++] = (struct destination){
				    .channel = channels->item[i], .contact = *c};
			else if (left_out)
				left_out(l, c);
		}
	}
}

/* If the clock was set back, `since` is negative: then the whole time has to pass again. */
int64_t
login_cool_down(struct login *l, const struct destination *to)
{
	int64_t since = login_now(l).wall_ms - to->sent_wall_ms;
	int64_t wait = l->io->conf->limits.resend_wait;

	if (!to->sent_wall_ms || since >= wait)
		return 0;
	return since < 0 ? wait : wait - since;
}

void
login_mask_destinations(struct login *l)
{
	for (int i = 0; i < l->ndestinations; i++)
		contact_masked(l->destination[i].masked, sizeof(l->destination[i].masked),
		    l->destination[i].contact.address);
}

void
login_record_destination(struct login *l, const char *channel, const char *address)
{
	struct login_result *out = l->result;

	contact_masked(out->masked, sizeof(out->masked), address);
	(void)snprintf(out->channel, sizeof(out->channel), "%s", channel);
}
