/*
 * A host in a test: it signs somebody in through libpam and pam_otp.so, with a scripted helper
 * (fake-helper.c) behind the module, and compares itself before and after.
 */
#ifndef OTP_TESTS_MODULE_HARNESS_H
#define OTP_TESTS_MODULE_HARNESS_H

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Replies that are no text. */
extern const char reply_nothing[];   /* success, a response without text */
extern const char reply_untouched[]; /* success, the response pointer is left alone */
extern const char reply_fails[];     /* PAM_CONV_ERR */
#define PLAY_SECRET "27182818284590"
/* PAM_CONV_ERR, and a text in the response all the same, with the secret in it */
extern const char reply_fails_full[];

/* What the stack says where the module said PAM_IGNORE: another line decides then. */
enum { PLAY_IGNORED = PAM_CRED_EXPIRED };
/* Any failure: libpam makes one of its own where it cannot even write its audit record. */
enum { PLAY_FAILED = -1 };
enum { PLAY_REPLIES = 6 };

/*
 * The module once more, built with HERE_SOCKET and the scripted helper, both in the current folder,
 * in the place of its default paths. That helper's script is HERE_SCRIPT.
 */
#define HERE_MODULE "pam_otp_here.so"
#define HERE_SCRIPT "default-script"

/* One sign-in, and what must come of it. NULL expectations are not looked at. */
struct play {
	const char *name;
	const char *script;		 /* the helper's */
	const char *module;		 /* "pam_otp.so" where NULL */
	const char *args;		 /* module arguments beside helper= and config= */
	const char *only_args;		 /* these instead of all others */
	const char *stage;		 /* arguments of a pam_stage.so in front */
	const char *user;		 /* "alice" where NULL */
	int flags;			 /* of pam_authenticate() */
	void (*prepare)(pam_handle_t *); /* directly before pam_authenticate() */
	void (*restore)(void);		 /* directly after it */
	size_t thread_stack;		 /* not 0: it runs in a thread with such a stack */
	void (*during)(void);		 /* inside each prompt */
	const char *reply[PLAY_REPLIES]; /* to the prompts; each must be asked for */
	int expect;
	const char *shown;    /* what the person saw: "on|off|info|error:TEXT\n"... */
	const char *got;      /* what the helper recorded, end-of-file left out */
	const char *logged;   /* stands in the log */
	const char *unlogged; /* does not */
};

/*
 * Makes a folder of its own for the program and moves there; root becomes the user 65534, unless
 * stay_root. before_drop, where not NULL, runs in the folder while still root.
 */
void harness_begin(bool stay_root, void (*before_drop)(void));
/* Says what failed and why (errno), and ends the process. */
_Noreturn void give_up(const char *what);
/* Removes the folder. */
void harness_end(void);
const char *harness_dir(void);
bool harness_sanitized(void);

/* Plays it; false, with the reasons on standard error, when anything was not as expected. */
bool play(const struct play *p);
/* The same in a process of its own, after before() where that is not NULL. */
bool play_apart(const struct play *p, void (*before)(void));
/* Runs body in a process of its own: what it returned, false when that process died. */
bool apart(bool (*body)(void));
/*
 * Calls another service of the module, for which its line stands under that type in the stack.
 * PLAY_IGNORED as above.
 */
int call_service(int (*service)(pam_handle_t *, int), const char *type);
/* From within a play: it cannot be as expected any more. */
void play_spoil(const char *why);
/* Writes a small file into the current folder. */
void put_file(const char *name, const char *text, mode_t mode);
/* The log lines of the last play. */
const char *play_log(void);

/* Everything of the process that a module may leave changed, as text. */
void describe_self(char *out, size_t size);
/* The children of a process, zombies too; how many there are. */
size_t children_of(pid_t parent, pid_t *out, size_t max);
/* Is the process there, and no zombie? */
bool process_lives(pid_t pid);
long now_ms(void);
void nap_ms(long ms);

/*
 * A service manager in a process of its own: listens on a socket in the folder and starts the
 * scripted helper for each connection, from delay_ms on. Returns its pid; the name of the socket
 * is in path, which has SOCKET_NAME bytes.
 */
enum { SOCKET_NAME = 108 };
pid_t socket_open(const char *script, int backlog, int delay_ms, char *path);
/* The same at a name in the current folder. */
pid_t socket_open_at(const char *name, const char *script);
void socket_close(pid_t pid);

#endif
