/*
 * A host for tests. It signs a user in through libpam and pam_otp.so with a scripted helper
 * (fake-helper.c), and checks that the module has changed nothing of the host.
 */
#ifndef OTP_TESTS_MODULE_HARNESS_H
#define OTP_TESTS_MODULE_HARNESS_H

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Special replies of the host's conversation function. */
extern const char reply_nothing[];   /* PAM_SUCCESS, and a response without text */
extern const char reply_untouched[]; /* PAM_SUCCESS, and no response is set */
extern const char reply_fails[];     /* PAM_CONV_ERR */
#define PLAY_SECRET "27182818284590"
/* PAM_CONV_ERR, and yet a response, whose text contains the secret */
extern const char reply_fails_full[];

/* The result of the stack if the module returned PAM_IGNORE: the next line of the stack decides. */
enum { PLAY_IGNORED = PAM_CRED_EXPIRED };
/* Any failure. libpam returns one of its own if it cannot write its audit record. */
enum { PLAY_FAILED = -1 };
enum { PLAY_REPLIES = 6 };

/*
 * A second build of the module. Its default paths are HERE_SOCKET and a scripted helper, both in
 * the current folder. That helper's script is HERE_SCRIPT.
 */
#define HERE_MODULE "pam_otp_here.so"
#define HERE_SCRIPT "default-script"

/* One sign-in and its expected results. A result that is NULL is not checked. */
struct play {
	const char *name;
	const char *script;		 /* the helper's */
	const char *module;		 /* "pam_otp.so" where NULL */
	const char *args;		 /* module arguments beside helper= and config= */
	const char *only_args;		 /* only these module arguments */
	const char *stage;		 /* arguments of a pam_stage.so before the module */
	const char *user;		 /* "alice" where NULL */
	int flags;			 /* of pam_authenticate() */
	void (*prepare)(pam_handle_t *); /* runs directly before pam_authenticate() */
	void (*restore)(void);		 /* runs directly after it */
	size_t thread_stack;  /* bytes; if not 0, it runs in a thread with such a stack */
	void (*during)(void); /* runs in each prompt */
	const char *reply[PLAY_REPLIES]; /* to the prompts; each must be used */
	int expect;
	const char *shown;    /* what the user saw: "on|off|info|error:TEXT\n"... */
	const char *got;      /* what the helper recorded, without end-of-file */
	const char *logged;   /* a part of the log */
	const char *unlogged; /* no part of the log */
};

/*
 * Makes a temporary folder and moves there. If before_drop is not NULL, it runs then. After that,
 * root becomes the user 65534, unless stay_root.
 */
void harness_begin(bool stay_root, void (*before_drop)(void));
/* Prints what failed and errno, and ends the process. */
_Noreturn void give_up(const char *what);
/* Removes the folder. */
void harness_end(void);
const char *harness_dir(void);
bool harness_sanitized(void);

/* Runs the sign-in. False, with reasons on standard error, if anything is not as expected. */
bool play(const struct play *p);
/* As play(), in a child process, after before() if that is not NULL. */
bool play_apart(const struct play *p, void (*before)(void));
/* Runs body in a child process. Returns what body returned, or false if the child died. */
bool apart(bool (*body)(void));
/*
 * Calls another function of libpam, for which the module's line in the stack has this type. Returns
 * its result, which may be PLAY_IGNORED.
 */
int call_service(int (*service)(pam_handle_t *, int), const char *type);
/* Called during a play: prints why, and makes the play fail. */
void play_spoil(const char *why);
/* Writes a small file into the current folder. */
void put_file(const char *name, const char *text, mode_t mode);
/* The log lines of the last play. */
const char *play_log(void);

/* Describes everything of the process that a module could change, as text. */
void describe_self(char *out, size_t size);
/* Lists at most max children of a process, including zombies, and returns their number. */
size_t children_of(pid_t parent, pid_t *out, size_t max);
/* True if the process exists and is no zombie. */
bool process_lives(pid_t pid);
long now_ms(void);
void nap_ms(long ms);

/*
 * Starts a service manager as a child process, and returns its PID. It listens on a socket in the
 * folder. After delay_ms it starts to accept, with a scripted helper for each connection. path
 * (SOCKET_NAME bytes) becomes the path of the socket.
 */
enum { SOCKET_NAME = 108 };
pid_t socket_open(const char *script, int backlog, int delay_ms, char *path);
/* As socket_open(), at this name in the current folder. */
pid_t socket_open_at(const char *name, const char *script);
void socket_close(pid_t pid);

#endif
