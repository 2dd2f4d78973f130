UNIT_CFLAGS = $(HELPER_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = helpers/libhelpers.la common/libcommon.la $(CMOCKA_LIBS)
# Of those that speak HTTP.
WEB_LIBS = helpers/libhttp.la $(UNIT_LIBS)

STORE_RIG = tests/unit/store_rig.c tests/unit/store_rig.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(STORE_RIG)
tests_unit_test_store_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store

check_PROGRAMS += tests/unit/test_store_tries
tests_unit_test_store_tries_SOURCES = tests/unit/test_store_tries.c $(STORE_RIG)
tests_unit_test_store_tries_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_tries_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store_tries

check_PROGRAMS += tests/unit/test_store_sends
tests_unit_test_store_sends_SOURCES = tests/unit/test_store_sends.c $(STORE_RIG)
tests_unit_test_store_sends_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_sends_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store_sends

check_PROGRAMS += tests/unit/test_store_known
tests_unit_test_store_known_SOURCES = tests/unit/test_store_known.c $(STORE_RIG)
tests_unit_test_store_known_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_known_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store_known

check_PROGRAMS += tests/unit/test_store_races
tests_unit_test_store_races_SOURCES = tests/unit/test_store_races.c $(STORE_RIG)
tests_unit_test_store_races_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_races_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store_races

check_PROGRAMS += tests/unit/test_store_closed
tests_unit_test_store_closed_SOURCES = tests/unit/test_store_closed.c $(STORE_RIG)
tests_unit_test_store_closed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_closed_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_store_closed

check_PROGRAMS += tests/unit/test_contacts
tests_unit_test_contacts_SOURCES = tests/unit/test_contacts.c
tests_unit_test_contacts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_contacts_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_contacts

check_PROGRAMS += tests/unit/test_contacts_import
tests_unit_test_contacts_import_SOURCES = tests/unit/test_contacts_import.c
tests_unit_test_contacts_import_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_contacts_import_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_contacts_import

check_PROGRAMS += tests/unit/test_email
tests_unit_test_email_SOURCES = tests/unit/test_email.c tests/unit/unit.h
tests_unit_test_email_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_email_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_email

check_PROGRAMS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_conf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_conf

check_PROGRAMS += tests/unit/test_conf_ini
tests_unit_test_conf_ini_SOURCES = tests/unit/test_conf_ini.c tests/unit/unit.h
tests_unit_test_conf_ini_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_ini_LDADD = $(UNIT_LIBS)
tests_unit_test_conf_ini_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc \
	-Wl,--wrap=reallocarray -Wl,--wrap=strdup -Wl,--wrap=strndup
TESTS += tests/unit/test_conf_ini

check_PROGRAMS += tests/unit/test_rules
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rules_LDADD = $(UNIT_LIBS)
tests_unit_test_rules_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getgrnam_r -Wl,--wrap=getpwnam_r
TESTS += tests/unit/test_rules

check_PROGRAMS += tests/unit/test_conf_exempt
tests_unit_test_conf_exempt_SOURCES = tests/unit/test_conf_exempt.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_conf_exempt_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_exempt_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_conf_exempt

check_PROGRAMS += tests/unit/test_conf_report
tests_unit_test_conf_report_SOURCES = tests/unit/test_conf_report.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_conf_report_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_report_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_conf_report

check_PROGRAMS += tests/unit/test_hosts
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_hosts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hosts_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_hosts

check_PROGRAMS += tests/unit/print_options
tests_unit_print_options_SOURCES = tests/unit/print_options.c
tests_unit_print_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_print_options_LDADD = $(UNIT_LIBS)
dist_check_SCRIPTS += tests/unit/test_options_man.sh
TESTS += tests/unit/test_options_man.sh

dist_check_SCRIPTS += tests/unit/test_otpctl_config.sh
TESTS += tests/unit/test_otpctl_config.sh

check_PROGRAMS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/unit/unit.h
tests_unit_test_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_text_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_text

check_PROGRAMS += tests/unit/test_buf
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_buf

check_PROGRAMS += tests/unit/test_trust
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c tests/unit/unit.h
tests_unit_test_trust_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_trust_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_trust

check_PROGRAMS += tests/unit/test_wire
tests_unit_test_wire_SOURCES = tests/unit/test_wire.c tests/unit/unit.h
tests_unit_test_wire_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wire_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_wire

check_PROGRAMS += tests/unit/test_template
tests_unit_test_template_SOURCES = tests/unit/test_template.c tests/unit/unit.h
tests_unit_test_template_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_template_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_template

check_PROGRAMS += tests/unit/test_challenge
tests_unit_test_challenge_SOURCES = tests/unit/test_challenge.c tests/unit/unit.h
tests_unit_test_challenge_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_challenge_LDADD = $(UNIT_LIBS)
tests_unit_test_challenge_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=RAND_priv_bytes
TESTS += tests/unit/test_challenge

check_PROGRAMS += tests/unit/test_source
tests_unit_test_source_SOURCES = tests/unit/test_source.c tests/unit/unit.h
tests_unit_test_source_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_source

check_PROGRAMS += tests/unit/test_prompts
tests_unit_test_prompts_SOURCES = tests/unit/test_prompts.c tests/unit/unit.h
tests_unit_test_prompts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_prompts_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_prompts

check_PROGRAMS += tests/unit/test_profile
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c tests/unit/report.h tests/unit/unit.h
tests_unit_test_profile_CPPFLAGS = $(AM_CPPFLAGS) -DOTP_SOURCE='"$(abs_top_srcdir)"'
tests_unit_test_profile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_profile_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_profile

SERVER_RIG = tests/unit/server_rig.c tests/unit/server_rig.h tests/unit/unit.h
WEB_RIG = tests/unit/web_rig.c tests/unit/web_rig.h $(SERVER_RIG)

check_PROGRAMS += tests/unit/test_http
tests_unit_test_http_SOURCES = tests/unit/test_http.c $(WEB_RIG)
tests_unit_test_http_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_http_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_http

MAIL_RIG = tests/unit/mail_rig.c tests/unit/mail_rig.h tests/unit/web_rig.h $(SERVER_RIG)

check_PROGRAMS += tests/unit/test_http_mail
tests_unit_test_http_mail_SOURCES = tests/unit/test_http_mail.c $(MAIL_RIG)
tests_unit_test_http_mail_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_http_mail_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_http_mail

check_PROGRAMS += tests/unit/test_request_mail
tests_unit_test_request_mail_SOURCES = tests/unit/test_request_mail.c tests/unit/report.h $(MAIL_RIG)
tests_unit_test_request_mail_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_request_mail_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_request_mail

check_PROGRAMS += tests/unit/test_request
tests_unit_test_request_SOURCES = tests/unit/test_request.c tests/unit/report.h $(WEB_RIG)
tests_unit_test_request_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_request_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_request

LOGIN_RIG = tests/unit/login_rig.c tests/unit/login_rig.h tests/unit/report.h tests/unit/unit.h

# An injected monotonic clock, and something quick for the hash of recovery codes.
LOGIN_WRAPS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms -Wl,--wrap=recovery_hash

check_PROGRAMS += tests/unit/test_login
tests_unit_test_login_SOURCES = tests/unit/test_login.c $(LOGIN_RIG)
tests_unit_test_login_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_LDADD = $(UNIT_LIBS)
tests_unit_test_login_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login

check_PROGRAMS += tests/unit/test_login_menu
tests_unit_test_login_menu_SOURCES = tests/unit/test_login_menu.c $(LOGIN_RIG)
tests_unit_test_login_menu_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_menu_LDADD = $(UNIT_LIBS)
tests_unit_test_login_menu_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_menu

check_PROGRAMS += tests/unit/test_login_fallback
tests_unit_test_login_fallback_SOURCES = tests/unit/test_login_fallback.c $(LOGIN_RIG)
tests_unit_test_login_fallback_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_fallback_LDADD = $(UNIT_LIBS)
tests_unit_test_login_fallback_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_fallback

check_PROGRAMS += tests/unit/test_login_limits
tests_unit_test_login_limits_SOURCES = tests/unit/test_login_limits.c $(LOGIN_RIG)
tests_unit_test_login_limits_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_limits_LDADD = $(UNIT_LIBS)
tests_unit_test_login_limits_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_limits

check_PROGRAMS += tests/unit/test_login_recovery
tests_unit_test_login_recovery_SOURCES = tests/unit/test_login_recovery.c $(LOGIN_RIG)
tests_unit_test_login_recovery_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_recovery_LDADD = $(UNIT_LIBS)
tests_unit_test_login_recovery_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_recovery

check_PROGRAMS += tests/unit/test_login_decoy
tests_unit_test_login_decoy_SOURCES = tests/unit/test_login_decoy.c $(LOGIN_RIG)
tests_unit_test_login_decoy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_decoy_LDADD = $(UNIT_LIBS)
tests_unit_test_login_decoy_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_decoy

check_PROGRAMS += tests/unit/test_login_closed
tests_unit_test_login_closed_SOURCES = tests/unit/test_login_closed.c $(LOGIN_RIG)
tests_unit_test_login_closed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_closed_LDADD = $(UNIT_LIBS)
tests_unit_test_login_closed_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_closed

check_PROGRAMS += tests/unit/test_login_remote
tests_unit_test_login_remote_SOURCES = tests/unit/test_login_remote.c $(LOGIN_RIG)
tests_unit_test_login_remote_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_remote_LDADD = $(UNIT_LIBS)
tests_unit_test_login_remote_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_remote

check_PROGRAMS += tests/unit/test_login_rules
tests_unit_test_login_rules_SOURCES = tests/unit/test_login_rules.c $(LOGIN_RIG)
tests_unit_test_login_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_login_rules_LDADD = $(UNIT_LIBS)
tests_unit_test_login_rules_LDFLAGS = $(LOGIN_WRAPS)
TESTS += tests/unit/test_login_rules

check_PROGRAMS += tests/unit/test_provider
tests_unit_test_provider_SOURCES = tests/unit/test_provider.c tests/unit/report.h $(WEB_RIG)
tests_unit_test_provider_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_provider_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_provider

check_PROGRAMS += tests/unit/test_delivery
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c tests/unit/report.h $(WEB_RIG)
tests_unit_test_delivery_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_delivery_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_delivery

check_PROGRAMS += tests/unit/test_seal
tests_unit_test_seal_SOURCES = tests/unit/test_seal.c tests/unit/unit.h
tests_unit_test_seal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_seal_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_seal

check_PROGRAMS += tests/unit/test_recovery
tests_unit_test_recovery_SOURCES = tests/unit/test_recovery.c tests/unit/unit.h
tests_unit_test_recovery_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_recovery_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_recovery

check_PROGRAMS += tests/unit/test_probe
tests_unit_test_probe_SOURCES = tests/unit/test_probe.c tests/unit/unit.h
tests_unit_test_probe_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_probe_LDADD = $(WEB_LIBS)
TESTS += tests/unit/test_probe

check_PROGRAMS += tests/unit/test_typed
tests_unit_test_typed_SOURCES = tests/unit/test_typed.c tests/unit/unit.h
tests_unit_test_typed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_typed_LDADD = $(UNIT_LIBS)
TESTS += tests/unit/test_typed

check_PROGRAMS += tests/unit/print_typed
tests_unit_print_typed_SOURCES = tests/unit/print_typed.c
tests_unit_print_typed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_print_typed_LDADD = $(UNIT_LIBS)
dist_check_SCRIPTS += tests/unit/test_typed_unicode.py
TESTS += tests/unit/test_typed_unicode.py
