otpprovidersdir = $(otpdatadir)/providers
dist_otpproviders_DATA = \
	etc/providers/bridgekeeper.json \
	etc/providers/crego.json \
	etc/providers/kgen.json \
	etc/providers/tingting.json

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = etc/completion/otpctl

# Stacks to copy from, and the configuration as it came.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/pam_otp.conf
examplepamdir = $(examplesdir)/pam.d
dist_examplepam_DATA = \
	etc/pam.d/login \
	etc/pam.d/sshd \
	etc/pam.d/su \
	etc/pam.d/sudo

# A configuration that is there already is the administrator's.
install-data-hook:
	$(MKDIR_P) "$(DESTDIR)$(otpconfdir)"
	test -e "$(DESTDIR)$(otpconfdir)/pam_otp.conf" || \
		$(INSTALL_DATA) "$(srcdir)/etc/pam_otp.conf" "$(DESTDIR)$(otpconfdir)/pam_otp.conf"
uninstall-hook:
	if cmp -s "$(srcdir)/etc/pam_otp.conf" "$(DESTDIR)$(otpconfdir)/pam_otp.conf"; then \
		rm -f "$(DESTDIR)$(otpconfdir)/pam_otp.conf"; fi
	rm -f "$(DESTDIR)$(pamdir)/pam_otp.so"
