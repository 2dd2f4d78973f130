/*
 * Makes the message of a mail (RFC 5322).
 *
 * MUST:
 *  - No value can end a header or an address early. Control characters are refused. A subject or
 *    name that is not plain ASCII is encoded (RFC 2047).
 *  - The headers that are added here contain nothing of the code or the user.
 */
#include "helpers/http/mail.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"

enum {
	WORD_BYTES = 36, /* bytes of text in an encoded word; a "Subject: " line has 69 then */
	MAIL_HEADER_MAX = 2048,
	ID_BYTES = 16,
};

/* True if the text needs no encoding in a header. "=?" would begin an encoded word. */
static bool
is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if (*p & 0x80)
			return false;
	return strlen(s) <= WORD_BYTES && !strstr(s, "=?");
}

/* How many bytes of the text go into the next encoded word. It divides no character. */
static size_t
word_len(const char *s)
{
	size_t len = strlen(s);

	if (len <= WORD_BYTES)
		return len;
	len = WORD_BYTES;
	while (len && (s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void
put_words(struct buf *b, const char *s)
{
	unsigned char word[4 * WORD_BYTES / 3 + 4];

	for (size_t len; *s; s += len) {
		len = word_len(s);
		(void)EVP_EncodeBlock(word, (const unsigned char *)s, (int)len);
		buf_putf(b, "=?UTF-8?B?%s?=%s", word, s[len] ? "\r\n " : "");
	}
}

static void
put_subject(struct buf *b, const char *subject)
{
	buf_puts(b, "Subject: ");
	if (is_plain(subject))
		buf_puts(b, subject);
	else
		put_words(b, subject);
}

static void
put_from(struct buf *b, const char *name, const char *address)
{
	buf_puts(b, "From: ");
	if (*name && is_plain(name)) {
		buf_putc(b, '"');
		for (; *name; name++)
			buf_putf(b, "%s%c", *name == '"' || *name == '\\' ? "\\" : "", *name);
		buf_puts(b, "\" ");
	} else if (*name) {
		put_words(b, name);
		buf_putc(b, ' ');
	}
	buf_putf(b, "<%s>", address);
}

/* The date of RFC 5322, 3.3. strftime() would use the names of the locale. */
static void
put_date(struct buf *b)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm t;

	if (!gmtime_r(&now, &t))
		memset(&t, 0, sizeof(t));
	buf_putf(b, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday,
	    months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* A random Message-ID. Its domain is the sender's, which the mail shows anyway. */
static int
put_id(struct buf *b, const char *from)
{
	unsigned char id[ID_BYTES];

	if (RAND_bytes(id, sizeof(id)) != 1)
		return -OTP_ENOMEM;
	buf_puts(b, "Message-ID: <");
	for (size_t i = 0; i < sizeof(id); i++)
		buf_putf(b, "%02x", id[i]);
	buf_putf(b, "%s>", strchr(from, '@'));
	return 0;
}

static int
append(struct curl_slist **list, const char *s)
{
	struct curl_slist *l = s ? curl_slist_append(*list, s) : NULL;

	if (!l)
		return -OTP_ENOMEM;
	*list = l;
	return 0;
}

static int
add_headers(const struct http_mail *m, const char *request_id, struct curl_slist **list)
{
	enum { FROM, TO, SUBJECT, DATE, ID, REQUEST, HEADERS };
	struct buf line[HEADERS];
	int r;

	for (size_t i = 0; i < HEADERS; i++)
		line[i] = (struct buf)BUF_INIT(MAIL_HEADER_MAX);
	put_from(&line[FROM], m->from_name, m->from);
	buf_putf(&line[TO], "To: <%s>", m->to);
	put_subject(&line[SUBJECT], m->subject);
	put_date(&line[DATE]);
	r = put_id(&line[ID], m->from);
	buf_putf(&line[REQUEST], "X-Request-ID: %s", request_id ? request_id : "");
	for (size_t i = 0; i < HEADERS; i++) {
		if (!r && (i != REQUEST || request_id))
			r = append(list, buf_str(&line[i]));
		buf_free(&line[i]);
	}
	/* This header (RFC 3834) asks mail programs to send no automatic answer. */
	return r ? r : append(list, "Auto-Submitted: auto-generated");
}

/*
 * Adds the text with lines that end in CR LF, as quoted-printable wants it. The encoder escapes all
 * other control characters.
 */
static int
add_text(CURL *e, const char *text, curl_mime **out)
{
	_auto_buf struct buf lines = BUF_INIT(2 * HTTP_BODY_MAX);
	curl_mimepart *part;

	for (; *text; text++) {
		if (*text == '\n')
			buf_putc(&lines, '\r');
		if (*text != '\r')
			buf_putc(&lines, *text);
	}
	*out = curl_mime_init(e);
	part = *out ? curl_mime_addpart(*out) : NULL;
	if (!part || !buf_str(&lines) || curl_mime_data(part, buf_str(&lines), lines.len) ||
	    curl_mime_type(part, "text/plain; charset=utf-8") ||
	    curl_mime_encoder(part, "quoted-printable"))
		return -OTP_ENOMEM;
	return 0;
}

int
mail_message(CURL *e, const struct http_mail *m, const char *request_id, struct mail_dialog *t)
{
	CURLcode c;

	if (append(&t->to, m->to) || add_headers(m, request_id, &t->headers) ||
	    add_text(e, m->text, &t->mime))
		return -OTP_ENOMEM;
	c = curl_easy_setopt(e, CURLOPT_MAIL_FROM, m->from);
	c = c ? c : curl_easy_setopt(e, CURLOPT_MAIL_RCPT, t->to);
	c = c ? c : curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	c = c ? c : curl_easy_setopt(e, CURLOPT_MIMEPOST, t->mime);
	return c ? -OTP_ENOMEM : 0;
}

void
mail_free(struct mail_dialog *t)
{
	curl_mime_free(t->mime);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->to);
	*t = (struct mail_dialog){0};
}
