/* Which addresses are this machine's own. */
#ifndef OTP_BASE_OWN_ADDRESS_H
#define OTP_BASE_OWN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/*
 * True if the address (IPv4 as IPv4-mapped IPv6) is a loopback address, the address of an
 * interface, or one that the routes of this machine deliver to itself. Who connects from it is on
 * this machine, and not elsewhere. The zone of a link-local address is not known, so it is taken
 * for that of each interface. True also if the kernel does not tell: callers are stricter with own
 * addresses.
 */
bool own_address(const struct in6_addr *a);

#endif
