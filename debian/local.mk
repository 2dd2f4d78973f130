EXTRA_DIST += \
	debian/README.Debian \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/libpam-otp.docs \
	debian/libpam-otp.lintian-overrides \
	debian/libpam-otp.pam-configs \
	debian/libpam-otp.postinst \
	debian/libpam-otp.postrm \
	debian/libpam-otp.preinst \
	debian/libpam-otp.prerm \
	debian/rules \
	debian/source/format \
	debian/source/lintian-overrides \
	debian/tests/control \
	debian/tests/sign-in
