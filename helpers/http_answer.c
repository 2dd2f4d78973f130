/* What an answer's head says. */
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "helpers/http.h"

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

/* The next line of the head that is the named header; its value, trimmed, in *value and *len. */
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
