otpprovidersdir = $(otpdatadir)/providers
dist_otpproviders_DATA = \
	etc/providers/bridgekeeper.json \
	etc/providers/crego.json \
	etc/providers/kgen.json \
	etc/providers/smtp.json \
	etc/providers/tingting.json

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = etc/completion/otpctl

fail2bandir = $(sysconfdir)/fail2ban/filter.d
dist_fail2ban_DATA = etc/fail2ban/pam_otp.conf

# The shipped configuration, and PAM stacks that administrators copy.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/pam_otp.conf
examplepamdir = $(examplesdir)/pam.d
dist_examplepam_DATA = \
	etc/pam.d/login \
	etc/pam.d/sshd \
	etc/pam.d/su \
	etc/pam.d/sudo

# Files for systemd, with the paths and the user of this build.
unit_DATA = \
	etc/systemd/pam_otp.socket \
	etc/systemd/pam_otp@.service \
	etc/systemd/pam_otp-user.socket \
	etc/systemd/pam_otp-user@.service
sysusers_DATA = etc/sysusers.d/pam_otp.conf
tmpfiles_DATA = etc/tmpfiles.d/pam_otp.conf
EXTRA_DIST += \
	etc/systemd/pam_otp.socket.in \
	etc/systemd/pam_otp@.service.in \
	etc/systemd/pam_otp-user.socket.in \
	etc/sysusers.d/pam_otp.conf.in \
	etc/tmpfiles.d/pam_otp.conf.in
CLEANFILES += $(unit_DATA) $(sysusers_DATA) $(tmpfiles_DATA)

fill_in = $(MKDIR_P) $(@D) && $(SED) \
	-e 's|@helper_user[@]|$(helper_user)|g' \
	-e 's|@otplibexecdir[@]|$(otplibexecdir)|g' \
	-e 's|@otpstatedir[@]|$(otpstatedir)|g' \
	-e 's|@socket_dir[@]|$(socket_dir)|g' \
	-e 's|@socket_path[@]|$(socket_path)|g' \
	-e 's|@user_socket_path[@]|$(user_socket_path)|g'

etc/systemd/pam_otp.socket: etc/systemd/pam_otp.socket.in Makefile
	$(AM_V_GEN)$(fill_in) $(srcdir)/etc/systemd/pam_otp.socket.in >$@
etc/systemd/pam_otp-user.socket: etc/systemd/pam_otp-user.socket.in Makefile
	$(AM_V_GEN)$(fill_in) $(srcdir)/etc/systemd/pam_otp-user.socket.in >$@
etc/systemd/pam_otp@.service: etc/systemd/pam_otp@.service.in Makefile
	$(AM_V_GEN)$(fill_in) -e 's|@sign_in[@]|sign-in|' -e 's|@unit[@]|pam_otp@.service|' \
		$(srcdir)/etc/systemd/pam_otp@.service.in >$@
etc/systemd/pam_otp-user@.service: etc/systemd/pam_otp@.service.in Makefile
	$(AM_V_GEN)$(fill_in) -e 's|@sign_in[@]|program of a user|' \
		-e 's|@unit[@]|pam_otp-user@.service|' \
		$(srcdir)/etc/systemd/pam_otp@.service.in >$@
etc/sysusers.d/pam_otp.conf: etc/sysusers.d/pam_otp.conf.in Makefile
	$(AM_V_GEN)$(fill_in) $(srcdir)/etc/sysusers.d/pam_otp.conf.in >$@
etc/tmpfiles.d/pam_otp.conf: etc/tmpfiles.d/pam_otp.conf.in Makefile
	$(AM_V_GEN)$(fill_in) $(srcdir)/etc/tmpfiles.d/pam_otp.conf.in >$@

# PAM and otp-helper do not need libtool's .la files, and a shared object is not executable. A
# configuration that exists belongs to the administrator, so it is not overwritten.
install-exec-hook:
	rm -f "$(DESTDIR)$(otplibexecdir)/otp-http.la"
	chmod 644 "$(DESTDIR)$(otplibexecdir)/otp-http.so"
install-data-hook:
	rm -f "$(DESTDIR)$(pamdir)/pam_otp.la"
	$(MKDIR_P) "$(DESTDIR)$(otpconfdir)"
	test -e "$(DESTDIR)$(otpconfdir)/pam_otp.conf" || \
		$(INSTALL_DATA) "$(srcdir)/etc/pam_otp.conf" "$(DESTDIR)$(otpconfdir)/pam_otp.conf"
uninstall-hook:
	if cmp -s "$(srcdir)/etc/pam_otp.conf" "$(DESTDIR)$(otpconfdir)/pam_otp.conf"; then \
		rm -f "$(DESTDIR)$(otpconfdir)/pam_otp.conf"; fi
	rm -f "$(DESTDIR)$(pamdir)/pam_otp.so" "$(DESTDIR)$(otplibexecdir)/otp-http.so"
