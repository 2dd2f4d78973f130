HERE_SOCKET = default.sock
MODULE_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) \
	-DTEST_MODULE='"$(abs_top_builddir)/pam_otp/.libs/pam_otp.so"' \
	-DTEST_HERE='"$(abs_top_builddir)/tests/module/.libs/pam_otp_here.so"' \
	-DHERE_SOCKET='"$(HERE_SOCKET)"' \
	-DTEST_STAGE='"$(abs_top_builddir)/tests/module/.libs/pam_stage.so"' \
	-DTEST_HELPER='"$(abs_top_builddir)/tests/module/fake-helper"'
MODULE_TEST_LIBS = tests/module/libharness.la $(CMOCKA_LIBS) $(PAM_LIBS)
MODULE_TESTS = tests/module/flows tests/module/arguments tests/module/socket \
	tests/module/hosts tests/module/deadlines tests/module/wiped tests/module/root

check_PROGRAMS += tests/module/fake-helper $(MODULE_TESTS)
check_LTLIBRARIES += tests/module/libharness.la tests/module/pam_stage.la \
	tests/module/pam_otp_here.la
dist_check_SCRIPTS += tests/module/exports.sh
TESTS += $(MODULE_TESTS) tests/module/exports.sh

tests_module_libharness_la_SOURCES = \
	tests/module/harness.c tests/module/harness.h \
	tests/module/manager.c \
	tests/module/self.c
tests_module_libharness_la_CFLAGS = $(MODULE_TEST_CFLAGS)

tests_module_fake_helper_SOURCES = tests/module/fake-helper.c
tests_module_fake_helper_LDADD =

tests_module_pam_stage_la_SOURCES = tests/module/stage.c
tests_module_pam_stage_la_LIBADD = $(PAM_LIBS)
# With an rpath, libtool builds a shared object although it is not installed.
tests_module_pam_stage_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

# The module, built with default paths in the folder of the test.
tests_module_pam_otp_here_la_SOURCES = $(pam_otp_pam_otp_la_SOURCES)
tests_module_pam_otp_here_la_CPPFLAGS = $(AM_CPPFLAGS) -UOTP_SOCKET -UOTP_HELPER \
	-DOTP_SOCKET='"$(HERE_SOCKET)"' -DOTP_HELPER='"./otp-helper"'
tests_module_pam_otp_here_la_LIBADD = $(pam_otp_pam_otp_la_LIBADD)
tests_module_pam_otp_here_la_LDFLAGS = $(pam_otp_pam_otp_la_LDFLAGS) -rpath /nowhere

tests_module_flows_SOURCES = tests/module/flows.c
tests_module_flows_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_flows_LDADD = $(MODULE_TEST_LIBS)

tests_module_arguments_SOURCES = tests/module/arguments.c
tests_module_arguments_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_arguments_LDADD = $(MODULE_TEST_LIBS)

tests_module_socket_SOURCES = tests/module/socket.c
tests_module_socket_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_socket_LDADD = $(MODULE_TEST_LIBS)

tests_module_hosts_SOURCES = tests/module/hosts.c
tests_module_hosts_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_hosts_LDADD = $(MODULE_TEST_LIBS)

tests_module_deadlines_SOURCES = tests/module/deadlines.c
tests_module_deadlines_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_deadlines_LDADD = $(MODULE_TEST_LIBS)

tests_module_wiped_SOURCES = tests/module/wiped.c
tests_module_wiped_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_wiped_LDADD = $(MODULE_TEST_LIBS)

tests_module_root_SOURCES = tests/module/root.c
tests_module_root_CFLAGS = $(MODULE_TEST_CFLAGS)
tests_module_root_LDADD = $(MODULE_TEST_LIBS)
