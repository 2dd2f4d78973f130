#include "helpers/login/typed_answer.h"

#include <stdbool.h>
#include <string.h>

#include "helpers/base/typed.h"
#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

void
typed_clear(struct typed *t)
{
	secret_clear(&t->code);
	*t = (struct typed){.kind = TYPED_NOTHING};
}

static bool
read_number(const char *plain, int *number)
{
	_auto_secret struct secret digit = {0};

	if (code_read(plain, 1, 1, &digit))
		return false;
	*number = digit.bytes[0] - '0';
	return true;
}

int
typed_read(const struct secret *answer, int least, int most, struct typed *out)
{
	_auto_secret struct secret plain = {0};
	const char *s;
	int r = typed_plain(secret_str(answer), &plain);

	typed_clear(out);
	s = secret_str(&plain);
	if (r || !plain.len) {
		out->kind = TYPED_NOTHING;
	} else if (!strcmp(s, "r")) {
		out->kind = TYPED_RESEND;
	} else if (!strcmp(s, "o")) {
		out->kind = TYPED_OTHER;
	} else if (recovery_is(s)) {
		out->kind = TYPED_RECOVERY;
		(void)recovery_read(s, &out->code);
	} else if (read_number(s, &out->number)) {
		out->kind = TYPED_NUMBER;
	} else if (!code_read(s, least, most, &out->code)) {
		out->kind = TYPED_CODE;
	} else {
		out->kind = TYPED_ELSE;
	}
	return r;
}
