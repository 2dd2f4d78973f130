/*
 * The wire against pam_otp-protocol(7): which message is legal when, what a frame may look like,
 * and how a conversation ends (C17, C19).
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/err.h"
#include "common/wire.h"

enum { HERE, THERE };

static int fd[2];
static struct wire wire;
static struct frame frame;

static const char types[] = "HSPAXIER";

static int
setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd);
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return 0;
}

static void
hang_up(void)
{
	close(fd[THERE]);
	fd[THERE] = -1;
}

static void
put(const void *bytes, size_t len)
{
	assert_int_equal(send(fd[THERE], bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* This end, in a state that another test has shown how to reach. */
static void
be(enum wire_side side, enum wire_state at)
{
	wire_init(&wire, fd[HERE], side);
	wire.state = at;
}

static int
hear(void)
{
	return wire_recv(&wire, &frame, deadline_in(0));
}

static size_t
fields_of(char type)
{
	return type == 'H' ? 2 : type == 'S' ? 13 : type == 'P' ? 2 : type == 'R' ? 3 : 1;
}

/* A well-formed message of the type, all its fields "x". */
static size_t
message(char type, char *bytes)
{
	size_t len = 1;

	bytes[0] = type;
	for (size_t i = 0; i < fields_of(type); i++) {
		memcpy(bytes + len, "x", 2);
		len += 2;
	}
	return len;
}

static void
drain(void)
{
	char bytes[WIRE_START_MAX];

	while (recv(fd[THERE], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	while (recv(fd[HERE], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* The manual's table, in its own words: state, who speaks, messages, next state. */
static const struct {
	enum wire_state at;
	enum wire_side from;
	const char *types;
	enum wire_state next;
} manual[] = {
    {WIRE_AT_START, WIRE_HELPER, "H", WIRE_AT_HELLO},
    {WIRE_AT_HELLO, WIRE_MODULE, "S", WIRE_IDLE},
    {WIRE_IDLE, WIRE_HELPER, "P", WIRE_ASKED},
    {WIRE_IDLE, WIRE_HELPER, "IE", WIRE_IDLE},
    {WIRE_IDLE, WIRE_HELPER, "R", WIRE_DONE},
    {WIRE_ASKED, WIRE_MODULE, "AX", WIRE_IDLE},
    {WIRE_ASKED, WIRE_HELPER, "R", WIRE_DONE},
};

/* The state that follows, or -1 where the message is not legal. */
static int
manual_next(enum wire_state at, enum wire_side from, char type)
{
	for (size_t i = 0; i < COUNT(manual); i++)
		if (manual[i].at == at && manual[i].from == from && strchr(manual[i].types, type))
			return (int)manual[i].next;
	return -1;
}

static void
only_legal_messages_pass_in_every_state(void **state)
{
	const char *const x[WIRE_FIELDS_MAX] = {
	    "x", "x", "x", "x", "x", "x", "x", "x", "x", "x", "x", "x", "x"};
	char bytes[64];

	(void)state;
	for (int side = WIRE_MODULE; side <= WIRE_HELPER; side++)
		for (int at = WIRE_AT_START; at <= WIRE_DONE; at++)
			for (const char *t = types; *t; t++) {
				int sent = manual_next(at, side, *t);
				int heard = manual_next(at, side == WIRE_MODULE, *t);

				be(side, at);
				assert_int_equal(
				    wire_send(&wire, (enum wire_type) * t, x, deadline_in(0)),
				    sent < 0 ? -OTP_EPROTO : 0);
				assert_int_equal(wire.state, sent < 0 ? WIRE_DONE : sent);
				drain();
				be(side, at);
				put(bytes, message(*t, bytes));
				assert_int_equal(hear(), heard < 0 ? -OTP_EPROTO : 0);
				assert_int_equal(wire.state, heard < 0 ? WIRE_DONE : heard);
			}
}

static void
after_a_refusal_nothing_is_legal(void **state)
{
	const char *const text[] = {"1", "text", "id"};
	char bytes[64];

	(void)state;
	be(WIRE_MODULE, WIRE_IDLE);
	put(bytes, message('A', bytes));
	assert_int_equal(hear(), -OTP_EPROTO);
	for (const char *t = types; *t; t++) {
		put(bytes, message(*t, bytes));
		assert_int_equal(hear(), -OTP_EPROTO);
	}
	be(WIRE_HELPER, WIRE_ASKED);
	assert_int_equal(wire_send(&wire, WIRE_PROMPT, text, deadline_in(0)), -OTP_EPROTO);
	assert_int_equal(wire_send(&wire, WIRE_RESULT, text, deadline_in(0)), -OTP_EPROTO);
	assert_int_equal(recv(fd[THERE], bytes, sizeof(bytes), MSG_DONTWAIT), -1);
}

static void
a_whole_sign_in_passes(void **state)
{
	const char *const hello[] = {"1", "1"}, *const prompt[] = {"1", "Code: "};
	const char *const start[] = {
	    "1", "sshd", "asha", "", "ssh", "", "C", "silent", "", "", "7", "1234", "boot"};
	const char *const result[] = {"ok", "right code", "abcd"}, *const answer[] = {"123456"};
	struct wire helper;
	struct deadline soon = deadline_in(1000);

	(void)state;
	be(WIRE_MODULE, WIRE_AT_START);
	wire_init(&helper, fd[THERE], WIRE_HELPER);
	assert_int_equal(wire_send(&helper, WIRE_HELLO, hello, soon), 0);
	assert_int_equal(wire_recv(&wire, &frame, soon), 0);
	assert_int_equal(wire_send(&wire, WIRE_START, start, soon), 0);
	assert_int_equal(wire_recv(&helper, &frame, soon), 0);
	assert_int_equal(frame.nfields, START_FIELDS);
	for (size_t i = 0; i < START_FIELDS; i++)
		assert_string_equal(frame.field[i], start[i]);
	assert_int_equal(wire_send(&helper, WIRE_PROMPT, prompt, soon), 0);
	assert_int_equal(wire_recv(&wire, &frame, soon), 0);
	assert_string_equal(frame.field[PROMPT_TEXT], "Code: ");
	assert_int_equal(wire_send(&wire, WIRE_ANSWER, answer, soon), 0);
	assert_int_equal(wire_recv(&helper, &frame, soon), 0);
	assert_string_equal(frame.field[0], "123456");
	assert_int_equal(wire_send(&helper, WIRE_RESULT, result, soon), 0);
	assert_int_equal(wire_recv(&wire, &frame, soon), 0);
	assert_string_equal(frame.field[RESULT_WORD], "ok");
	hang_up();
	assert_int_equal(wire_eof(&wire, soon), 0);
}

static void
malformed_frames_are_refused(void **state)
{
#define ROW_OF(text)                   \
	{                              \
		text, sizeof(text) - 1 \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	    ROW_OF("P"),		/* no fields, no NUL */
	    ROW_OF("P\0"),		/* a field too few */
	    ROW_OF("P1\0text"),		/* no last NUL */
	    ROW_OF("P1\0text\0\0"),	/* an empty field too many */
	    ROW_OF("P1\0text\0more\0"), /* a field too many */
	    ROW_OF("P1\0text\0x"),	/* a trailing byte */
	    ROW_OF("\0"),		/* no type */
	    ROW_OF("\0001\0text\0"),	/* type NUL */
	    ROW_OF("p1\0text\0"),	/* the case matters */
	    ROW_OF("Q1\0text\0"),	/* an unknown type */
	    ROW_OF("\xd0"
		   "1\0text\0"), /* not 'P', if chars had seven bits */
	    ROW_OF("R\0\0"),
	    ROW_OF("R\0\0\0\0"),
	    ROW_OF("I"),
	    ROW_OF("I\0\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		be(WIRE_MODULE, WIRE_IDLE);
		put(rows[i].bytes, rows[i].len);
		if (hear() != -OTP_EPROTO)
			fail_msg("row %zu passed", i);
		assert_int_equal(wire.state, WIRE_DONE);
	}
}

/* A message of len bytes in all whose last field is filled up. */
static void
put_long(char type, size_t len)
{
	char *bytes = malloc(len);
	size_t n = message(type, bytes);

	memset(bytes + n - 1, 'y', len - n);
	bytes[len - 1] = '\0';
	put(bytes, len);
	free(bytes);
}

static void
bounds_are_exact(void **state)
{
	static const struct {
		enum wire_side side;
		enum wire_state at;
		char type;
		size_t max;
	} rows[] = {
	    {WIRE_MODULE, WIRE_AT_START, 'H', 2048},
	    {WIRE_HELPER, WIRE_AT_HELLO, 'S', 16384},
	    {WIRE_MODULE, WIRE_IDLE, 'P', 2048},
	    {WIRE_HELPER, WIRE_ASKED, 'A', 2048},
	    {WIRE_HELPER, WIRE_ASKED, 'X', 2048},
	    {WIRE_MODULE, WIRE_IDLE, 'I', 2048},
	    {WIRE_MODULE, WIRE_IDLE, 'E', 2048},
	    {WIRE_MODULE, WIRE_IDLE, 'R', 2048},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		be(rows[i].side, rows[i].at);
		put_long(rows[i].type, rows[i].max);
		assert_int_equal(hear(), 0);
		be(rows[i].side, rows[i].at);
		put_long(rows[i].type, rows[i].max + 1);
		assert_int_equal(hear(), -OTP_EPROTO);
		be(rows[i].side, rows[i].at);
		put_long(rows[i].type, 70000);
		assert_int_equal(hear(), -OTP_EPROTO);
	}
}

static void
what_is_too_long_is_not_sent(void **state)
{
	static char text[WIRE_MAX];
	const char *const field[] = {text};

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	be(WIRE_MODULE, WIRE_ASKED);
	assert_int_equal(wire_send(&wire, WIRE_ANSWER, field, deadline_in(0)), -OTP_ETOOBIG);
	assert_int_equal(recv(fd[THERE], text, 1, MSG_DONTWAIT), -1);
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(wire_send(&wire, WIRE_ANSWER, field, deadline_in(0)), 0);
	assert_int_equal(wire_send(&wire, (enum wire_type)'Z', field, deadline_in(0)), -OTP_EPROTO);
}

static void
an_empty_datagram_is_no_end_of_file(void **state)
{
	(void)state;
	be(WIRE_MODULE, WIRE_IDLE);
	put("", 0);
	assert_int_equal(hear(), -OTP_EPROTO);
	be(WIRE_MODULE, WIRE_DONE);
	put("", 0);
	assert_int_equal(wire_eof(&wire, deadline_in(0)), -OTP_EPROTO);
	be(WIRE_MODULE, WIRE_IDLE);
	hang_up();
	assert_int_equal(hear(), -OTP_EGONE);
	assert_int_equal(wire.state, WIRE_DONE);
}

static void
a_half_closed_peer_is_no_end_of_file(void **state)
{
	(void)state;
	be(WIRE_MODULE, WIRE_DONE);
	assert_int_equal(shutdown(fd[THERE], SHUT_WR), 0);
	assert_int_equal(wire_eof(&wire, deadline_in(0)), -OTP_EPROTO);
}

static void
only_end_of_file_follows_a_result(void **state)
{
	char bytes[64];

	(void)state;
	be(WIRE_MODULE, WIRE_DONE);
	assert_int_equal(wire_eof(&wire, deadline_in(20)), -OTP_ETIME);
	for (const char *t = types; *t; t++) {
		be(WIRE_MODULE, WIRE_DONE);
		put(bytes, message(*t, bytes));
		assert_int_equal(wire_eof(&wire, deadline_in(0)), -OTP_EPROTO);
	}
	be(WIRE_MODULE, WIRE_IDLE);
	put(bytes, message('R', bytes));
	put(bytes, message('R', bytes));
	assert_int_equal(hear(), 0);
	hang_up();
	assert_int_equal(wire_eof(&wire, deadline_in(0)), -OTP_EPROTO);
}

/* The helper's last message is read although it closed with our answer unread (ECONNRESET). */
static void
what_was_said_before_a_reset_is_heard(void **state)
{
	const char *const answer[] = {"123456"};
	char bytes[64];

	(void)state;
	be(WIRE_MODULE, WIRE_ASKED);
	put(bytes, message('R', bytes));
	assert_int_equal(wire_send(&wire, WIRE_ANSWER, answer, deadline_in(0)), 0);
	hang_up();
	assert_int_equal(hear(), 0);
	assert_int_equal(frame.type, WIRE_RESULT);
	assert_int_equal(wire_eof(&wire, deadline_in(0)), 0);
}

/* The deadline's R crosses the answer: the answer is lost, the result counts. */
static void
an_answer_may_cross_a_result(void **state)
{
	const char *const answer[] = {"123456"}, *const result[] = {"denied", "late", "id"};
	struct wire helper;

	(void)state;
	be(WIRE_MODULE, WIRE_ASKED);
	wire_init(&helper, fd[THERE], WIRE_HELPER);
	helper.state = WIRE_ASKED;
	assert_int_equal(wire_send(&wire, WIRE_ANSWER, answer, deadline_in(0)), 0);
	assert_int_equal(wire_send(&helper, WIRE_RESULT, result, deadline_in(0)), 0);
	assert_int_equal(helper.state, WIRE_DONE);
	assert_int_equal(wire_recv(&helper, &frame, deadline_in(0)), -OTP_EPROTO);
	assert_int_equal(hear(), 0);
	assert_string_equal(frame.field[RESULT_WORD], "denied");
}

static void
deadlines_end_waits_but_not_what_is_queued(void **state)
{
	char bytes[64];

	(void)state;
	be(WIRE_MODULE, WIRE_IDLE);
	assert_int_equal(wire_recv(&wire, &frame, deadline_in(30)), -OTP_ETIME);
	assert_int_equal(wire.state, WIRE_IDLE);
	put(bytes, message('I', bytes));
	assert_int_equal(wire_recv(&wire, &frame, deadline_in(-1000)), 0);
}

static void
a_full_socket_ends_at_the_deadline(void **state)
{
	static char text[WIRE_MAX - 2];
	const char *const field[] = {text};
	struct deadline dl = deadline_in(100);
	int r = 0;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	be(WIRE_HELPER, WIRE_IDLE);
	for (int i = 0; !r && i < 100000; i++)
		r = wire_send(&wire, WIRE_INFO, field, dl);
	assert_int_equal(r, -OTP_ETIME);
	hang_up();
	be(WIRE_HELPER, WIRE_IDLE);
	assert_int_equal(wire_send(&wire, WIRE_INFO, field, deadline_in(1000)), -OTP_EGONE);
}

static void
on_signal(int sig)
{
	(void)sig;
}

static void
signals_do_not_end_a_wait(void **state)
{
	struct sigaction act = {.sa_handler = on_signal}, old;
	struct itimerval often = {{0, 10000}, {0, 10000}}, never = {0};

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &act, &old), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	be(WIRE_MODULE, WIRE_IDLE);
	assert_int_equal(wire_recv(&wire, &frame, deadline_in(150)), -OTP_ETIME);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
}

/* Does the manual allow these bytes as a message of the helper to an idle module? */
static bool
manual_frame(const char *bytes, size_t len)
{
	size_t fields = 0;

	if (!len || !bytes[0] || !strchr("PIER", bytes[0]) || bytes[len - 1] || len < 2)
		return false;
	for (size_t i = 1; i < len; i++)
		fields += !bytes[i];
	return fields == fields_of(bytes[0]);
}

/* Random frames from few letters, so that many are nearly right; parsed as the manual says. */
static void
random_frames_never_surprise(void **state)
{
	static const char letters[] = "HSPAXIERx\0\0\0\0\xff";
	uint64_t seed = 20261122;
	char bytes[40];
	int passed = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		size_t len = 1 + fixed_random(&seed) % (sizeof(bytes) - 1);

		for (size_t k = 0; k < len; k++)
			bytes[k] = letters[fixed_random(&seed) % (sizeof(letters) - 1)];
		len = fixed_random(&seed) % 2 ? 1 + len % 8 : len;
		be(WIRE_MODULE, WIRE_IDLE);
		put(bytes, len);
		assert_int_equal(hear(), manual_frame(bytes, len) ? 0 : -OTP_EPROTO);
		passed += manual_frame(bytes, len);
	}
	assert_in_range(passed, 500, 50000);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(only_legal_messages_pass_in_every_state),
	    TEST(after_a_refusal_nothing_is_legal),
	    TEST(a_whole_sign_in_passes),
	    TEST(malformed_frames_are_refused),
	    TEST(bounds_are_exact),
	    TEST(what_is_too_long_is_not_sent),
	    TEST(an_empty_datagram_is_no_end_of_file),
	    TEST(a_half_closed_peer_is_no_end_of_file),
	    TEST(only_end_of_file_follows_a_result),
	    TEST(what_was_said_before_a_reset_is_heard),
	    TEST(an_answer_may_cross_a_result),
	    TEST(deadlines_end_waits_but_not_what_is_queued),
	    TEST(a_full_socket_ends_at_the_deadline),
	    TEST(signals_do_not_end_a_wait),
	    TEST(random_frames_never_surprise),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
