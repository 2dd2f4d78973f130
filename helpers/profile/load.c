#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/base/json.h"
#include "helpers/profile/profile.h"
#include "helpers/profile/reader.h"
#include "helpers/profile/read.h"

enum { PROFILE_MAX = 256 * 1024 };

/* Reads NAME.json from the first folder that has it. *file becomes its path. */
static int
find_file(const char *name, const struct strlist *folders, uid_t second_owner, char **file,
    struct secret *text, struct conf_report *report)
{
	int r = -OTP_ENOENT;

	for (size_t i = 0; r == -OTP_ENOENT && i < folders->n; i++) {
		free(take(file));
		if (asprintf(file, "%s/%s.json", folders->item[i], name) < 0) {
			*file = NULL;
			return -OTP_ENOMEM;
		}
		r = trust_read(*file, second_owner, TRUST_PUBLIC, PROFILE_MAX, text);
	}
	if (r == -OTP_ENOENT)
		conf_error(report, NULL, 0,
		    "profile %s: there is no %s.json in any folder of [paths] profiles", name,
		    name);
	else if (r)
		conf_error(report, *file, 0,
		    "%s: expected a regular file of at most %d KiB, owned by root and writable by "
		    "nobody else",
		    otp_strerror(r), PROFILE_MAX / 1024);
	return r ? -OTP_ECONF : 0;
}

static int
apply_variant(struct reader *rd, json_t *root, const char *variant)
{
	json_t *variants = json_object_get(root, "variants");
	/* A reference of our own, because the patch may change `variants`, too. */
	_auto_json json_t *patch = variant ? json_incref(json_object_get(variants, variant)) : NULL;
	size_t before = reader_down(rd, "variants");

	if (variants && !json_is_object(variants))
		reader_fault(rd, "expected an object");
	else if (variant && !json_is_object(patch))
		reader_fault(rd, "there is no variant \"%s\"", variant);
	reader_up(rd, before);
	if (rd->failed)
		return -OTP_ECONF;
	return patch && json_merge_patch(root, patch) ? -OTP_ENOMEM : 0;
}

int
profile_load(const char *name, const char *variant, const struct strlist *folders,
    uid_t second_owner, struct profile **out, struct conf_report *report)
{
	_auto_secret struct secret text = {0};
	_auto_json json_t *root = NULL;
	struct profile *p = calloc(1, sizeof(*p));
	struct reader rd = {.report = report, .p = p};
	char why[128];
	int r = p ? find_file(name, folders, second_owner, &p->file, &text, report) : -OTP_ENOMEM;

	if (r)
		goto out;
	rd.file = p->file;
	if (json_read(secret_str(&text), text.len, &root, why, sizeof(why))) {
		conf_error(report, p->file, 0, "%s", why);
		r = -OTP_ECONF;
		goto out;
	}
	r = apply_variant(&rd, root, variant);
	if (!r)
		profile_read(&rd, root);
	if (!r && rd.failed)
		r = -OTP_ECONF;
out:
	if (r)
		profile_free(p);
	else
		*out = p;
	return r;
}
