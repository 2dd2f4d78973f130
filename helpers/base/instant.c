#include "helpers/base/instant.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"

static void
read_boot_id(char *dst, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(dst, (int)size, f))
		dst[0] = '\0';
	if (f)
		(void)fclose(f);
	dst[strcspn(dst, "\n")] = '\0';
}

int
instant_now(struct instant *i)
{
	if (!*i->boot_id)
		read_boot_id(i->boot_id, sizeof(i->boot_id));
	i->wall_ms = clock_ms(CLOCK_REALTIME);
	i->boot_ms = clock_ms(CLOCK_BOOTTIME);
	return *i->boot_id && i->wall_ms && i->boot_ms ? 0 : -OTP_ESYS;
}

static void
machine_clock_now(struct clock_source *base, struct instant *out)
{
	struct machine_clock *c = (struct machine_clock *)base;

	(void)instant_now(&c->last);
	*out = c->last;
}

int
machine_clock_open(struct machine_clock *c)
{
	*c = (struct machine_clock){.base = {.now = machine_clock_now}};
	return instant_now(&c->last);
}
