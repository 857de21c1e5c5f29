/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "autotest.h"
#include "sums.h"

/* The driver, as far as the sums ask it: one device "dev" of two pairs. */

static struct svq_vdpa_info device;
static struct svq_vdpa_queue_info queues[4];

int
svq_vdpa_info_get(const char *name, struct svq_vdpa_info *info)
{
	if (strcmp(name, "dev") != 0)
		return -ENODEV;
	*info = device;
	return 0;
}

int
svq_vdpa_queues_get(const char *name, struct svq_vdpa_queue_info *out, unsigned int max)
{
	unsigned int i;

	if (strcmp(name, "dev") != 0)
		return -ENODEV;
	for (i = 0; i < RTE_MIN(max, RTE_DIM(queues)); i++)
		out[i] = queues[i];
	return RTE_DIM(queues);
}

static int
set_up(void)
{
	uint16_t i;

	memset(&device, 0, sizeof(device));
	memset(queues, 0, sizeof(queues));
	device.max_pairs = 2;
	for (i = 0; i < RTE_DIM(queues); i++)
		queues[i].qid = i;
	return 0;
}

static void
test_directions(void)
{
	struct svq_app_sums s;

	set_up();
	/* Posted RX buffers are no packets: only what came back counts. */
	queues[0].stats.chains = 300;
	queues[0].stats.used = 40;
	queues[2].stats.chains = 300;
	queues[2].stats.used = 2;
	queues[1].stats.chains = 7;
	queues[1].stats.used = 7;
	queues[3].stats.used = 100;
	CU_ASSERT_EQUAL_FATAL(svq_app_sums_get("dev", &s), 0);
	CU_ASSERT_EQUAL(s.rx, 42);
	CU_ASSERT_EQUAL(s.tx, 107);
}

static void
test_bursts_and_time(void)
{
	struct svq_app_sums s;

	set_up();
	queues[0].stats.chains = 64;
	queues[0].stats.bursts = 2;
	queues[1].stats.used = 36;
	queues[1].stats.used_bursts = 3;
	queues[0].stats.cycles = rte_get_tsc_hz();
	queues[3].stats.cycles = rte_get_tsc_hz();
	CU_ASSERT_EQUAL_FATAL(svq_app_sums_get("dev", &s), 0);
	CU_ASSERT_DOUBLE_EQUAL(svq_app_mean(s.moves, s.bursts), 20.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(svq_app_ns(s.cycles, 4), 5e8, 1);
	/* Nothing moved: no figure, and no division by zero. */
	CU_ASSERT_EQUAL(svq_app_mean(0, 0), 0);
	CU_ASSERT_EQUAL(svq_app_ns(1, 0), 0);
}

static void
test_faults(void)
{
	struct svq_app_sums s;

	set_up();
	queues[0].stats.errors[SVQ_QUEUE_E_LOOP] = 1;
	queues[3].stats.errors[SVQ_QUEUE_E_MAX - 1] = 2;
	device.stats.bad_messages = 4;
	device.stats.bad_rings = 8;
	device.stats.start_failures = 16;
	device.device_stats.ring_errors = 32;
	device.device_stats.iommu_faults = 5;
	device.device_stats.tx_drops = 6;
	device.device_stats.rx_drops = 7;
	CU_ASSERT_EQUAL_FATAL(svq_app_sums_get("dev", &s), 0);
	CU_ASSERT_EQUAL(s.errors, 63);
	CU_ASSERT_EQUAL(s.iommu_faults, 5);
	CU_ASSERT_EQUAL(s.tx_drops, 6);
	CU_ASSERT_EQUAL(s.rx_drops, 7);
}

static void
test_difference(void)
{
	struct svq_app_sums before = {.tx = 100, .rx = 50, .cycles = 9};
	struct svq_app_sums now = {.tx = 130, .rx = 20, .cycles = 9};

	/* rx was cleared in between. */
	svq_app_sums_sub(&now, &before);
	CU_ASSERT_EQUAL(now.tx, 30);
	CU_ASSERT_EQUAL(now.rx, 20);
	CU_ASSERT_EQUAL(now.cycles, 0);
	svq_app_sums_add(&now, &before);
	CU_ASSERT_EQUAL(now.tx, 130);
}

static void
test_no_device(void)
{
	struct svq_app_sums s;
	unsigned int n;

	CU_ASSERT_EQUAL(svq_app_sums_get("none", &s), -ENODEV);
	CU_ASSERT_PTR_NULL(svq_app_queues_get("none", &n));
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("sums", NULL, NULL);

	autotest_add(suite, "directions", test_directions);
	autotest_add(suite, "bursts and time", test_bursts_and_time);
	autotest_add(suite, "faults", test_faults);
	autotest_add(suite, "difference", test_difference);
	autotest_add(suite, "no device", test_no_device);
}

REGISTER_AUTOTEST(sums_autotest, fill)
