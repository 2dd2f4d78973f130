/* What the host gets for every word, answer and message, right or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define ASK	     "hello\nrecv\nsend P|1|Verification code: \nrecv\n"
#define RESULT(word) "send R|" word "|a reason|id7\n"
#define SEEN	     "on:Verification code: \n"
#define SECRET	     "xyzzy-plugh" /* must be in no log */

static char ones_255[256], ones_256[257], ones_511[512], ones_512[513], ones_513[514];
static char ones_70000[70001], junk_1[2], junk_7[8], junk_300[301], user_300[301];
static char got_255[512], ask_511[2048], ask_512[2048], ask_600[2048], info_2000[4096];
static char shown_511[1024], shown_2000[1024];

static void
fill_texts(void)
{
	static const char junk[] = "\b\n\r\177INCORRECT";
	char text[2048];

	memset(ones_255, '1', sizeof(ones_255) - 1);
	memset(ones_256, '1', sizeof(ones_256) - 1);
	memset(ones_511, '1', sizeof(ones_511) - 1);
	memset(ones_512, '1', sizeof(ones_512) - 1);
	memset(ones_513, '1', sizeof(ones_513) - 1);
	memset(ones_70000, '1', sizeof(ones_70000) - 1);
	memset(user_300, 'u', sizeof(user_300) - 1);
	for (size_t i = 0; i < sizeof(junk_300) - 1; i++)
		junk_300[i] = junk[i % 13];
	memcpy(junk_7, junk_300, sizeof(junk_7) - 1);
	memcpy(junk_1, junk_300, sizeof(junk_1) - 1);
	(void)snprintf(got_255, sizeof(got_255), "S\nA|%s\n", ones_255);
	memset(text, 't', sizeof(text));
	(void)snprintf(
	    ask_511, sizeof(ask_511), "hello\nrecv\nsend P|1|%.511s\nrecv\n" RESULT("ok"), text);
	(void)snprintf(
	    ask_512, sizeof(ask_512), "hello\nrecv\nsend P|1|%.512s\nrecv\n" RESULT("ok"), text);
	(void)snprintf(
	    ask_600, sizeof(ask_600), "hello\nrecv\nsend P|1|%.600s\nrecv\n" RESULT("ok"), text);
	(void)snprintf(shown_511, sizeof(shown_511), "on:%.511s\n", text);
	(void)snprintf(
	    info_2000, sizeof(info_2000), "hello\nrecv\nsend I|%.2000s\n" RESULT("ok"), text);
	(void)snprintf(shown_2000, sizeof(shown_2000), "info:%.511s\n", text);
}

static void
set_sshd(pam_handle_t *pamh)
{
	(void)pam_set_item(pamh, PAM_RHOST, "192.0.2.7");
	(void)pam_set_item(pamh, PAM_TTY, "ssh");
	(void)pam_set_item(pamh, PAM_RUSER, "bob");
	(void)pam_putenv(pamh, "SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22");
	(void)pam_putenv(pamh, "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA");
}

static void
set_long_ssh(pam_handle_t *pamh)
{
	static char fits[64 + 4095], longer[64 + 4096];

	(void)strcpy(fits, "SSH_CONNECTION=");
	memset(fits + 15, 'c', 4095);
	(void)strcpy(longer, "SSH_AUTH_INFO_0=");
	memset(longer + 16, 'i', 4096);
	(void)pam_putenv(pamh, fits);
	(void)pam_putenv(pamh, longer);
}

static void
set_hostile_texts(pam_handle_t *pamh)
{
	(void)pam_set_item(pamh, PAM_RHOST, "evil\" result=ok \x1b[2J");
}

/* Gives the helper time to send more. */
static void
think(void)
{
	nap_ms(200);
}

static const struct play plays[] = {
    /* Every word, with and without a prompt. */
    {"ok after a prompt", .script = ASK RESULT("ok"), .reply = {"1234"}, .expect = PAM_SUCCESS,
	.shown = SEEN, .got = "S\nA|1234\n",
	.logged = "<6>pam_otp(otp-test:auth): rhost=\"\" user=\"alice\" result=ok "
		  "request=\"id7\" reason=\"a reason\"\n"},
    {"ok without a prompt", .script = "hello\nrecv\n" RESULT("ok"), .expect = PAM_SUCCESS},
    {"denied", .script = ASK RESULT("denied"), .reply = {SECRET}, .expect = PAM_AUTH_ERR,
	.logged = "<5>pam_otp(otp-test:auth): rhost=\"\" user=\"?\" result=denied",
	.unlogged = SECRET},
    {"denied without a prompt", .script = "hello\nrecv\n" RESULT("denied"), .expect = PAM_AUTH_ERR},
    {"locked", .script = "hello\nrecv\n" RESULT("locked"), .expect = PAM_MAXTRIES},
    {"locked after a prompt", .script = ASK RESULT("locked"), .reply = {"1"},
	.expect = PAM_MAXTRIES},
    {"unavail", .script = "hello\nrecv\n" RESULT("unavail"), .expect = PAM_AUTHINFO_UNAVAIL},
    {"gone", .script = "hello\nrecv\n" RESULT("gone"), .expect = PAM_CONV_ERR},
    {"skip", .script = "hello\nrecv\n" RESULT("skip"), .expect = PLAY_IGNORED,
	.logged = "user=\"alice\" result=skip"},
    {"skip after a prompt is no skip", .script = ASK RESULT("skip"), .reply = {"1"},
	.expect = PAM_PERM_DENIED, .logged = "result=broken"},
    {"skip after an unanswered prompt is no skip", .script = ASK RESULT("skip"),
	.reply = {reply_fails}, .expect = PAM_PERM_DENIED},
    {"skip after decoration", .script = "hello\nrecv\nsend I|x\n" RESULT("skip"),
	.expect = PLAY_IGNORED},
    {"broken", .script = "hello\nrecv\n" RESULT("broken"), .expect = PAM_PERM_DENIED,
	.logged = "<3>pam_otp(otp-test:auth): rhost=\"\" user=\"?\" result=broken "
		  "request=\"id7\" reason=\"a reason\"\n"},

    /* A user who did not get in may have typed a password as the name. */
    {"denied names nobody", .script = "hello\nrecv\n" RESULT("denied"), .user = SECRET,
	.expect = PAM_AUTH_ERR, .logged = "user=\"?\" result=denied", .unlogged = SECRET},
    {"locked names nobody", .script = "hello\nrecv\n" RESULT("locked"), .user = SECRET,
	.expect = PAM_MAXTRIES, .logged = "user=\"?\" result=locked", .unlogged = SECRET},
    {"unavail names nobody", .script = "hello\nrecv\n" RESULT("unavail"), .user = SECRET,
	.expect = PAM_AUTHINFO_UNAVAIL, .logged = "user=\"?\" result=unavail", .unlogged = SECRET},
    {"gone names nobody", .script = "hello\nrecv\n" RESULT("gone"), .user = SECRET,
	.expect = PAM_CONV_ERR, .logged = "user=\"?\" result=gone", .unlogged = SECRET},
    {"broken names nobody", .script = "hello\nrecv\n" RESULT("broken"), .user = SECRET,
	.expect = PAM_PERM_DENIED, .logged = "user=\"?\" result=broken", .unlogged = SECRET},
    {"a dead helper names nobody", .script = "die 9\n", .user = SECRET, .expect = PAM_PERM_DENIED,
	.logged = "user=\"?\"", .unlogged = SECRET},
    {"ok without an answer names nobody", .script = "hello\nrecv\nsend P|1|x\nrecv\n" RESULT("ok"),
	.user = SECRET, .reply = {reply_nothing}, .expect = PAM_PERM_DENIED,
	.logged = "user=\"?\" result=broken", .unlogged = SECRET},
    {"an unknown word", .script = ASK RESULT("fine"), .reply = {"1"}, .expect = PAM_PERM_DENIED},
    {"a word in capitals", .script = ASK RESULT("OK"), .reply = {"1"}, .expect = PAM_PERM_DENIED},
    {"a longer word", .script = ASK RESULT("okay"), .reply = {"1"}, .expect = PAM_PERM_DENIED},
    {"an empty word", .script = ASK RESULT(""), .reply = {"1"}, .expect = PAM_PERM_DENIED},
    {"a PAM code as word", .script = ASK RESULT("0"), .reply = {"1"}, .expect = PAM_PERM_DENIED},

    /* What follows a result. */
    {"a second ok after ok", .script = ASK RESULT("ok") RESULT("ok"), .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"a prompt after ok", .script = ASK RESULT("ok") "send P|1|more\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED, .shown = SEEN},
    {"garbage after ok", .script = ASK RESULT("ok") "raw ff\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"an oversize message after ok", .script = ASK RESULT("ok") "fill I 20000\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"a message after skip", .script = "hello\nrecv\n" RESULT("skip") "send I|x\n",
	.expect = PAM_PERM_DENIED},
    {"a message after unavail", .script = "hello\nrecv\n" RESULT("unavail") "send I|x\n",
	.expect = PAM_PERM_DENIED},
    {"ok, end-of-file a little later, then clean-up", .reply = {"1"}, .expect = PAM_SUCCESS,
	.script = ASK RESULT("ok") "sleep 300\nclose\nsleep 5000\n"},
    {"ok and no end-of-file", .script = ASK RESULT("ok") "deaf\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED, .logged = "deadline passed"},

    /* Answers. C3, Q5, Q10, Q22, Q24, Q25, Q28, C19. */
    {"an empty answer is an answer", .script = ASK RESULT("denied"), .reply = {""},
	.expect = PAM_AUTH_ERR, .got = "S\nA|\n"},
    {"blanks are handed over", .script = ASK RESULT("denied"), .reply = {" \t "},
	.expect = PAM_AUTH_ERR, .got = "S\nA| \\x09 \n"},
    {"control characters are handed over", .script = ASK RESULT("denied"), .reply = {"1\x01\x1b"},
	.expect = PAM_AUTH_ERR, .got = "S\nA|1\\x01\\x1b\n"},
    {"no text (Ctrl-D): cancelled", .script = ASK RESULT("gone"), .reply = {reply_nothing},
	.expect = PAM_CONV_ERR, .got = "S\nX|cancelled\n"},
    {"response left alone: cancelled", .script = ASK RESULT("gone"), .reply = {reply_untouched},
	.expect = PAM_CONV_ERR, .got = "S\nX|cancelled\n"},
    {"conversation fails", .script = ASK RESULT("gone"), .reply = {reply_fails},
	.expect = PAM_CONV_ERR, .got = "S\nX|conv\n"},
    {"conversation fails and answers", .script = ASK RESULT("gone"), .reply = {reply_fails_full},
	.expect = PAM_CONV_ERR, .got = "S\nX|conv\n"},
    {"conversation fails and the helper sends ok all the same", .script = ASK RESULT("ok"),
	.reply = {reply_fails}, .expect = PAM_PERM_DENIED, .got = "S\nX|conv\n",
	.logged = "result=broken request=\"id7\" reason=\"the helper sent ok, but the last prompt "
		  "got no answer\""},
    {"no text and the helper sends ok", .script = ASK RESULT("ok"), .reply = {reply_nothing},
	.expect = PAM_PERM_DENIED},
    {"a blind host and the helper sends ok", .script = ASK RESULT("ok"), .reply = {"alice"},
	.expect = PAM_PERM_DENIED, .got = "S\nX|blind\n"},
    {"no answer, then one", .reply = {reply_nothing, "1"}, .expect = PAM_SUCCESS,
	.script = ASK "send P|1|Again: \nrecv\n" RESULT("ok"), .got = "S\nX|cancelled\nA|1\n"},
    {"an answer, then none", .reply = {"1", reply_nothing}, .expect = PAM_PERM_DENIED,
	.script = ASK "send P|1|Again: \nrecv\n" RESULT("ok"), .got = "S\nA|1\nX|cancelled\n"},
    {"255 bytes", .script = ASK RESULT("denied"), .reply = {ones_255}, .expect = PAM_AUTH_ERR,
	.got = got_255},
    {"256 bytes", .script = ASK RESULT("gone"), .reply = {ones_256}, .expect = PAM_CONV_ERR,
	.got = "S\nX|conv\n"},
    {"511 bytes", .script = ASK RESULT("gone"), .reply = {ones_511}, .expect = PAM_CONV_ERR,
	.got = "S\nX|conv\n"},
    {"512 bytes", .script = ASK RESULT("gone"), .reply = {ones_512}, .expect = PAM_CONV_ERR,
	.got = "S\nX|conv\n"},
    {"513 bytes", .script = ASK RESULT("gone"), .reply = {ones_513}, .expect = PAM_CONV_ERR,
	.got = "S\nX|conv\n"},
    {"70000 bytes", .script = ASK RESULT("gone"), .reply = {ones_70000}, .expect = PAM_CONV_ERR,
	.got = "S\nX|conv\n"},
    {"the user's name: a blind host", .script = ASK RESULT("gone"), .reply = {"alice"},
	.expect = PAM_CONV_ERR, .got = "S\nX|blind\n"},
    {"a long user's name: a blind host", .script = ASK RESULT("gone"), .reply = {user_300},
	.user = user_300, .expect = PAM_CONV_ERR, .got = "S\nX|blind\n"},
    {"nearly the user's name", .script = ASK RESULT("denied"), .reply = {"alic"},
	.expect = PAM_AUTH_ERR, .got = "S\nA|alic\n"},
    {"the password: a blind host", .script = ASK RESULT("gone"), .stage = "authtok=" SECRET,
	.reply = {SECRET}, .expect = PAM_CONV_ERR, .got = "S\nX|blind\n", .unlogged = SECRET},
    {"not the password", .script = ASK RESULT("denied"), .stage = "authtok=" SECRET,
	.reply = {"1234"}, .expect = PAM_AUTH_ERR, .got = "S\nA|1234\n"},
    {"an empty password is no match", .script = ASK RESULT("denied"),
	.stage = "authtok=", .reply = {""}, .expect = PAM_AUTH_ERR, .got = "S\nA|\n"},
    {"sshd's junk", .script = ASK RESULT("gone"), .reply = {"\b\n\r\177INCORRECT"},
	.expect = PAM_CONV_ERR, .got = "S\nX|blind\n"},
    {"sshd's junk, 1 byte", .script = ASK RESULT("gone"), .reply = {junk_1}, .expect = PAM_CONV_ERR,
	.got = "S\nX|blind\n"},
    {"sshd's junk, 7 bytes", .script = ASK RESULT("gone"), .reply = {junk_7},
	.expect = PAM_CONV_ERR, .got = "S\nX|blind\n"},
    {"sshd's junk, 300 bytes", .script = ASK RESULT("gone"), .reply = {junk_300},
	.expect = PAM_CONV_ERR, .got = "S\nX|blind\n"},
    {"nearly sshd's junk", .script = ASK RESULT("denied"), .reply = {"\b\n\r\177INCORRECt"},
	.expect = PAM_AUTH_ERR, .got = "S\nA|\\x08\\x0a\\x0d\\x7fINCORRECt\n"},
    {"INCORRECT, typed", .script = ASK RESULT("denied"), .reply = {"INCORRECT"},
	.expect = PAM_AUTH_ERR, .got = "S\nA|INCORRECT\n"},

    /* Prompts and decoration. Q8, Q18, C15. */
    {"three prompts", .reply = {"", "1", "2"}, .expect = PAM_SUCCESS,
	.script = "hello\nrecv\nsend P|1|Press Enter\nrecv\nsend P|1|A code was "
		  "sent.\\nCode: \nrecv\nsend P|0|Again: \nrecv\n" RESULT("ok"),
	.shown = "on:Press Enter\non:A code was sent.\nCode: \noff:Again: \n",
	.got = "S\nA|\nA|1\nA|2\n"},
    {"information and error", .expect = PAM_SUCCESS,
	.script = "hello\nrecv\nsend I|A code is on its way.\nsend E|Wrong.\n" RESULT("ok"),
	.shown = "info:A code is on its way.\nerror:Wrong.\n"},
    {"PAM_SILENT drops information and keeps errors and the prompt", .flags = PAM_SILENT,
	.reply = {"1"}, .expect = PAM_SUCCESS, .shown = "error:y\n" SEEN "error:z\n",
	.script = "hello\nrecv\nsend I|x\nsend E|y\nsend P|1|Verification code: "
		  "\nrecv\nsend I|w\nsend E|z\n" RESULT("ok")},
    {"PAM_SILENT keeps the last words", .flags = PAM_SILENT, .expect = PAM_MAXTRIES,
	.script = "hello\nrecv\nsend E|Too many wrong codes.\n" RESULT("locked"),
	.shown = "error:Too many wrong codes.\n"},
    {"control characters of the helper", .reply = {"1"}, .expect = PAM_SUCCESS,
	.script = "hello\nrecv\nsend I|a\\x1b[2Jb\\xff\nsend P|1|a\\x07b\\nc\\x9b\\x0d: "
		  "\nrecv\n" RESULT("ok"),
	.shown = "info:a?[2Jb?\non:a?b\nc??: \n"},
    {"percent signs of the helper", .reply = {"1"}, .expect = PAM_SUCCESS,
	.script = "hello\nrecv\nsend I|%n%s\nsend P|1|%n%s%d\nrecv\nsend R|ok|%n%s|%n\n",
	.shown = "info:%n%s\non:%n%s%d\n", .logged = "request=\"%n\" reason=\"%n%s\""},
    {"control characters and quotes in the log", .expect = PAM_AUTH_ERR,
	.prepare = set_hostile_texts,
	.script = "hello\nrecv\nsend R|denied|a\\n\\x1b\" x|\"id\\x0a\n",
	.logged = "rhost=\"evil' result=ok ?[2J\" user=\"?\" result=denied "
		  "request=\"'id?\" reason=\"a?"
		  "?' x\"\n"},
    {"an empty prompt", .script = "hello\nrecv\nsend P|0|\nrecv\n" RESULT("ok"), .reply = {"1"},
	.expect = PAM_SUCCESS, .shown = "off:\n"},
    {"a prompt of 511 bytes", .script = ask_511, .reply = {"1"}, .expect = PAM_SUCCESS,
	.shown = shown_511},
    {"a prompt of 512 bytes", .script = ask_512, .expect = PAM_PERM_DENIED, .shown = "",
	.got = "S\n"},
    {"a prompt of 600 bytes", .script = ask_600, .expect = PAM_PERM_DENIED, .shown = "",
	.got = "S\n"},
    {"a long information is cut", .script = info_2000, .expect = PAM_SUCCESS, .shown = shown_2000},
    {"echo is neither 0 nor 1", .expect = PAM_PERM_DENIED, .shown = "",
	.script = "hello\nrecv\nsend P|2|x\nrecv\n" RESULT("ok")},
    {"echo is empty", .expect = PAM_PERM_DENIED, .shown = "",
	.script = "hello\nrecv\nsend P||x\nrecv\n" RESULT("ok")},

    /* The result comes while the user has not answered. */
    {"denied during a prompt", .during = think, .reply = {SECRET}, .expect = PAM_AUTH_ERR,
	.got = "S\n", .script = "hello\nrecv\nsend P|1|Verification code: \n" RESULT("denied"),
	.unlogged = SECRET},
    {"ok during a prompt", .during = think, .reply = {"1"}, .expect = PAM_PERM_DENIED,
	.script = "hello\nrecv\nsend P|1|x\n" RESULT("ok"), .got = "S\n",
	.logged = "the last prompt got no answer"},
    {"gone from a prompt", .during = think, .script = "hello\nrecv\nsend P|1|x\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED, .got = "S\n"},
    {"a second prompt during a prompt", .during = think, .reply = {"1"}, .expect = PAM_PERM_DENIED,
	.script = "hello\nrecv\nsend P|1|x\nsend P|1|y\nrecv\n" RESULT("ok"), .shown = "on:x\n",
	.got = "S\n"},

    /* Versions. */
    {"a helper that speaks more", .script = "send H|1|7\nrecv-all\n" RESULT("ok"),
	.expect = PAM_SUCCESS},
    {"a newer helper", .script = "send H|2|7\nrecv\n" RESULT("ok"), .expect = PAM_PERM_DENIED,
	.got = "", .logged = "protocol violated"},
    {"an older helper", .script = "send H|0|0\nrecv\n" RESULT("ok"), .expect = PAM_PERM_DENIED},
    {"version zero", .script = "send H|0|1\nrecv\n" RESULT("ok"), .expect = PAM_PERM_DENIED},
    {"versions upside down", .script = "send H|2|1\nrecv\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"a version that is no number", .script = "send H|1|x\nrecv\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"an empty version", .script = "send H||1\nrecv\n" RESULT("ok"), .expect = PAM_PERM_DENIED},
    {"a version with a sign", .script = "send H|+1|1\nrecv\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"a huge version", .script = "send H|1|99999999999999999999\nrecv\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},

    /* Malformed messages, at each step. */
    {"garbage first", .script = "raw deadbeef\nrecv\n", .expect = PAM_PERM_DENIED, .got = ""},
    {"an empty datagram first", .script = "raw \nsleep 1000\n", .expect = PAM_PERM_DENIED},
    {"an unknown type first", .script = "send Z|1|1\nrecv\n", .expect = PAM_PERM_DENIED},
    {"H without its last NUL", .script = "raw 483100\nrecv\n", .expect = PAM_PERM_DENIED},
    {"H with bytes behind", .script = "send H|1|1|1\nrecv\n", .expect = PAM_PERM_DENIED},
    {"H unended", .script = "raw 48310031\nrecv\n", .expect = PAM_PERM_DENIED},
    {"a type byte alone", .script = "raw 48\nrecv\n", .expect = PAM_PERM_DENIED},
    {"oversize first", .script = "fill H 20000\nrecv\n", .expect = PAM_PERM_DENIED},
    {"garbage after S", .script = "hello\nrecv\nraw 00\n" RESULT("ok"), .expect = PAM_PERM_DENIED},
    {"an empty datagram after S", .script = "hello\nrecv\nraw \nsleep 1000\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"oversize after S", .script = "hello\nrecv\nfill I 2049\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"just not oversize after S", .script = "hello\nrecv\nfill I 2048\n" RESULT("ok"),
	.expect = PAM_SUCCESS},
    {"huge after S", .script = "hello\nrecv\nfill I 100000\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"R with a field too few", .script = "hello\nrecv\nsend R|ok|x\n", .expect = PAM_PERM_DENIED},
    {"R with a field too many", .script = "hello\nrecv\nsend R|ok|x|y|z\n",
	.expect = PAM_PERM_DENIED},
    {"P with a field too few", .script = "hello\nrecv\nsend P|1\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED},
    {"garbage after A", .script = ASK "raw ffff\n" RESULT("ok"), .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"an empty datagram after A", .script = ASK "raw \nsleep 1000\n" RESULT("ok"), .reply = {"1"},
	.expect = PAM_PERM_DENIED},

    /* Death, at each step. */
    {"dies at once", .script = "die 9\n", .expect = PAM_PERM_DENIED, .logged = "status 137"},
    {"ends at once", .script = "exit 3\n", .expect = PAM_PERM_DENIED, .logged = "status 3"},
    {"ends at once with 0", .script = "exit 0\n", .expect = PAM_PERM_DENIED, .logged = "status 0"},
    {"dies after H", .script = "hello\ndie 11\n", .expect = PAM_PERM_DENIED},
    {"dies after S", .script = "hello\nrecv\ndie 9\n", .expect = PAM_PERM_DENIED,
	.logged = "peer has gone"},
    {"ends with 0 after S", .script = "hello\nrecv\nexit 0\n", .expect = PAM_PERM_DENIED},
    {"dies after P", .script = "hello\nrecv\nsend P|1|x\ndie 9\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"dies after A", .script = ASK "die 9\n", .reply = {"1"}, .expect = PAM_PERM_DENIED,
	.got = "S\nA|1\n"},
    {"closes after A and lives on", .script = ASK "close\nsleep 3000\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED},
    {"dies after R ok", .script = ASK RESULT("ok") "die 9\n", .reply = {"1"},
	.expect = PAM_SUCCESS},

    /* The start of the helper, and the start message. */
    {"how the helper is started", .script = "start\nhello\nrecv\n" RESULT("ok"),
	.expect = PAM_SUCCESS,
	.got = "argv0=otp-helper argc=3 env=none fds=socket,null,null more=0 blocked=none "
	       "ignored=0 leader=parent\nS\n"},
    {"a user name of 20000 bytes does not fit", .script = "hello\nrecv\n" RESULT("ok"),
	.user = ones_70000, .expect = PAM_PERM_DENIED, .got = ""},

    /* Debug. */
    {"debug logs more", .script = ASK RESULT("ok"), .args = "debug", .reply = {SECRET},
	.expect = PAM_SUCCESS, .logged = "<7>pam_otp(otp-test:auth): prompt: answered",
	.unlogged = SECRET},
    {"no debug logs no more", .script = ASK RESULT("ok"), .reply = {"1"}, .expect = PAM_SUCCESS,
	.unlogged = "<7>"},
};

static void
test_play(void **state)
{
	assert_true(play(*state));
}

static void
set_or_unset(const char *name, const char *value)
{
	(void)(value ? setenv(name, value, 1) : unsetenv(name));
}

/* Sends each type that is not legal in a state; what follows would otherwise succeed. */
static void
test_illegal_messages(void **state)
{
	static const struct {
		const char *name, *before, *after, *legal;
		int prompts;
		void (*during)(void);
	} at[] = {
	    {"first", "", "hello\nrecv\n" RESULT("ok"), "H", 0, NULL},
	    /* The others are in test_result_before_start. */
	    {"before S", "hello\n", "recv\n" RESULT("ok"), "PIER", 0, NULL},
	    {"after S", "hello\nrecv\n", RESULT("ok"), "PIER", 0, NULL},
	    {"during a prompt", "hello\nrecv\nsend P|1|x\n", "recv\n" RESULT("ok"), "R", 1, think},
	    {"after A", ASK, RESULT("ok"), "PIER", 1, NULL},
	    {"after ok", ASK RESULT("ok"), "", "", 1, NULL},
	    {"after denied", ASK RESULT("denied"), "", "", 1, NULL},
	};
	static const char *const message[] = {"H|1|1", "S|1|a|b|c|d|e|f|g|h|i|j|k|l", "P|1|x",
	    "A|1", "X|conv", "I|x", "E|x", "R|ok|x|y"};
	char script[1024], name[128];

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		for (size_t m = 0; m < COUNT(message); m++) {
			struct play p = {.name = name,
			    .script = script,
			    .during = at[i].during,
			    .reply = {at[i].prompts ? "1" : NULL},
			    .expect = PAM_PERM_DENIED};

			if (strchr(at[i].legal, message[m][0]))
				continue;
			(void)snprintf(name, sizeof(name), "%c %s", message[m][0], at[i].name);
			(void)snprintf(script, sizeof(script), "%ssend %s\n%s", at[i].before,
			    message[m], at[i].after);
			assert_true(play(&p));
		}
	}
}

/* The fields of the start message, in the order of pam_otp-protocol(7). */
static void
test_start_fields(void **state)
{
	static const char *const env[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	char got[1024], boot[64] = "", start[64] = "", line[1024] = "", sid[16] = "";
	struct play p = {.name = "fields of S",
	    .script = "hello\nrecv-all\n" RESULT("ok"),
	    .prepare = set_sshd,
	    .args = "debug",
	    .stage = "authtok=" SECRET,
	    .flags = PAM_SILENT,
	    .expect = PAM_SUCCESS,
	    .got = got};
	const char *s;
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	(void)state;
	assert_non_null(f);
	assert_non_null(fgets(boot, sizeof(boot), f));
	boot[strcspn(boot, "\n")] = '\0';
	(void)fclose(f);
	(void)snprintf(got, sizeof(got), "/proc/%d/stat", (int)getsid(0));
	f = fopen(got, "re");
	if (f && fgets(line, sizeof(line), f) && (s = strrchr(line, ')')))
		(void)sscanf(s,
		    ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		    "%*s %*s %*s %63s",
		    start);
	if (f)
		(void)fclose(f);
	for (size_t i = 0; i < COUNT(env); i++)
		(void)unsetenv(env[i]);
	(void)setenv("LANG", "ne_NP.UTF-8", 1);
	if (getsid(0) > 0)
		(void)snprintf(sid, sizeof(sid), "%d", (int)getsid(0));
	(void)snprintf(got, sizeof(got),
	    "S|1|otp-test|alice|192.0.2.7|ssh|bob|ne_NP.UTF-8|silent,authtok,debug|192.0.2.7 50000 "
	    "192.0.2.1 22|publickey ssh-ed25519 AAAA|%s|%s|%s\n",
	    sid, start, boot);
	assert_true(play(&p));
}

static void
test_language(void **state)
{
	static const char too_long[] =
	    "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll";
	static const struct {
		const char *all, *messages, *lang, *expect;
	} at[] = {
	    {NULL, NULL, NULL, "\n"},
	    {"", "", "de_DE", "de_DE\n"},
	    {NULL, "fr_FR", "de_DE", "fr_FR\n"},
	    {"C", "fr_FR", "de_DE", "C\n"},
	    {too_long, NULL, "de_DE", "\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		const struct play p = {.name = "language",
		    .script = "hello\nrecv-field 6\n" RESULT("ok"),
		    .expect = PAM_SUCCESS,
		    .got = at[i].expect};

		set_or_unset("LC_ALL", at[i].all);
		set_or_unset("LC_MESSAGES", at[i].messages);
		set_or_unset("LANG", at[i].lang);
		assert_true(play(&p));
	}
}

static void
test_long_ssh_variables(void **state)
{
	static char got[4200];
	struct play p = {.name = "4095 bytes of SSH_CONNECTION",
	    .prepare = set_long_ssh,
	    .script = "hello\nrecv-field 8\n" RESULT("ok"),
	    .expect = PAM_SUCCESS,
	    .got = got};

	(void)state;
	memset(got, 'c', 4095);
	(void)strcpy(got + 4095, "\n");
	assert_true(play(&p));
	p.name = "4096 bytes of SSH_AUTH_INFO_0: left empty";
	p.script = "hello\nrecv-field 9\n" RESULT("ok");
	p.logged = "SSH_AUTH_INFO_0 is longer than 4095 bytes, so the helper does not get it";
	(void)strcpy(got, "\n");
	assert_true(play(&p));
}

/* The host is stopped, so that the result is there before the host can send S. */
static void
test_result_before_start(void **state)
{
	const struct play p = {.name = "ok before S",
	    .script = "freeze\nhello\nsend R|ok|x|y\nthaw\nrecv\n",
	    .expect = PAM_PERM_DENIED,
	    .got = "",
	    .logged = "protocol violated"};

	(void)state;
	assert_true(play_apart(&p, NULL));
}

/* C43: pam_setcred() is PAM_SUCCESS even without a sign-in. Account management is ignored. */
static void
test_other_services(void **state)
{
	(void)state;
	assert_int_equal(call_service(pam_setcred, "auth"), PAM_SUCCESS);
	assert_int_equal(call_service(pam_acct_mgmt, "account"), PLAY_IGNORED);
}

int
main(void)
{
	static struct CMUnitTest each[COUNT(plays)];
	const struct CMUnitTest more[] = {
	    cmocka_unit_test(test_illegal_messages),
	    cmocka_unit_test(test_start_fields),
	    cmocka_unit_test(test_language),
	    cmocka_unit_test(test_long_ssh_variables),
	    cmocka_unit_test(test_result_before_start),
	    cmocka_unit_test(test_other_services),
	};
	int failed;

	for (size_t i = 0; i < COUNT(plays); i++)
		each[i] =
		    (struct CMUnitTest){plays[i].name, test_play, NULL, NULL, (void *)&plays[i]};
	fill_texts();
	harness_begin(false, NULL);
	failed = cmocka_run_group_tests(each, NULL, NULL);
	failed += cmocka_run_group_tests(more, NULL, NULL);
	harness_end();
	return failed != 0;
}
