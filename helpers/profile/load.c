#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/base/json.h"
#include "helpers/conf/parse.h"
#include "helpers/profile/profile.h"
#include "helpers/profile/reader.h"
#include "helpers/profile/read.h"

enum { PROFILE_MAX = 256 * 1024, NAMES_MAX = 64 };

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
	if (!r || r == -OTP_ENOENT)
		return r;
	conf_error(report, *file, 0,
	    "%s: expected a regular file of at most %d KiB, owned by root and writable by nobody "
	    "else",
	    otp_strerror(r), PROFILE_MAX / 1024);
	return -OTP_ECONF;
}

static void
report_variant(struct reader *rd, json_t *variants, const char *variant)
{
	const char *known[NAMES_MAX], *near, *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach (variants, key, value)
		if (n < NAMES_MAX)
			known[n++] = key;
	near = conf_suggest(variant, known, n);
	reader_fault(rd, "there is no variant \"%s\"%s%s%s", variant,
	    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
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
		report_variant(rd, variants, variant);
	reader_up(rd, before);
	if (rd->failed)
		return -OTP_ECONF;
	return patch && json_merge_patch(root, patch) ? -OTP_ENOMEM : 0;
}

/* Adds the names of the profiles in a folder. Without memory, some are missing. */
static void
add_names(const char *folder, struct strlist *names)
{
	DIR *d = opendir(folder);

	for (struct dirent *e; d && names->n < NAMES_MAX && (e = readdir(d));) {
		size_t len = strlen(e->d_name);

		if (len <= strlen(".json") || strcmp(e->d_name + len - strlen(".json"), ".json"))
			continue;
		e->d_name[len - strlen(".json")] = '\0';
		if (!strlist_has(names, e->d_name))
			(void)strlist_add(names, e->d_name);
	}
	if (d)
		(void)closedir(d);
}

const char *
profile_suggest(const char *name, const struct strlist *folders, char *dst, size_t size)
{
	struct strlist names = {0};
	const char *near;

	for (size_t i = 0; i < folders->n; i++)
		add_names(folders->item[i], &names);
	near = conf_suggest(name, (const char *const *)names.item, names.n);
	(void)snprintf(dst, size, "%s", near ? near : "");
	strlist_free(&names);
	return near ? dst : NULL;
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
