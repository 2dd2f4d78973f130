HELPER_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS) \
	$(INI_CFLAGS)
HELPER_LIBS = $(CURL_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(INI_LIBS)

# What otp-helper and otpctl share, and the unit tests link.
noinst_LTLIBRARIES += helpers/libhelpers.la
helpers_libhelpers_la_CFLAGS = $(HELPER_CFLAGS)
helpers_libhelpers_la_LIBADD = common/libcommon.la $(HELPER_LIBS)
helpers_libhelpers_la_SOURCES = \
	helpers/account.c helpers/account.h \
	helpers/bindings.c helpers/bindings.h \
	helpers/challenge.c helpers/challenge.h \
	helpers/conf.c helpers/conf.h \
	helpers/conf_check.c helpers/conf_internal.h \
	helpers/conf_file.c helpers/conf_file.h \
	helpers/conf_ini.c \
	helpers/conf_parse.c helpers/conf_parse.h \
	helpers/conf_show.c \
	helpers/conf_table.c helpers/conf_table.h \
	helpers/contacts.c helpers/contacts.h \
	helpers/contacts_edit.c \
	helpers/contacts_sqlite.c helpers/contacts_sqlite.h \
	helpers/delivery.c helpers/delivery.h \
	helpers/http.c helpers/http.h \
	helpers/http_answer.c \
	helpers/json.c helpers/json.h \
	helpers/lockdown.c helpers/lockdown.h \
	helpers/log.c helpers/log.h \
	helpers/login.c helpers/login.h helpers/login_internal.h \
	helpers/login_ask.c \
	helpers/login_check.c \
	helpers/login_send.c \
	helpers/login_who.c \
	helpers/probe.c helpers/probe.h \
	helpers/profile.c helpers/profile.h \
	helpers/profile_read.c helpers/profile_read.h \
	helpers/profile_reader.c \
	helpers/profile_request.c \
	helpers/prompts.c helpers/prompts.h \
	helpers/provider.c helpers/provider.h \
	helpers/provider_errand.c helpers/provider_internal.h \
	helpers/request.c helpers/request.h \
	helpers/rules.c helpers/rules.h \
	helpers/seal.c helpers/seal.h \
	helpers/sessions.c helpers/sessions.h \
	helpers/source.c helpers/source.h \
	helpers/sql.c helpers/sql.h \
	helpers/store.c helpers/store.h \
	helpers/store_sqlite.c helpers/store_sqlite.h \
	helpers/store_sqlite_open.c \
	helpers/store_sqlite_provider.c \
	helpers/template.c helpers/template.h

otplibexec_PROGRAMS = otp-helper
otp_helper_SOURCES = helpers/main.c
otp_helper_CFLAGS = $(HELPER_CFLAGS)
otp_helper_LDADD = helpers/libhelpers.la

sbin_PROGRAMS = otpctl
otpctl_SOURCES = \
	helpers/otpctl/otpctl.c helpers/otpctl/otpctl.h \
	helpers/otpctl/attribute.c \
	helpers/otpctl/init.c \
	helpers/otpctl/status.c \
	helpers/otpctl/contact.c \
	helpers/otpctl/config.c
otpctl_CFLAGS = $(HELPER_CFLAGS)
otpctl_LDADD = helpers/libhelpers.la
