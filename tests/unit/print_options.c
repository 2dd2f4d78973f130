/*
 * Prints the option table, one option a line: section, key, what a value must be, and the default,
 * parted by '|'. Read by test_options_man.sh. Paths are told as a build for /etc, /usr and /var has
 * them, as the manual does.
 */
#include <stdio.h>
#include <string.h>

#include "helpers/conf/table.h"

static const struct {
	const char *here;
	const char *there;
} paths[] = {
    {OTP_CONTACTS, "/var/lib/pam_otp/contacts.db"},
    {OTP_STATE, "/var/lib/pam_otp/state"},
    {OTP_HOST_KEY, "/etc/pam_otp/secrets/host.key"},
    {OTP_PROFILES_ETC ", " OTP_PROFILES_DATA,
	"/etc/pam_otp/providers, /usr/share/pam_otp/providers"},
};

static const char *
default_of(const struct conf_option *o)
{
	for (size_t i = 0; o->def && i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!strcmp(o->def, paths[i].here))
			return paths[i].there;
	if (o->type == CONF_OWN_NAME)
		return "the section's name";
	if (o->required)
		return "required";
	return o->def && *o->def ? o->def : "none";
}

int
main(void)
{
	char expects[CONF_EXPECTS_MAX];

	for (size_t i = 0; i < conf_table_n; i++)
		printf("%s|%s|%s|%s\n", conf_kind_name(conf_table[i].kind), conf_table[i].key,
		    conf_expects(&conf_table[i], expects), default_of(&conf_table[i]));
	return 0;
}
