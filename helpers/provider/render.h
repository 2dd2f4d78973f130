/* Renders a profile's request: puts values into its templates. Only request.c uses it. */
#ifndef OTP_PROVIDER_RENDER_H
#define OTP_PROVIDER_RENDER_H

#include "helpers/http/http.h"
#include "helpers/profile/profile.h"
#include "helpers/template/template.h"

enum { REQUEST_HEADERS_MAX = 32 };

enum mail_part { MAIL_FROM, MAIL_FROM_NAME, MAIL_TO, MAIL_SUBJECT, MAIL_BODY, MAIL_PARTS };

/* A rendered request. Each text in it may have a secret in it. */
struct rendered {
	struct buf url;
	struct buf login;
	struct buf password;
	bool has_login;
	struct buf body;
	bool has_body;
	struct buf header[REQUEST_HEADERS_MAX];
	const char *line[REQUEST_HEADERS_MAX];
	size_t nheaders;
	struct buf part[MAIL_PARTS];
	struct http_mail mail;
	bool is_mail;
};

/*
 * Renders q into *d. The caller zeroes *d before, and calls rendered_free() afterwards, also after
 * a failure. 0; -OTP_EINVAL if a value is not allowed in its place; -OTP_ENOENT if a variable has
 * no value; -OTP_ETOOBIG; -OTP_ENOMEM.
 */
int request_render(const struct request *q, const struct template_values *v, struct rendered *d);
/* True if "${name:CONVERSION}" can make a JSON value of this text. */
bool render_fits(const char *conversion, const char *value);
/* The result borrows from q and d. */
struct http_request rendered_request(const struct request *q, struct rendered *d);
void rendered_free(struct rendered *d);

#endif
