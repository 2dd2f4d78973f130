noinst_LTLIBRARIES += common/libcommon.la
common_libcommon_la_SOURCES = \
	common/buf.c common/buf.h \
	common/clock.c common/clock.h \
	common/deadline.c common/deadline.h \
	common/err.c common/err.h \
	common/own.h \
	common/secret.c common/secret.h \
	common/text.c common/text.h \
	common/trust.c common/trust.h \
	common/wire.c common/wire.h
