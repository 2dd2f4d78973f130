/* The texts of one request: a profile's templates with their values. For request.c alone. */
#ifndef OTP_PROVIDER_RENDER_H
#define OTP_PROVIDER_RENDER_H

#include "helpers/http/http.h"
#include "helpers/profile/profile.h"
#include "helpers/template/template.h"

enum { REQUEST_HEADERS_MAX = 32 };

enum mail_part { MAIL_FROM, MAIL_FROM_NAME, MAIL_TO, MAIL_SUBJECT, MAIL_BODY, MAIL_PARTS };

/* All of it may hold secrets. */
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
 * d is zeroed before, and freed after whatever came of it. 0; -OTP_EINVAL, -OTP_ENOENT or
 * -OTP_ETOOBIG where a value does not fit its place; -OTP_ENOMEM.
 */
int request_render(const struct request *q, const struct template_values *v, struct rendered *d);
/* Borrowed from q and d. */
struct http_request rendered_request(const struct request *q, struct rendered *d);
void rendered_free(struct rendered *d);

#endif
