HELPER_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
HELPER_LIBS = $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS)

# The library that otp-helper and otpctl share. The unit tests link it too.
noinst_LTLIBRARIES += helpers/libhelpers.la
helpers_libhelpers_la_CFLAGS = $(HELPER_CFLAGS)
helpers_libhelpers_la_LIBADD = common/libcommon.la $(HELPER_LIBS)
helpers_libhelpers_la_SOURCES = \
	helpers/otp-helper/lockdown.c helpers/otp-helper/lockdown.h \
	helpers/login/ask.c \
	helpers/login/ask_code.c \
	helpers/login/decoy.c \
	helpers/login/decoy_destinations.c \
	helpers/login/deliver.c \
	helpers/login/destination.c \
	helpers/login/end.c \
	helpers/login/exempt.c \
	helpers/login/fallback.c \
	helpers/login/files.c helpers/login/files.h \
	helpers/login/judge_send.c \
	helpers/login/limits.c \
	helpers/login/machine.c \
	helpers/login/live.c \
	helpers/login/login.c helpers/login/login.h helpers/login/internal.h \
	helpers/login/menu.c \
	helpers/login/prompts.c helpers/login/prompts.h \
	helpers/login/registered.c \
	helpers/login/remembered.c \
	helpers/login/replace.c \
	helpers/login/resend.c \
	helpers/login/send.c \
	helpers/login/send_lock.c \
	helpers/login/source.c helpers/login/source.h \
	helpers/login/texts.c helpers/login/texts.h \
	helpers/login/try_code.c \
	helpers/login/try_recovery.c \
	helpers/login/typed_answer.c helpers/login/typed_answer.h \
	helpers/login/who.c \
	helpers/provider/bind.c \
	helpers/provider/check.c \
	helpers/provider/delivery.c helpers/provider/delivery.h \
	helpers/provider/exchange.c helpers/provider/internal.h \
	helpers/provider/provider.c helpers/provider/provider.h \
	helpers/provider/rehearse.c \
	helpers/provider/render.c helpers/provider/render.h \
	helpers/provider/section.c \
	helpers/provider/request.c helpers/provider/request.h \
	helpers/provider/retry_after.c helpers/provider/retry_after.h \
	helpers/provider/tokens.c helpers/provider/tokens.h \
	helpers/provider/identity.c \
	helpers/codes/code.c helpers/codes/code.h \
	helpers/codes/recovery.c helpers/codes/recovery.h \
	helpers/codes/seal.c helpers/codes/seal.h \
	helpers/profile/load.c \
	helpers/profile/names.c \
	helpers/profile/profile.c helpers/profile/profile.h \
	helpers/profile/read.c helpers/profile/read.h \
	helpers/profile/reader.c helpers/profile/reader.h \
	helpers/profile/request.c helpers/profile/request.h \
	helpers/store/sqlite/budget.c \
	helpers/store/sqlite/challenge.c \
	helpers/store/sqlite/file.c helpers/store/sqlite/file.h \
	helpers/store/sqlite/known.c \
	helpers/store/sqlite/make.c \
	helpers/store/sqlite/ops.c helpers/store/sqlite/sqlite.h \
	helpers/store/sqlite/provider.c \
	helpers/store/sqlite/recovery.c \
	helpers/store/sqlite/remember.c \
	helpers/store/sqlite/send.c \
	helpers/store/sqlite/locks.c \
	helpers/store/sqlite/transact.c helpers/store/sqlite/transact.h \
	helpers/store/sqlite/try.c \
	helpers/store/store.c helpers/store/store.h helpers/store/trial.h \
	helpers/rules/rules.c helpers/rules/rules.h \
	helpers/contacts/contacts.c helpers/contacts/contacts.h \
	helpers/contacts/edit.c \
	helpers/contacts/import.c \
	helpers/contacts/notes.c helpers/contacts/notes.h \
	helpers/contacts/phone.c helpers/contacts/phone.h \
	helpers/contacts/read.c helpers/contacts/read.h \
	helpers/conf/at.c \
	helpers/conf/check.c helpers/conf/internal.h \
	helpers/conf/conf.c helpers/conf/conf.h \
	helpers/conf/exempt.c \
	helpers/conf/file.c helpers/conf/file.h \
	helpers/conf/ini.c helpers/conf/ini.h \
	helpers/conf/load.c \
	helpers/conf/parse.c helpers/conf/parse.h \
	helpers/conf/report.c helpers/conf/report.h \
	helpers/conf/sections.c helpers/conf/sections.h \
	helpers/conf/show.c \
	helpers/conf/table.c helpers/conf/table.h \
	helpers/template/bindings.c helpers/template/bindings.h \
	helpers/template/template.c helpers/template/template.h \
	helpers/http/http.c helpers/http/http.h \
	helpers/http/url.c helpers/http/url.h \
	helpers/base/account.c helpers/base/account.h \
	helpers/base/email.c helpers/base/email.h \
	helpers/base/hosts.c helpers/base/hosts.h \
	helpers/base/instant.c helpers/base/instant.h \
	helpers/base/json.c helpers/base/json.h \
	helpers/base/log.c helpers/base/log.h \
	helpers/base/own_address.c helpers/base/own_address.h \
	helpers/base/sql.c helpers/base/sql.h \
	helpers/base/typed.c helpers/base/typed.h

# HTTP and mail. otpctl and the tests link this library; otp-helper loads it once it has to send a code.
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
otp_http_la_SOURCES = helpers/http/object.c helpers/http/object.h helpers/http/http.c helpers/http/url.c helpers/http/url.h helpers/base/email.c helpers/base/email.h
EXTRA_otp_http_la_DEPENDENCIES = $(srcdir)/helpers/http/object.map
otp_http_la_LIBADD = helpers/libhttp.la common/libcommon.la
otp_http_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/helpers/http/object.map
EXTRA_DIST += helpers/http/object.map

# An otp-helper that is not installed looks for the object in its own folder, too.
all-local: otp-http.so
otp-http.so: otp-http.la
	$(AM_V_GEN)cp .libs/otp-http.so $@.new && mv $@.new $@
CLEANFILES += otp-http.so

# otp-helper loads the object only if both were built from the same version of these files.
HTTP_BUILD_OF = $(common_libcommon_la_SOURCES) $(helpers_libhttp_la_SOURCES) \
	helpers/base/email.c helpers/base/email.h helpers/http/http.c helpers/http/http.h \
	helpers/http/object.h helpers/http/url.c helpers/http/url.h helpers/otp-helper/http_load.h
http_build.h: $(HTTP_BUILD_OF) Makefile
	$(AM_V_GEN)sum=`cd "$(srcdir)" && cat $(HTTP_BUILD_OF) | cksum` && \
		printf '#define HTTP_BUILD "%s %s"\n' "$(PACKAGE_VERSION)" "$$sum" >$@
helpers/otp-helper/otp_helper-http_load.$(OBJEXT) helpers/http/otp_http_la-object.lo: http_build.h
CLEANFILES += http_build.h

otplibexec_PROGRAMS = otp-helper
otp_helper_SOURCES = \
	helpers/otp-helper/main.c \
	helpers/otp-helper/http_load.c helpers/otp-helper/http_load.h \
	helpers/otp-helper/machine.c helpers/otp-helper/machine.h \
	helpers/otp-helper/peer.c helpers/otp-helper/peer.h
otp_helper_CFLAGS = $(HELPER_CFLAGS)
otp_helper_LDADD = helpers/libhelpers.la

sbin_PROGRAMS = otpctl
otpctl_SOURCES = \
	helpers/otpctl/addresses.c helpers/otpctl/addresses.h \
	helpers/otpctl/attribute.c helpers/otpctl/attribute.h \
	helpers/otpctl/audit.c helpers/otpctl/audit.h \
	helpers/otpctl/configuration/check.c helpers/otpctl/configuration/check.h \
	helpers/otpctl/configuration/configuration.c helpers/otpctl/configuration/configuration.h \
	helpers/otpctl/configuration/show.c helpers/otpctl/configuration/show.h \
	helpers/otpctl/init.c helpers/otpctl/init.h \
	helpers/otpctl/main.c \
	helpers/otpctl/notice.c helpers/otpctl/notice.h \
	helpers/otpctl/options.c helpers/otpctl/options.h \
	helpers/otpctl/otpctl.c helpers/otpctl/otpctl.h \
	helpers/otpctl/paths.c helpers/otpctl/paths.h \
	helpers/otpctl/privileges.c helpers/otpctl/privileges.h \
	helpers/otpctl/recovery.c helpers/otpctl/recovery.h \
	helpers/otpctl/remember.c helpers/otpctl/remember.h \
	helpers/otpctl/revoked.c helpers/otpctl/revoked.h \
	helpers/otpctl/send_worker.c helpers/otpctl/send_worker.h \
	helpers/otpctl/store.c helpers/otpctl/store.h \
	helpers/otpctl/unlock.c helpers/otpctl/unlock.h \
	helpers/otpctl/user.c helpers/otpctl/user.h \
	helpers/otpctl/contact/add.c helpers/otpctl/contact/add.h \
	helpers/otpctl/contact/contact.c helpers/otpctl/contact/contact.h \
	helpers/otpctl/contact/csv_rows.c helpers/otpctl/contact/csv_rows.h \
	helpers/otpctl/contact/import.c helpers/otpctl/contact/import.h \
	helpers/otpctl/contact/import_fault.c helpers/otpctl/contact/import_fault.h \
	helpers/otpctl/contact/import_header.c helpers/otpctl/contact/import_header.h \
	helpers/otpctl/contact/import_line.c helpers/otpctl/contact/import_line.h \
	helpers/otpctl/contact/limit.c helpers/otpctl/contact/limit.h \
	helpers/otpctl/contact/list.c helpers/otpctl/contact/list.h \
	helpers/otpctl/contact/prove.c helpers/otpctl/contact/prove.h \
	helpers/otpctl/contact/remove.c helpers/otpctl/contact/remove.h \
	helpers/otpctl/contact/verify.c helpers/otpctl/contact/verify.h \
	helpers/otpctl/explain/explain.c helpers/otpctl/explain/explain.h \
	helpers/otpctl/explain/run.c helpers/otpctl/explain/run.h \
	helpers/otpctl/explain/text.c helpers/otpctl/explain/text.h \
	helpers/otpctl/status/facts.c helpers/otpctl/status/facts.h \
	helpers/otpctl/status/status.c helpers/otpctl/status/status.h \
	helpers/otpctl/status/text.c helpers/otpctl/status/text.h
otpctl_CFLAGS = $(HELPER_CFLAGS)
otpctl_LDADD = helpers/libhelpers.la helpers/libhttp.la $(CSV_LIBS)
