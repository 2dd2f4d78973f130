dist_man_MANS += \
	man/otp-helper.8 \
	man/otpctl.8 \
	man/pam_otp-protocol.7 \
	man/pam_otp-provider.5 \
	man/pam_otp.8 \
	man/pam_otp.conf.5
