#include "helpers/base/own_address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <sys/socket.h>

#include "common/own.h"

/* The address of an interface in the form of the header; false if it is of another family. */
static bool
read_address(const struct sockaddr *sa, struct in6_addr *out)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (!sa)
		return false;
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		*out = v6.sin6_addr;
		return true;
	}
	if (sa->sa_family != AF_INET)
		return false;
	memcpy(&v4, sa, sizeof(v4));
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(&out->s6_addr[12], &v4.sin_addr, sizeof(v4.sin_addr));
	return true;
}

static bool
is_of_interface(const struct in6_addr *a)
{
	struct ifaddrs *all;
	struct in6_addr own;
	bool found = false;

	if (getifaddrs(&all))
		return true;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		found = read_address(i->ifa_addr, &own) && IN6_ARE_ADDR_EQUAL(&own, a);
	freeifaddrs(all);
	return found;
}

/*
 * True if a packet to the address stays here: then its source is the address itself. The routes may
 * deliver whole networks to this machine, whose addresses no interface has. Nothing is sent.
 */
static bool
is_routed_here(const struct in6_addr *a)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(a);
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = *a};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	struct in6_addr source;
	_auto_close int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A machine without IPv6 routes no IPv6 address to itself. */
	if (fd < 0)
		return errno != EAFNOSUPPORT;
	memcpy(&to4.sin_addr, &a->s6_addr[12], sizeof(to4.sin_addr));
	if (v4 ? connect(fd, (struct sockaddr *)&to4, sizeof(to4))
	       : connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return false; /* there is no route to it at all */
	return getsockname(fd, (struct sockaddr *)&from, &len) ||
	       !read_address((struct sockaddr *)&from, &source) || IN6_ARE_ADDR_EQUAL(&source, a);
}

bool
own_address(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a))
		return true;
	if (IN6_IS_ADDR_V4MAPPED(a) && (a->s6_addr[12] == 127 || a->s6_addr[12] == 0))
		return true;
	return is_of_interface(a) || is_routed_here(a);
}
