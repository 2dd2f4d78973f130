/*
 * One sign-in: a table of steps. Each step does its part and returns the next one; login_run() goes
 * from one to the next, and no step calls another.
 *
 * MUST:
 *  - nothing is sent and nothing counted before a human answered, where the host asks first;
 *  - a send is counted before it is made, a try before it is compared;
 *  - a user who does not exist or has no contact sees and waits for what every other user does,
 *    and is never let in, and an unknown one never skipped;
 *  - `unavail` and `skip` never follow a prompt for a code, and `unavail` is for remote sign-ins;
 *  - LOGIN_OK has one place, login_accept(), behind a consumption that is on disk.
 */
#include "helpers/login/internal.h"

enum step
login_opener(struct login *l)
{
	int r = l->io->delivery ? 0 : l->io->opener->open(l->io->opener, &l->ports.delivery);

	/* What is wrong is in the log. */
	return r ? login_end(l, LOGIN_BROKEN, "what sends codes cannot be used") : STEP_CONTACT;
}

typedef enum step step_fn(struct login *l);
static step_fn *const steps[] = {
    [STEP_IDENTIFY] = login_identify,
    [STEP_RULES] = login_consult_rules,
    [STEP_REMEMBERED] = login_remembered,
    [STEP_OPEN] = login_opener,
    [STEP_CONTACT] = login_find_destinations,
    [STEP_BUDGET] = login_set_budget,
    [STEP_LOCKED] = login_check_locked,
    [STEP_JOIN] = login_join,
    [STEP_ASK_FIRST] = login_ask_first,
    [STEP_MENU] = login_menu,
    [STEP_SEND] = login_send_code,
    [STEP_CODE] = login_ask_code,
    [STEP_RESEND] = login_resend,
    [STEP_TRY_CODE] = login_try_code,
    [STEP_TRY_RECOVERY] = login_try_recovery,
};

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
	while (step != STEP_END) {
		if (deadline_passed(dl))
			step = login_end(&l, l.code_prompted ? LOGIN_DENIED : LOGIN_BROKEN,
			    "the time for this sign-in is over");
		else
			step = steps[step](&l);
	}
	account_clear(&l.account);
	challenge_clear(&l.challenge);
	secret_clear(&l.captures);
	typed_clear(&l.typed);
	otp_wipe(l);
}
