/*
 * One sign-in as a table of steps. Each step does its part and returns the next step. login_run()
 * runs one after the other; no step calls another.
 *
 * MUST:
 *  - If the host asks first, nothing is sent or counted before a person has answered.
 *  - A send is counted before it is made, and a try before the code is compared.
 *  - A user who does not exist or has no contact sees the same prompts as other users, and waits as
 *    long. No code that is sent lets such a user in.
 *  - A user who does not exist is never let in, and never skipped.
 *  - `unavail` and `skip` never follow a prompt for a code. `unavail` is for remote sign-ins only.
 *  - Only login_accept() sets LOGIN_OK, after the store has recorded on disk the use of this
 *    sign-in's code, or of the code of a concurrent sign-in that is remembered.
 *
 * The graph of the steps. "sends" lists the messages that a step may send: P asks the user, I shows
 * a line. The caller of login_run() sends the result, R. "leads to" lists the steps that may
 *follow. The table in the code holds the same. If a step does not keep to it, login_run() ends the
 *sign-in as broken. A unit test compares this comment with the table.
 *
 *	step		sends	leads to
 *	IDENTIFY	-	RULES, END
 *	RULES		-	REMEMBERED, END
 *	REMEMBERED	-	OPEN, END
 *	OPEN		-	CONTACT, END
 *	CONTACT		-	BUDGET, END
 *	BUDGET		-	LOCKED, END
 *	LOCKED		P, I	JOIN, CODE, END
 *	JOIN		-	ASK_FIRST, MENU, SEND, CODE, TRY_CODE, END
 *	ASK_FIRST	P	ASK_FIRST, JOIN, TRY_RECOVERY, END
 *	MENU		P	MENU, JOIN, RESEND, CODE, TRY_CODE, TRY_RECOVERY, END
 *	SEND		P, I	CODE, END
 *	CODE		P	CODE, MENU, JOIN, RESEND, TRY_CODE, TRY_RECOVERY, END
 *	RESEND		-	SEND, CODE
 *	TRY_CODE	P, I	CODE, END
 *	TRY_RECOVERY	P, I	CODE, END
 *	END		R	-
 */
#include "helpers/login/internal.h"

enum step
login_open_delivery(struct login *l)
{
	int r = l->io->delivery ? 0 : l->io->opener->open(l->io->opener, &l->ports.delivery);

	/* The opener has logged the cause. */
	return r ? login_end(l, LOGIN_BROKEN, "the delivery of codes cannot be opened")
		 : STEP_CONTACT;
}

#define TO(step) (1U << STEP_##step)
#define ROW(step, function, messages, steps) \
	[STEP_##step] = {.name = #step, .run = (function), .sends = (messages), .next = (steps)}

const struct login_step login_steps[] = {
    ROW(IDENTIFY, login_identify, 0, TO(RULES) | TO(END)),
    ROW(RULES, login_consult_rules, 0, TO(REMEMBERED) | TO(END)),
    ROW(REMEMBERED, login_remembered, 0, TO(OPEN) | TO(END)),
    ROW(OPEN, login_open_delivery, 0, TO(CONTACT) | TO(END)),
    ROW(CONTACT, login_find_destinations, 0, TO(BUDGET) | TO(END)),
    ROW(BUDGET, login_set_budget, 0, TO(LOCKED) | TO(END)),
    ROW(LOCKED, login_check_locked, SENDS_P | SENDS_I, TO(JOIN) | TO(CODE) | TO(END)),
    ROW(JOIN, login_join, 0,
	TO(ASK_FIRST) | TO(MENU) | TO(SEND) | TO(CODE) | TO(TRY_CODE) | TO(END)),
    ROW(ASK_FIRST, login_ask_first, SENDS_P, TO(ASK_FIRST) | TO(JOIN) | TO(TRY_RECOVERY) | TO(END)),
    ROW(MENU, login_menu, SENDS_P,
	TO(MENU) | TO(JOIN) | TO(RESEND) | TO(CODE) | TO(TRY_CODE) | TO(TRY_RECOVERY) | TO(END)),
    ROW(SEND, login_send_code, SENDS_P | SENDS_I, TO(CODE) | TO(END)),
    ROW(CODE, login_ask_code, SENDS_P,
	TO(CODE) | TO(MENU) | TO(JOIN) | TO(RESEND) | TO(TRY_CODE) | TO(TRY_RECOVERY) | TO(END)),
    ROW(RESEND, login_resend, 0, TO(SEND) | TO(CODE)),
    ROW(TRY_CODE, login_try_code, SENDS_P | SENDS_I, TO(CODE) | TO(END)),
    ROW(TRY_RECOVERY, login_try_recovery, SENDS_P | SENDS_I, TO(CODE) | TO(END)),
    ROW(END, NULL, SENDS_R, 0),
};

/* Runs a step, and ends the sign-in as broken if the step does not keep to its row of the table. */
static enum step
take_step(struct login *l, enum step at)
{
	const struct login_step *s = &login_steps[at];
	enum step next;

	l->sends = s->sends;
	next = s->run(l);
	if (l->strayed || next > STEP_END || !(s->next & 1U << next))
		return login_end(l, LOGIN_BROKEN,
		    "internal error: the step %s broke the table of steps", s->name);
	return next;
}

void
login_run(const struct login_ports *ports, const struct login_start *start, struct deadline dl,
    struct login_result *out)
{
	struct login l = {
	    .io = &l.ports,
	    .ports = *ports,
	    .start = start,
	    .options = conf_signin_for(ports->conf, start->service),
	    .deadline = dl,
	    .result = out,
	};
	enum step step = STEP_IDENTIFY;

	*out = (struct login_result){.word = LOGIN_BROKEN};
	l.began = login_now(&l);
	while (step != STEP_END) {
		if (deadline_passed(dl))
			step = login_end(&l, l.code_prompted ? LOGIN_DENIED : LOGIN_BROKEN,
			    "the sign-in timed out (login_timeout)");
		else
			step = take_step(&l, step);
	}
	account_clear(&l.account);
	challenge_clear(&l.challenge);
	secret_clear(&l.captures);
	typed_clear(&l.typed);
	otp_wipe(l);
}
