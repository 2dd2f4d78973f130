/*
 * The texts of a sign-in.
 *
 * MUST:
 *  - each text is whole: a line of a prompt, or a time. No text is made of parts. If a line depends
 *    on a channel, a number or a choice, each case has a row;
 *  - each prompt for a code has the words "verification code": programs look for them;
 *  - each text is ASCII, and says what the person can do next, if there is something to do.
 *
 * The arguments, and the bytes of the longest:
 *
 *	{address}	36	a masked address
 *	{channel}	16	the name of a channel that has no text of its own
 *	{time}		21	how long the code can be used: "5 minutes"
 *	{wait}		21	until something can be tried again
 *	{tries}		11	tries that are left
 *	{digits}	11	digits of a code
 *	{least} {most}	11	the same, if codes differ in length
 *	{symbols}	2	letters or digits of a recovery code
 *	{number}	1	of a menu's entry
 *	{left}		11	recovery codes that are left
 *	{count}		13	seconds, minutes or hours
 */
#include "helpers/login/texts.h"

#include <string.h>

const struct prompt_text prompt_texts[] = {
    /* What happened, at the top of a prompt or as last words. */
    {NOTE_SENT, BY_SMS, 110,
	"A verification code was sent by SMS to {address}. It ends in {time}."},
    {NOTE_SENT, BY_CALL, 117,
	"A verification code was sent by phone call to {address}. It ends in {time}."},
    {NOTE_SENT, BY_EMAIL, 113,
	"A verification code was sent by e-mail to {address}. It ends in {time}."},
    {NOTE_SENT, BY_OTHER, 123,
	"A verification code was sent by {channel} to {address}. It ends in {time}."},
    {TEXT_SENT_BY_ANOTHER, BY_SMS, 153,
	"A verification code was sent by SMS to {address}. It ends in {time}. It was sent by "
	"another service than usual."},
    {TEXT_SENT_BY_ANOTHER, BY_CALL, 160,
	"A verification code was sent by phone call to {address}. It ends in {time}. It was sent "
	"by another service than usual."},
    {TEXT_SENT_BY_ANOTHER, BY_EMAIL, 156,
	"A verification code was sent by e-mail to {address}. It ends in {time}. It was sent by "
	"another service than usual."},
    {TEXT_SENT_BY_ANOTHER, BY_OTHER, 166,
	"A verification code was sent by {channel} to {address}. It ends in {time}. It was sent by "
	"another service than usual."},
    {TEXT_FIRST_FAILED, BY_SMS, 34, "The code could not be sent by SMS."},
    {TEXT_FIRST_FAILED, BY_CALL, 41, "The code could not be sent by phone call."},
    {TEXT_FIRST_FAILED, BY_EMAIL, 37, "The code could not be sent by e-mail."},
    {TEXT_FIRST_FAILED, BY_OTHER, 47, "The code could not be sent by {channel}."},
    {NOTE_MAYBE_SENT, BY_SMS, 119,
	"A verification code may be on its way by SMS to {address}. It ends in {time}."},
    {NOTE_MAYBE_SENT, BY_CALL, 126,
	"A verification code may be on its way by phone call to {address}. It ends in {time}."},
    {NOTE_MAYBE_SENT, BY_EMAIL, 122,
	"A verification code may be on its way by e-mail to {address}. It ends in {time}."},
    {NOTE_MAYBE_SENT, BY_OTHER, 132,
	"A verification code may be on its way by {channel} to {address}. It ends in {time}."},
    {NOTE_WRONG, ONE, 23, "Wrong code, 1 try left."},
    {NOTE_WRONG, MANY, 35, "Wrong code, {tries} tries left."},
    {NOTE_MALFORMED, ONE, 55, "A verification code has {digits} digits, 1 try left."},
    {NOTE_MALFORMED, MANY, 67, "A verification code has {digits} digits, {tries} tries left."},
    {TEXT_MALFORMED_RANGE, ONE, 70,
	"A verification code has {least} to {most} digits, 1 try left."},
    {TEXT_MALFORMED_RANGE, MANY, 82,
	"A verification code has {least} to {most} digits, {tries} tries left."},
    {NOTE_WRONG_RECOVERY, ONE, 32, "Wrong recovery code, 1 try left."},
    {NOTE_WRONG_RECOVERY, MANY, 44, "Wrong recovery code, {tries} tries left."},
    {NOTE_MALFORMED_RECOVERY, ONE, 60,
	"A recovery code is rc- and {symbols} letters or digits, 1 try left."},
    {NOTE_MALFORMED_RECOVERY, MANY, 72,
	"A recovery code is rc- and {symbols} letters or digits, {tries} tries left."},
    {NOTE_UNCHECKED, ONE, 73,
	"The code could not be checked: its service cannot be reached. 1 try left."},
    {NOTE_UNCHECKED, MANY, 85,
	"The code could not be checked: its service cannot be reached. {tries} tries left."},
    {NOTE_WAIT, ONLY, 48, "A new code can be sent in {wait}."},
    {NOTE_LIMIT, IN_TIME, 74, "Too many verification codes were sent. Try again in {wait}."},
    {NOTE_LIMIT, LATER, 55, "Too many verification codes were sent. Try again later."},
    {NOTE_LIMIT, BY_ADMINISTRATOR, 79,
	"Too many verification codes were sent. Only your administrator can unlock this."},
    {NOTE_LOCKED, IN_TIME, 57, "Too many wrong codes. Try again in {wait}."},
    {NOTE_LOCKED, LATER, 38, "Too many wrong codes. Try again later."},
    {NOTE_LOCKED, BY_ADMINISTRATOR, 62,
	"Too many wrong codes. Only your administrator can unlock this."},
    {NOTE_NOT_SENT, ONLY, 29, "A new code could not be sent."},
    {NOTE_UNAVAILABLE, ONLY, 80,
	"The verification code could not be sent: its delivery service cannot be reached."},
    {NOTE_USED, ONLY, 65, "Another connection used that code. Type r to have a new one sent."},
    {NOTE_USED_RECOVERY, ONLY, 53, "That recovery code was used before. Type another one."},
    {NOTE_ENDED, ONLY, 51, "That code has ended. Type r to have a new one sent."},
    {NOTE_NO_CODE, ONLY, 39, "No verification code has been sent yet."},
    {NOTE_NO_CHOICE, ONLY, 31, "Please type one of the numbers."},

    /* The first question, and the menu. */
    {TEXT_ASK_FIRST, BY_SMS, 93,
	"Press Enter to have a verification code sent by SMS to {address}: "},
    {TEXT_ASK_FIRST, BY_CALL, 100,
	"Press Enter to have a verification code sent by phone call to {address}: "},
    {TEXT_ASK_FIRST, BY_EMAIL, 96,
	"Press Enter to have a verification code sent by e-mail to {address}: "},
    {TEXT_ASK_FIRST, BY_OTHER, 106,
	"Press Enter to have a verification code sent by {channel} to {address}: "},
    {TEXT_ASK_FIRST_OR_RECOVERY, BY_SMS, 119,
	"Press Enter to have a verification code sent by SMS to {address} (or type a recovery "
	"code): "},
    {TEXT_ASK_FIRST_OR_RECOVERY, BY_CALL, 126,
	"Press Enter to have a verification code sent by phone call to {address} (or type a "
	"recovery code): "},
    {TEXT_ASK_FIRST_OR_RECOVERY, BY_EMAIL, 122,
	"Press Enter to have a verification code sent by e-mail to {address} (or type a recovery "
	"code): "},
    {TEXT_ASK_FIRST_OR_RECOVERY, BY_OTHER, 132,
	"Press Enter to have a verification code sent by {channel} to {address} (or type a "
	"recovery code): "},
    {TEXT_MENU, ONLY, 39, "How should a verification code be sent?"},
    {TEXT_MENU_ENTRY, BY_SMS, 51, "  {number}  by SMS to {address}"},
    {TEXT_MENU_ENTRY, BY_CALL, 58, "  {number}  by phone call to {address}"},
    {TEXT_MENU_ENTRY, BY_EMAIL, 54, "  {number}  by e-mail to {address}"},
    {TEXT_MENU_ENTRY, BY_OTHER, 64, "  {number}  by {channel} to {address}"},
    {TEXT_MENU_FIRST, CODE_ALONE, 20, "Number (Enter = 1): "},
    {TEXT_MENU_FIRST, OR_RECOVERY, 40, "Number (Enter = 1), or a recovery code: "},
    {TEXT_MENU_BACK, CODE_ALONE, 23, "Number (Enter = back): "},
    {TEXT_MENU_BACK, OR_RECOVERY, 43, "Number (Enter = back), or a recovery code: "},

    /* The prompt for a code, or for a recovery code where no code was sent. */
    {TEXT_ASK_CODE, NO_LETTER, 19, "Verification code: "},
    {TEXT_ASK_CODE, LETTER_R, 32, "Verification code (r = resend): "},
    {TEXT_ASK_CODE, LETTERS_R_O, 47, "Verification code (r = resend, o = other way): "},
    {TEXT_ASK_RECOVERY, NO_LETTER, 15, "Recovery code: "},
    {TEXT_ASK_RECOVERY, LETTER_R, 33, "Recovery code (r = send a code): "},

    /* The end. */
    {TEXT_ACTION_NEEDED, ONLY, 101,
	"The code was right, but your account at its service needs another step first. Ask your "
	"administrator."},
    {TEXT_CHECK_PAUSED, ONLY, 93,
	"The service that checks codes has had too many requests. Wait some minutes and sign in "
	"again."},
    {TEXT_RECOVERY_LEFT, ONE, 65,
	"That recovery code is used up now. You have 1 recovery code left."},
    {TEXT_RECOVERY_LEFT, MANY, 76,
	"That recovery code is used up now. You have {left} recovery codes left."},
    {TEXT_RECOVERY_LEFT, NONE, 70,
	"That was your last recovery code. Ask your administrator for new ones."},
    {TEXT_END, ONLY, 20, "Press Enter to end: "},

    /* {time} and {wait}. */
    {TEXT_SECONDS, ONE, 8, "1 second"},
    {TEXT_SECONDS, MANY, 21, "{count} seconds"},
    {TEXT_MINUTES, ONE, 8, "1 minute"},
    {TEXT_MINUTES, MANY, 21, "{count} minutes"},
    {TEXT_HOURS, ONE, 6, "1 hour"},
    {TEXT_HOURS, MANY, 19, "{count} hours"},
};
const size_t prompt_texts_n = sizeof(prompt_texts) / sizeof(*prompt_texts);

const char *
prompt_text(int message, int variant)
{
	for (size_t i = 0; i < prompt_texts_n; i++)
		if (prompt_texts[i].message == message && prompt_texts[i].variant == variant)
			return prompt_texts[i].text;
	return "";
}
