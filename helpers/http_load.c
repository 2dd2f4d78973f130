#include "helpers/http_load.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "helpers/log.h"

/* The kernel's word for it: a name that the caller gave would be the caller's to choose. */
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

int
http_load(http_open_fn **out)
{
	const struct http_object *object = NULL;
	char path[PATH_MAX + sizeof(HTTP_OBJECT)];
	void *part = NULL;

	if (path_beside_us(path, sizeof(path))) {
		otp_log(LOG_ERR, "/proc/self/exe cannot be read, so " HTTP_OBJECT " is not found");
		return -OTP_ESYS;
	}
	/* Lazy, for the libraries behind it: ours is bound at once, as it was linked to be. */
	part = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (part)
		object = dlsym(part, HTTP_OBJECT_SYMBOL);
	if (!object) {
		otp_log(LOG_ERR, "what speaks HTTP cannot be loaded: %s", dlerror());
		return -OTP_ESYS;
	}
	/* In the moment of an upgrade. */
	if (strcmp(object->build, OTP_BUILD) != 0) {
		otp_log(LOG_ERR, "%s is not of the build of otp-helper: install both again", path);
		return -OTP_EPROTO;
	}
	*out = object->open;
	return 0;
}
