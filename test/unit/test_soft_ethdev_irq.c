/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_dev.h>

#include "autotest.h"
#include "soft_driver.h"

/*
 * The receive interrupts of a tap of two queues, of which the test holds the other end. The kernel
 * chooses a queue by a frame's flow, so that frames of many flows go to both.
 */

#define PORT	    "net_tap_svqtest"
#define DEV	    "port=" PORT ",queues=2"
#define PLAIN	    RTE_BIT64(VIRTIO_F_VERSION_1)
#define SIZE	    256
#define FLOWS	    48
#define BUFFERS	    56 /* receive buffers of a pair; what else the kernel says takes some, too */
#define PATIENCE_MS 5000

static struct drv drv;
static char iface[IFNAMSIZ];
static int wire = -1;

/* What the kernel itself has to say would come between. */
static void
silence(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", iface);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	(void)!write(fd, "1", 1);
	close(fd);
}

static int
setup(void)
{
	char args[64];

	snprintf(iface, sizeof(iface), "svqt%d", (int)getpid() % 1000000);
	snprintf(args, sizeof(args), "iface=%s", iface);
	if (rte_eal_hotplug_add("vdev", PORT, args) < 0)
		return -1;
	silence();
	return 0;
}

static int
cleanup(void)
{
	return rte_eal_hotplug_remove("vdev", PORT);
}

/* The tap's link is up as long as the device is open. */
static void
open_start(const char *args)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, args, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, PLAIN, SIZE), 0);
	to.sll_ifindex = (int)if_nametoindex(iface);
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	CU_ASSERT_FATAL(wire >= 0 && bind(wire, (struct sockaddr *)&to, sizeof(to)) == 0);
}

static void
finish(void)
{
	close(wire);
	drv_close(&drv);
}

/* A UDP frame of one flow comes to the tap. */
static void
arrive(uint16_t flow)
{
	uint8_t frame[60] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 46};

	frame[22] = 64; /* TTL */
	frame[23] = IPPROTO_UDP;
	memcpy(&frame[26], "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	frame[34] = 0x10;
	frame[35] = (uint8_t)flow;
	frame[37] = 9;
	frame[39] = 26;
	CU_ASSERT_EQUAL_FATAL(send(wire, frame, sizeof(frame), 0), sizeof(frame));
}

static void
arrive_all(void)
{
	uint16_t i;

	for (i = 0; i < FLOWS; i++)
		arrive(i);
}

static bool
readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

static void
post_rx(uint16_t pair, unsigned int n)
{
	for (; n > 0; n--) {
		struct drv_slot *slot = drv_slot_get(&drv.ring[2 * pair]);

		drv_piece(slot, 0, 2000);
		drv_post(&drv.ring[2 * pair], slot, DRV_DIRECT);
	}
}

/* Take what the pair received, and post the buffers again. @return frames of ours. */
static unsigned int
reap(uint16_t pair)
{
	struct drv_slot *slot;
	unsigned int n = 0;
	uint32_t len;

	while ((slot = drv_reap(&drv.ring[2 * pair], &len)) != NULL) {
		n += len == 12 + 60 && slot->hva[12 + 35] < FLOWS && slot->hva[12 + 34] == 0x10;
		drv_slot_put(&drv.ring[2 * pair], slot);
		post_rx(pair, 1);
	}
	return n;
}

/* Poll a pair until it has as many frames; its driver sees them a little after they came. */
static unsigned int
collect(uint16_t pair, unsigned int want)
{
	uint64_t end = rte_get_timer_cycles() + PATIENCE_MS * rte_get_timer_hz() / 1000;
	unsigned int n = 0;

	while (n < want && rte_get_timer_cycles() < end) {
		drv_poll(&drv, pair);
		n += reap(pair);
	}
	return n;
}

/* Frames of both pairs, until there are all. */
static bool
collect_both(unsigned int got[2])
{
	uint64_t end = rte_get_timer_cycles() + PATIENCE_MS * rte_get_timer_hz() / 1000;
	uint16_t i;

	got[0] = got[1] = 0;
	while (got[0] + got[1] < FLOWS && rte_get_timer_cycles() < end) {
		for (i = 0; i < 2; i++) {
			drv_poll(&drv, i);
			got[i] += reap(i);
		}
	}
	return got[0] + got[1] == FLOWS;
}

/* Both pairs are idle, and their descriptors are down. */
static void
open_idle(int fds[2])
{
	uint16_t i;

	open_start(DEV);
	for (i = 0; i < 2; i++) {
		fds[i] = drv.dev->ops->poll_fd(drv.dev, i);
		CU_ASSERT_FATAL(fds[i] >= 0);
		CU_ASSERT_EQUAL(drv.dev->ops->poll_fd(drv.dev, i), fds[i]);
		post_rx(i, BUFFERS);
	}
	CU_ASSERT_NOT_EQUAL(fds[0], fds[1]);
	/* What the kernel said when the tap came up. */
	for (i = 0; i < 2; i++) {
		uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz();

		do {
			drv_poll(&drv, i);
			reap(i);
		} while (readable(fds[i], 1) && rte_get_timer_cycles() < end);
		CU_ASSERT_EQUAL(drv.dev->ops->poll_sleep(drv.dev, i), 1);
		CU_ASSERT(!readable(fds[i], 0));
	}
}

/* A level, as long as packets wait. */
static void
test_level(void)
{
	unsigned int got[2];
	int fds[2], i;

	open_idle(fds);
	arrive_all();
	for (i = 0; i < 2; i++) {
		CU_ASSERT(readable(fds[i], PATIENCE_MS));
		CU_ASSERT_EQUAL(drv.dev->ops->poll_sleep(drv.dev, (uint16_t)i), 1);
		CU_ASSERT(readable(fds[i], 0));
		drv.dev->ops->poll_wake(drv.dev, (uint16_t)i);
	}
	CU_ASSERT(collect_both(got));
	CU_ASSERT(got[0] > 0 && got[1] > 0);
	CU_ASSERT(!readable(fds[0], 0) && !readable(fds[1], 0));
	finish();
}

/* Packets that find no buffer wake nobody. */
static void
test_no_buffers(void)
{
	int fd;

	open_start("port=" PORT);
	fd = drv.dev->ops->poll_fd(drv.dev, 0);
	arrive(0);
	CU_ASSERT(readable(fd, PATIENCE_MS));
	drv_poll(&drv, 0);
	CU_ASSERT_EQUAL(drv.dev->ops->poll_sleep(drv.dev, 0), 0);
	post_rx(0, BUFFERS);
	CU_ASSERT_EQUAL(collect(0, 1), 1);
	CU_ASSERT_EQUAL(drv.dev->ops->poll_sleep(drv.dev, 0), 1);
	finish();
}

/* A queue of a pair that is switched off wakes whoever reads it then. */
static void
test_share(void)
{
	const struct svq_device_ops *ops;
	unsigned int got[2], round;
	int fds[2];

	open_idle(fds);
	ops = drv.dev->ops;
	for (round = 0; round < 20; round++) {
		/* Packets that wait in the queue already, or come later. */
		if (round % 2)
			arrive_all();
		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 1, false), 0);
		/* Asleep, it must see to the interrupts of the other queue. */
		CU_ASSERT(readable(fds[0], 0));
		CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), 1);
		if (!(round % 2)) {
			CU_ASSERT(!readable(fds[0], 0));
			arrive_all();
		}
		CU_ASSERT(readable(fds[0], PATIENCE_MS));
		CU_ASSERT(!readable(fds[1], 0));
		CU_ASSERT_EQUAL(drv_poll(&drv, 1), 0);
		CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 1), 1);
		CU_ASSERT_EQUAL(collect(0, FLOWS), FLOWS);
		CU_ASSERT(!readable(fds[0], 0));

		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 1, true), 0);
		CU_ASSERT(readable(fds[1], 0));
		CU_ASSERT_EQUAL(drv_poll(&drv, 1), 0);
		CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 1), 1);
		CU_ASSERT(!readable(fds[0], 0) && !readable(fds[1], 0));
		arrive_all();
		CU_ASSERT(readable(fds[0], PATIENCE_MS) && readable(fds[1], PATIENCE_MS));
		CU_ASSERT(collect_both(got));
		CU_ASSERT(got[0] > 0 && got[1] > 0);
	}
	finish();
}

static void
fill(void)
{
	CU_pSuite suite;

	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
		autotest_skip("a tap needs root and /dev/net/tun");
		return;
	}
	suite = autotest_suite("soft_ethdev_irq", setup, cleanup);
	autotest_add(suite, "a level", test_level);
	autotest_add(suite, "no receive buffers", test_no_buffers);
	autotest_add(suite, "queues of pairs that are off", test_share);
}

REGISTER_AUTOTEST(soft_ethdev_irq_autotest, fill)
