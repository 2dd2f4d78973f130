#include "helpers/otp-helper/http_load.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/trust.h"
#include "helpers/http/object.h"
#include "helpers/base/log.h"
#include "http_build.h"

/* An upgrade installs program and object one after the other, so a failure is tried again. */
enum { ROUNDS = 10, ROUND_NS = 100 * 1000 * 1000, WHY_MAX = 2 * PATH_MAX };

/*
 * The path of the object, in the folder of this program. The kernel names the program: argv[0]
 * would let the caller choose the folder.
 */
static int
path_beside_us(char *dst, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));
	const char *slash = n > 0 ? memrchr(exe, '/', (size_t)n) : NULL;
	int len;

	if (!slash || n == sizeof(exe))
		return -OTP_ESYS;
	len = snprintf(dst, size, "%.*s/%s", (int)(slash - exe), exe, HTTP_OBJECT);
	return len > 0 && (size_t)len < size ? 0 : -OTP_ESYS;
}

/* Tries to load the object, one time. *why gets the reason of a failure. */
static int
load(const char *path, uid_t second_owner, http_open_fn **out, struct buf *why)
{
	const struct http_object *object;
	char culprit[PATH_MAX];
	void *part;

	if (trust_path(path, second_owner, culprit, sizeof(culprit))) {
		buf_putf(why, "%s: expected owner root, and nobody else who may write it", culprit);
		return -OTP_EPERM;
	}
	/*
	 * RTLD_LAZY has an effect only on the libraries that the object needs. The object itself
	 * was linked to bind at once.
	 */
	part = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	object = part ? dlsym(part, HTTP_OBJECT_SYMBOL) : NULL;
	if (!object) {
		buf_putf(why, "%s", dlerror());
		if (part)
			(void)dlclose(part);
		return -OTP_ESYS;
	}
	if (strcmp(object->build, HTTP_BUILD) != 0) {
		buf_putf(
		    why, "%s: it is from another build than otp-helper; install both again", path);
		(void)dlclose(part);
		return -OTP_EPROTO;
	}
	*out = object->open;
	return 0;
}

int
http_load(uid_t second_owner, http_open_fn **out)
{
	const struct timespec round = {.tv_nsec = ROUND_NS};
	char path[PATH_MAX + sizeof(HTTP_OBJECT)];
	int r = path_beside_us(path, sizeof(path));

	if (r) {
		otp_log(LOG_ERR, "/proc/self/exe cannot be read, so " HTTP_OBJECT " is not found");
		return r;
	}
	for (int i = 1;; i++) {
		_auto_buf struct buf why = BUF_INIT(WHY_MAX);
		const char *text;

		r = load(path, second_owner, out, &why);
		if (!r)
			return 0;
		text = buf_str(&why);
		if (i == ROUNDS || r == -OTP_EPERM) {
			otp_log(LOG_ERR, HTTP_OBJECT " cannot be loaded: %s", text ? text : "");
			return r;
		}
		(void)nanosleep(&round, NULL);
	}
}
