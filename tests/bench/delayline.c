/*
 * A line of fixed delay between two network namespaces, for kernels without netem. Each namespace
 * has a TUN device. Packets that leave one arrive at the other in order, all with the same delay.
 * SYNs are delayed too, so a TCP handshake costs a round trip, as on a real line.
 *
 *   delayline NAMESPACE-A DEVICE-A NAMESPACE-B DEVICE-B ONE-WAY-MS
 *
 * It prints "ready" once both devices exist, and runs until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 4096, PACKET_MAX = 2048 };

struct packet {
	int64_t due_ns;
	size_t len;
	unsigned char bytes[PACKET_MAX];
};

/* One direction: a ring of the packets on the line. */
struct direction {
	int from, to;
	unsigned first, end;
	struct packet ring[QUEUE];
};

static struct direction there, back;
static int64_t delay_ns;

static void
die(const char *what)
{
	fprintf(stderr, "delayline: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Makes a device in a namespace of ip-netns(8). The caller stays in that namespace. */
static int
device_open(const char *namespace, const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		die("/dev/net/tun");
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r))
		die(name);
	return fd;
}

/* Waits for a packet, or until the first one on the line is due. */
static bool
wait_packet(const struct direction *w)
{
	struct pollfd in = {.fd = w->from, .events = POLLIN};
	struct timespec ts = {0}, *wait = NULL;
	int n;

	if (w->first != w->end) {
		int64_t left = w->ring[w->first % QUEUE].due_ns - now_ns();

		if (left > 0)
			ts = (struct timespec){left / 1000000000, left % 1000000000};
		wait = &ts;
	}
	n = ppoll(&in, 1, wait, NULL);
	if (n < 0 && errno != EINTR)
		die("poll");
	return n > 0;
}

static void
deliver_due(struct direction *w)
{
	for (int64_t now = now_ns(); w->first != w->end; w->first++) {
		const struct packet *p = &w->ring[w->first % QUEUE];

		if (p->due_ns > now)
			return;
		/* A packet that the other side does not take is lost, as on any line. */
		(void)!write(w->to, p->bytes, p->len);
	}
}

static void
take_packets(struct direction *w)
{
	while (w->end - w->first < QUEUE) {
		struct packet *p = &w->ring[w->end % QUEUE];
		ssize_t n = read(w->from, p->bytes, sizeof(p->bytes));

		if (n < 0)
			return;
		p->len = (size_t)n;
		p->due_ns = now_ns() + delay_ns;
		w->end++;
	}
}

static void *
carry(void *arg)
{
	struct direction *w = arg;

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	for (;;) {
		bool some = wait_packet(w);

		deliver_due(w);
		if (some)
			take_packets(w);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 6) {
		fprintf(stderr, "usage: delayline NAMESPACE DEVICE NAMESPACE DEVICE ONE-WAY-MS\n");
		return 2;
	}
	delay_ns = (int64_t)(strtod(argv[5], NULL) * 1e6);
	there.from = back.to = device_open(argv[1], argv[2]);
	back.from = there.to = device_open(argv[3], argv[4]);
	puts("ready");
	fflush(stdout);
	if (pthread_create(&thread, NULL, carry, &back))
		die("thread");
	carry(&there);
}
