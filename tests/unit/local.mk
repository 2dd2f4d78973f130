# A test is one source file of the same name. Of these libraries it links only what it calls.
check_LTLIBRARIES += tests/unit/librigs.la
tests_unit_librigs_la_SOURCES = \
	tests/unit/report.h tests/unit/unit.h \
	tests/unit/login_rig.c tests/unit/login_rig.h \
	tests/unit/mail_rig.c tests/unit/mail_rig.h \
	tests/unit/server_rig.c tests/unit/server_rig.h \
	tests/unit/store_rig.c tests/unit/store_rig.h \
	tests/unit/web_rig.c tests/unit/web_rig.h
AM_CPPFLAGS += $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
LDADD = tests/unit/librigs.la helpers/libhttp.la helpers/libhelpers.la common/libcommon.la \
	$(CMOCKA_LIBS)

UNIT_TESTS = \
	tests/unit/test_buf \
	tests/unit/test_challenge \
	tests/unit/test_conf \
	tests/unit/test_conf_exempt \
	tests/unit/test_conf_ini \
	tests/unit/test_conf_report \
	tests/unit/test_conf_show \
	tests/unit/test_contacts \
	tests/unit/test_contacts_import \
	tests/unit/test_delivery \
	tests/unit/test_email \
	tests/unit/test_hosts \
	tests/unit/test_http \
	tests/unit/test_http_mail \
	tests/unit/test_login \
	tests/unit/test_login_closed \
	tests/unit/test_login_decoy \
	tests/unit/test_login_fallback \
	tests/unit/test_login_graph \
	tests/unit/test_login_limits \
	tests/unit/test_login_menu \
	tests/unit/test_login_recovery \
	tests/unit/test_login_remember \
	tests/unit/test_login_remote \
	tests/unit/test_login_rules \
	tests/unit/test_probe \
	tests/unit/test_profile \
	tests/unit/test_prompts \
	tests/unit/test_provider \
	tests/unit/test_recovery \
	tests/unit/test_request \
	tests/unit/test_request_mail \
	tests/unit/test_rules \
	tests/unit/test_seal \
	tests/unit/test_source \
	tests/unit/test_store \
	tests/unit/test_store_closed \
	tests/unit/test_store_known \
	tests/unit/test_store_races \
	tests/unit/test_store_sends \
	tests/unit/test_store_tries \
	tests/unit/test_template \
	tests/unit/test_text \
	tests/unit/test_trust \
	tests/unit/test_typed \
	tests/unit/test_wire
SCRIPTED_UNIT_TESTS = \
	tests/unit/test_options_man.sh \
	tests/unit/test_otpctl_config.sh \
	tests/unit/test_otpctl_options.sh \
	tests/unit/test_typed_unicode.py
check_PROGRAMS += $(UNIT_TESTS) tests/unit/print_options tests/unit/print_typed
dist_check_SCRIPTS += $(SCRIPTED_UNIT_TESTS)
TESTS += $(UNIT_TESTS) $(SCRIPTED_UNIT_TESTS)

# Functions that a test replaces by its own.
tests_unit_test_challenge_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=RAND_priv_bytes
tests_unit_test_conf_ini_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc \
	-Wl,--wrap=reallocarray -Wl,--wrap=strdup -Wl,--wrap=strndup
tests_unit_test_rules_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getgrnam_r -Wl,--wrap=getpwnam_r
# login_rig.c replaces the clock, and the slow hash of recovery codes by a fast one.
LOGIN_WRAPS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms -Wl,--wrap=recovery_hash
tests_unit_test_login_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_closed_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_decoy_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_fallback_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_graph_LDFLAGS = $(LOGIN_WRAPS) -Wl,--wrap=login_remembered
tests_unit_test_login_limits_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_menu_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_recovery_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_remember_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_remote_LDFLAGS = $(LOGIN_WRAPS)
tests_unit_test_login_rules_LDFLAGS = $(LOGIN_WRAPS)

tests_unit_test_profile_CPPFLAGS = $(AM_CPPFLAGS) -DOTP_SOURCE='"$(abs_top_srcdir)"'
tests_unit_test_login_graph_CPPFLAGS = $(AM_CPPFLAGS) -DOTP_SOURCE='"$(abs_top_srcdir)"'
