/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>

#include "autotest.h"
#include "random.h"
#include "soft_driver.h"

/* Interrupts of the software device: exactly when the driver asks for them. */

#define V1     RTE_BIT64(VIRTIO_F_VERSION_1)
#define EVENT  RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)
#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)

static struct drv drv;
static int irqfd;

static void
start(uint64_t features, uint16_t size)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "backend=null,packed=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, V1 | features, size), 0);
	irqfd = eventfd(0, EFD_NONBLOCK);
	CU_ASSERT_EQUAL_FATAL(drv.dev->ops->queue_irq(drv.dev, 1, irqfd), 0);
	CU_ASSERT_EQUAL_FATAL(drv.dev->ops->start(drv.dev), 0);
}

static void
finish(void)
{
	drv_close(&drv);
	close(irqfd);
}

static unsigned int
interrupts(void)
{
	eventfd_t n = 0;

	return eventfd_read(irqfd, &n) == 0 ? (unsigned int)n : 0;
}

/* Send @p n packets in one poll, and take their chains back. */
static void
send_burst(unsigned int n)
{
	struct drv_ring *tx = &drv.ring[1];
	struct drv_slot *slot;
	unsigned int i;
	uint32_t len;

	for (i = 0; i < n; i++) {
		slot = drv_slot_get(tx);
		drv_piece(slot, 0, 100);
		drv_post(tx, slot, DRV_DIRECT);
	}
	CU_ASSERT_EQUAL(drv.dev->ops->poll(drv.dev, 0), n);
	for (i = 0; i < n; i++) {
		slot = drv_reap(tx, &len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
		drv_slot_put(tx, slot);
	}
}

static void
test_flags_split(void)
{
	start(0, 64);
	send_burst(3);
	CU_ASSERT_EQUAL(interrupts(), 1);
	drv.ring[1].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	send_burst(3);
	CU_ASSERT_EQUAL(interrupts(), 0);
	/* Nothing new, nothing to tell. */
	drv.ring[1].avail->flags = 0;
	drv.dev->ops->poll(drv.dev, 0);
	CU_ASSERT_EQUAL(interrupts(), 0);
	send_burst(1);
	send_burst(1);
	CU_ASSERT_EQUAL(interrupts(), 2);
	finish();
}

static void
test_flags_packed(uint64_t features)
{
	struct vring_packed_desc_event *event;

	start(PACKED | features, 63);
	event = drv.ring[1].driver_event;
	event->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	send_burst(3);
	CU_ASSERT_EQUAL(interrupts(), 1);
	event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	send_burst(3);
	CU_ASSERT_EQUAL(interrupts(), 0);
	finish();
}

static void
test_flags_packed_plain(void)
{
	test_flags_packed(0);
}

static void
test_flags_packed_event_idx(void)
{
	test_flags_packed(EVENT);
}

/* Ask for an interrupt behind the chain that comes @p ahead chains after the next one. */
static void
ask(struct drv_ring *ring, uint16_t ahead)
{
	uint32_t place = ring->used_idx + ahead;
	bool wrap = ring->used_wrap;

	if (!ring->packed) {
		ring->avail->ring[ring->size] = (uint16_t)place;
		return;
	}
	if (place >= ring->size) {
		place -= ring->size;
		wrap = !wrap;
	}
	ring->driver_event->off_wrap = (uint16_t)(place | wrap << 15);
	ring->driver_event->flags = VRING_PACKED_EVENT_FLAG_DESC;
}

/* Bursts of any length, over many laps; split indices go round 2^16 several times. */
static void
test_event_idx(uint64_t format, uint16_t size, unsigned int rounds)
{
	struct drv_ring *tx = &drv.ring[1];
	uint64_t seed = 5;
	unsigned int i;

	start(format | EVENT, size);
	for (i = 0; i < rounds; i++) {
		uint16_t n = 1 + random_below(&seed, RTE_MIN(size, 32));
		uint16_t ahead = random_below(&seed, size);

		ask(tx, ahead);
		send_burst(n);
		CU_ASSERT_EQUAL_FATAL(interrupts(), ahead < n);
		/* The event lies behind us now, or was not reached: the rest of the way to it. */
		if (ahead >= n && ahead - n < 32) {
			send_burst(ahead - n + 1);
			CU_ASSERT_EQUAL_FATAL(interrupts(), 1);
		}
	}
	finish();
}

static void
test_event_idx_split(void)
{
	test_event_idx(0, 64, 20000);
}

static void
test_event_idx_packed(void)
{
	test_event_idx(PACKED, 7, 3000);
	test_event_idx(PACKED, 64, 3000);
}

static void
test_life_cycle(void)
{
	const struct svq_device_ops *ops;

	start(0, 64);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL(ops->queue_irq(drv.dev, 1, -1), -EBUSY);
	ops->stop(drv.dev);
	/* It is asked for anew after every stop. */
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1, 64), 0);
	send_burst(1);
	CU_ASSERT_EQUAL(interrupts(), 0);
	ops->stop(drv.dev);
	CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, V1, 64), 0);
	CU_ASSERT_EQUAL(ops->queue_irq(drv.dev, 2, irqfd), -EINVAL);
	CU_ASSERT_EQUAL(ops->queue_irq(drv.dev, 1, irqfd), 0);
	CU_ASSERT_EQUAL(ops->queue_irq(drv.dev, 1, -1), 0);
	CU_ASSERT_EQUAL_FATAL(ops->start(drv.dev), 0);
	send_burst(1);
	CU_ASSERT_EQUAL(interrupts(), 0);
	finish();
}

/* A queue that was reset by itself goes on interrupting. */
static void
test_queue_reset(void)
{
	const struct svq_device_ops *ops;
	struct drv_ring *tx = &drv.ring[1];

	start(RTE_BIT64(VIRTIO_F_RING_RESET), 64);
	ops = drv.dev->ops;
	send_burst(1);
	CU_ASSERT_EQUAL(interrupts(), 1);
	CU_ASSERT_EQUAL_FATAL(ops->queue_reset(drv.dev, 1), 0);
	tx->avail->idx = tx->avail_idx = 0;
	tx->used->idx = tx->used_idx = 0;
	CU_ASSERT_EQUAL_FATAL(ops->queue_setup(drv.dev, 1, &tx->conf), 0);
	CU_ASSERT_EQUAL_FATAL(ops->queue_restart(drv.dev, 1), 0);
	send_burst(1);
	CU_ASSERT_EQUAL(interrupts(), 1);
	finish();
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_irq", NULL, NULL);

	autotest_add(suite, "flags, split", test_flags_split);
	autotest_add(suite, "flags, packed", test_flags_packed_plain);
	autotest_add(suite, "flags, packed with event index", test_flags_packed_event_idx);
	autotest_add(suite, "event index, split", test_event_idx_split);
	autotest_add(suite, "event index, packed", test_event_idx_packed);
	autotest_add(suite, "life cycle", test_life_cycle);
	autotest_add(suite, "a queue is reset", test_queue_reset);
}

REGISTER_AUTOTEST(soft_irq_autotest, fill)
