/* Reads headers of an answer, and calls the implementation's functions. */
#include "helpers/http/http.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/email.h"

enum { LINE_MAX_BYTES = 256 }; /* the longest subject or name of a mail */

void
http_answer_clear(struct http_answer *a)
{
	buf_free(&a->head);
	buf_free(&a->body);
	*a = (struct http_answer){
	    .head = BUF_INIT(HTTP_HEAD_MAX),
	    .body = BUF_INIT(HTTP_BODY_MAX),
	    .failure = "",
	};
}

/*
 * Finds the next header of this name. *value and *len are its value, without blanks around it.
 * Returns the line after it, or NULL if there is none.
 */
static const char *
next_header(const char *head, const char *name, const char **value, size_t *len)
{
	size_t n = strlen(name);

	for (const char *line = head; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');

		if (strncasecmp(line, name, n) || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*value = line;
		*len = (size_t)(end - line);
		return strchr(end, '\n') + 1;
	}
	return NULL;
}

int
http_header(struct http_answer *a, const char *name, struct buf *b)
{
	const char *value, *head = buf_str(&a->head);
	size_t len;

	if (!head || !next_header(head, name, &value, &len))
		return -OTP_ENOENT;
	return buf_put(b, value, len);
}

int
http_cookie(struct http_answer *a, const char *name, struct buf *b)
{
	const char *value, *at = buf_str(&a->head);
	size_t len, n = strlen(name);

	while (at && (at = next_header(at, "Set-Cookie", &value, &len))) {
		if (len <= n || strncmp(value, name, n) || value[n] != '=')
			continue;
		value += n + 1;
		return buf_put(b, value, strcspn(value, ";\n"));
	}
	return -OTP_ENOENT;
}

/* True for text that may be a subject or a name. */
static bool
is_line(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return strlen(s) <= LINE_MAX_BYTES && text_is_utf8(s);
}

const char *
http_mail_wrong(const struct http_mail *m, const char **part)
{
	static const char line[] = "expected one line of at most 256 bytes, in UTF-8 and without "
				   "control characters";
	const char *why;

	*part = "from";
	if (email_check(m->from, EMAIL_SENDER, &why))
		return why;
	*part = "to";
	if (email_check(m->to, EMAIL_RECIPIENT, &why))
		return why;
	*part = "from_name";
	if (!is_line(m->from_name))
		return line;
	*part = "subject";
	if (!is_line(m->subject))
		return line;
	*part = "text";
	return text_is_utf8(m->text) ? NULL : "expected UTF-8";
}

int
http_perform(struct http *h, const struct http_request *q, const struct http_route *route,
    struct deadline dl, struct http_answer *a)
{
	http_answer_clear(a);
	return h->ops->perform(h, q, route, dl, a);
}

void
http_begin(struct http *h, const struct http_request *q, const struct http_route *route)
{
	h->ops->begin(h, q, route);
}

void
http_idle(struct http *h, struct deadline dl)
{
	h->ops->idle(h, dl);
}

void
http_forget_peer(struct http *h)
{
	h->ops->forget_peer(h);
}

void
http_close(struct http *h)
{
	if (h)
		h->ops->close(h);
}
