HELPER_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
HELPER_LIBS = $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS)

# What otp-helper and otpctl share, and the unit tests link.
noinst_LTLIBRARIES += helpers/libhelpers.la
helpers_libhelpers_la_CFLAGS = $(HELPER_CFLAGS)
helpers_libhelpers_la_LIBADD = common/libcommon.la $(HELPER_LIBS)
helpers_libhelpers_la_SOURCES = \
	helpers/account.c helpers/account.h \
	helpers/base/hosts.c helpers/base/hosts.h \
	helpers/base/typed.c helpers/base/typed.h \
	helpers/bindings.c helpers/bindings.h \
	helpers/challenge.c helpers/challenge.h \
	helpers/conf.c helpers/conf.h \
	helpers/conf_check.c helpers/conf_internal.h \
	helpers/conf_exempt.c \
	helpers/conf_file.c helpers/conf_file.h \
	helpers/conf_ini.c helpers/conf/ini.h \
	helpers/conf/load.c \
	helpers/conf/report.c helpers/conf/report.h \
	helpers/conf/sections.c helpers/conf/sections.h \
	helpers/conf_parse.c helpers/conf_parse.h \
	helpers/conf_show.c \
	helpers/conf_table.c helpers/conf_table.h \
	helpers/contacts.c helpers/contacts.h \
	helpers/contacts_edit.c \
	helpers/contacts_import.c \
	helpers/contacts_sqlite.c helpers/contacts_sqlite.h \
	helpers/contacts/notes.c helpers/contacts/notes.h \
	helpers/delivery.c helpers/delivery.h \
	helpers/base/email.c helpers/base/email.h \
	helpers/http.c helpers/http.h \
	helpers/instant.c helpers/instant.h \
	helpers/json.c helpers/json.h \
	helpers/lockdown.c helpers/lockdown.h \
	helpers/log.c helpers/log.h \
	helpers/login.c helpers/login.h helpers/login_internal.h \
	helpers/login/decoy_ways.c \
	helpers/login/destination.c \
	helpers/login/end.c \
	helpers/login/exempt.c \
	helpers/login/live.c \
	helpers/login/menu.c \
	helpers/login/registered.c \
	helpers/login/turn.c \
	helpers/login_ask.c \
	helpers/login_check.c \
	helpers/login_code.c \
	helpers/login_decoy.c \
	helpers/login_limits.c \
	helpers/login_recovery.c \
	helpers/login_remember.c \
	helpers/login_send.c \
	helpers/login_who.c \
	helpers/pauses.c helpers/pauses.h \
	helpers/profile.c helpers/profile.h \
	helpers/profile_read.c helpers/profile_read.h \
	helpers/profile_reader.c helpers/profile/reader.h \
	helpers/profile_request.c helpers/profile/request.h \
	helpers/profile/load.c \
	helpers/prompts.c helpers/prompts.h \
	helpers/provider.c helpers/provider.h \
	helpers/provider_errand.c helpers/provider_internal.h \
	helpers/recovery.c helpers/recovery.h \
	helpers/request.c helpers/request.h \
	helpers/request_render.c helpers/request_render.h \
	helpers/rules.c helpers/rules.h \
	helpers/seal.c helpers/seal.h \
	helpers/sessions.c helpers/sessions.h \
	helpers/source.c helpers/source.h \
	helpers/sql.c helpers/sql.h \
	helpers/store.c helpers/store.h \
	helpers/store_sqlite.c helpers/store_sqlite.h \
	helpers/store_sqlite_budget.c \
	helpers/store_sqlite_challenge.c \
	helpers/store_sqlite_known.c \
	helpers/store_sqlite_make.c \
	helpers/store_sqlite_provider.c \
	helpers/store_sqlite_recovery.c \
	helpers/store_sqlite_remember.c \
	helpers/store_sqlite_send.c \
	helpers/store_sqlite_try.c \
	helpers/store_sqlite_turn.c \
	helpers/store/sqlite/file.c helpers/store/sqlite/file.h \
	helpers/store/sqlite/transact.c helpers/store/sqlite/transact.h \
	helpers/template.c helpers/template.h

# What speaks HTTP: linked by otpctl and the tests, loaded by otp-helper when a code is to be sent.
HTTP_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
noinst_LTLIBRARIES += helpers/libhttp.la
helpers_libhttp_la_CFLAGS = $(HTTP_CFLAGS)
helpers_libhttp_la_LIBADD = $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)
helpers_libhttp_la_SOURCES = \
	helpers/http/curl.c helpers/http/curl.h \
	helpers/http/failure.c helpers/http/failure.h \
	helpers/http/mail.c helpers/http/mail.h \
	helpers/http/mime.c \
	helpers/http/peer.c helpers/http/peer.h \
	helpers/http/probe.c helpers/http/probe.h \
	helpers/http/transfer.c helpers/http/transfer.h

otplibexec_LTLIBRARIES = otp-http.la
otp_http_la_CFLAGS = $(HTTP_CFLAGS)
otp_http_la_SOURCES = helpers/http/object.c helpers/http/object.h helpers/http.c helpers/base/email.c helpers/base/email.h
EXTRA_otp_http_la_DEPENDENCIES = $(srcdir)/helpers/http/object.map
otp_http_la_LIBADD = helpers/libhttp.la common/libcommon.la
otp_http_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/helpers/http/object.map
EXTRA_DIST += helpers/http/object.map

# Beside the program that was not installed yet, too.
all-local: otp-http.so
otp-http.so: otp-http.la
	$(AM_V_GEN)cp .libs/otp-http.so $@.new && mv $@.new $@
CLEANFILES += otp-http.so

# What a program and the object that it loads must both be made of.
HTTP_BUILD_OF = $(common_libcommon_la_SOURCES) $(helpers_libhttp_la_SOURCES) \
	helpers/base/email.c helpers/base/email.h helpers/http.c helpers/http.h \
	helpers/http/object.h helpers/http_load.h
http_build.h: $(HTTP_BUILD_OF) Makefile
	$(AM_V_GEN)sum=`cd "$(srcdir)" && cat $(HTTP_BUILD_OF) | cksum` && \
		printf '#define HTTP_BUILD "%s %s"\n' "$(PACKAGE_VERSION)" "$$sum" >$@
helpers/otp_helper-http_load.$(OBJEXT) helpers/http/otp_http_la-object.lo: http_build.h
CLEANFILES += http_build.h

otplibexec_PROGRAMS = otp-helper
otp_helper_SOURCES = \
	helpers/main.c \
	helpers/http_load.c helpers/http_load.h \
	helpers/otp-helper/machine.c helpers/otp-helper/machine.h \
	helpers/otp-helper/peer.c helpers/otp-helper/peer.h
otp_helper_CFLAGS = $(HELPER_CFLAGS)
otp_helper_LDADD = helpers/libhelpers.la

sbin_PROGRAMS = otpctl
otpctl_SOURCES = \
	helpers/otpctl/addresses.c helpers/otpctl/addresses.h \
	helpers/otpctl/attribute.c helpers/otpctl/attribute.h \
	helpers/otpctl/audit.c helpers/otpctl/audit.h \
	helpers/otpctl/configuration.c helpers/otpctl/configuration.h \
	helpers/otpctl/contact.c helpers/otpctl/contact.h \
	helpers/otpctl/contact_add.c helpers/otpctl/contact_add.h \
	helpers/otpctl/contact_import.c helpers/otpctl/contact_import.h \
	helpers/otpctl/contact_import_line.c helpers/otpctl/contact_import_line.h \
	helpers/otpctl/contact_limit.c helpers/otpctl/contact_limit.h \
	helpers/otpctl/contact_list.c helpers/otpctl/contact_list.h \
	helpers/otpctl/contact_prove.c helpers/otpctl/contact_prove.h \
	helpers/otpctl/contact_remove.c helpers/otpctl/contact_remove.h \
	helpers/otpctl/contact_verify.c helpers/otpctl/contact_verify.h \
	helpers/otpctl/courier.c helpers/otpctl/courier.h \
	helpers/otpctl/csv_rows.c helpers/otpctl/csv_rows.h \
	helpers/otpctl/explain.c helpers/otpctl/explain.h \
	helpers/otpctl/explain_run.c helpers/otpctl/explain_run.h \
	helpers/otpctl/explain_text.c helpers/otpctl/explain_text.h \
	helpers/otpctl/init.c helpers/otpctl/init.h \
	helpers/otpctl/main.c \
	helpers/otpctl/notice.c helpers/otpctl/notice.h \
	helpers/otpctl/otpctl.c helpers/otpctl/otpctl.h \
	helpers/otpctl/paths.c helpers/otpctl/paths.h \
	helpers/otpctl/privileges.c helpers/otpctl/privileges.h \
	helpers/otpctl/recovery.c helpers/otpctl/recovery.h \
	helpers/otpctl/remember.c helpers/otpctl/remember.h \
	helpers/otpctl/status.c helpers/otpctl/status.h \
	helpers/otpctl/status_facts.c helpers/otpctl/status_facts.h \
	helpers/otpctl/status_text.c helpers/otpctl/status_text.h \
	helpers/otpctl/store.c helpers/otpctl/store.h \
	helpers/otpctl/unlock.c helpers/otpctl/unlock.h \
	helpers/otpctl/user.c helpers/otpctl/user.h
otpctl_CFLAGS = $(HELPER_CFLAGS)
otpctl_LDADD = helpers/libhelpers.la helpers/libhttp.la $(CSV_LIBS)
