#include "helpers/login/typed_answer.h"

#include <stdbool.h>
#include <string.h>

#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

void
typed_clear(struct typed *t)
{
	secret_clear(&t->code);
	*t = (struct typed){.kind = TYPED_NOTHING};
}

/* Small or large, or of full width (U+FF21 to U+FF5A), as an input method may leave it. */
static bool
is_letter(const char *s, char letter)
{
	const char wide[] = {'\xef', '\xbd', (char)(0x81 + letter - 'a'), '\0'};
	const char wide_capital[] = {'\xef', '\xbc', (char)(0xa1 + letter - 'a'), '\0'};

	if (!strcmp(s, wide) || !strcmp(s, wide_capital))
		return true;
	return (s[0] == letter || s[0] == letter - 'a' + 'A') && !s[1];
}

static bool
read_number(const char *s, int *number)
{
	_auto_secret struct secret digit = {0};

	if (code_read(s, 1, 1, &digit))
		return false;
	*number = digit.bytes[0] - '0';
	return true;
}

/* s has no blanks around it. */
static void
read_trimmed(const char *s, int least, int most, struct typed *out)
{
	if (is_letter(s, 'r')) {
		out->kind = TYPED_RESEND;
	} else if (is_letter(s, 'o')) {
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
}

int
typed_read(const struct secret *answer, int least, int most, struct typed *out)
{
	static const char blanks[] = " \t";
	_auto_secret struct secret trimmed = {0};
	const char *s = secret_str(answer);
	size_t from = strspn(s, blanks), end = strlen(s);
	int r;

	typed_clear(out);
	if (from == end) {
		out->kind = answer->len ? TYPED_BLANKS : TYPED_NOTHING;
		return 0;
	}
	while (strchr(blanks, s[end - 1]))
		end--;
	r = secret_set(&trimmed, s + from, end - from);
	if (!r)
		read_trimmed(secret_str(&trimmed), least, most, out);
	return r;
}
