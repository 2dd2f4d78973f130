pam_LTLIBRARIES = pam_otp/pam_otp.la
pam_otp_pam_otp_la_SOURCES = \
	pam_otp/pam_otp.c \
	pam_otp/options.c pam_otp/options.h \
	pam_otp/talk.c pam_otp/talk.h \
	pam_otp/session.c pam_otp/session.h \
	pam_otp/connect.c pam_otp/connect.h \
	pam_otp/spawn.c pam_otp/spawn.h
EXTRA_pam_otp_pam_otp_la_DEPENDENCIES = $(srcdir)/pam_otp/pam_otp.map
pam_otp_pam_otp_la_LIBADD = common/libcommon.la $(PAM_LIBS)
pam_otp_pam_otp_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/pam_otp/pam_otp.map
EXTRA_DIST += pam_otp/pam_otp.map
