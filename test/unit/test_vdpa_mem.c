/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What librte_vhost's addresses mean: front-end address or its own, to guest-physical address.
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "autotest.h"
#include "vdpa_rig.h"

static struct rig r;

static void
test_lookup(void)
{
	const struct svq_vdpa_table t = {
		.n = 3,
		.r =
			{
				{.gpa = 0, .size = 0x1000, .qva = 0x10000, .hva = 0x50000},
				{.gpa = 0x8000, .size = 0x2000, .qva = 0x11000, .hva = 0x70000},
				/* Up to the end of the address space. */
				{.gpa = 0x100000,
					.size = 0x1000,
					.qva = UINT64_MAX - 0xfff,
					.hva = UINT64_MAX - 0x1fff},
			},
	};
	uint64_t gpa;

	/* GPA 0 is an address like any other. */
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x10000, 0x1000, &gpa), 0);
	CU_ASSERT_EQUAL(gpa, 0);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x10fff, 1, &gpa), 0);
	CU_ASSERT_EQUAL(gpa, 0xfff);
	/* Adjacent there does not mean adjacent here. */
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x10fff, 2, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x11000, 0x2000, &gpa), 0);
	CU_ASSERT_EQUAL(gpa, 0x8000);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x11000, 0x2001, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0xffff, 1, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x13000, 1, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, 0x10000, UINT64_MAX, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, UINT64_MAX, 1, &gpa), 0);
	CU_ASSERT_EQUAL(gpa, 0x100fff);
	CU_ASSERT_EQUAL(svq_vdpa_table_qva(&t, UINT64_MAX, 2, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_hva(&t, 0x71000, 0x1000, &gpa), 0);
	CU_ASSERT_EQUAL(gpa, 0x9000);
	CU_ASSERT_EQUAL(svq_vdpa_table_hva(&t, 0x10000, 1, &gpa), -EFAULT);
	CU_ASSERT_EQUAL(svq_vdpa_table_hva(&t, 0, 1, &gpa), -EFAULT);
}

/* A front-end with aliases: one mapping at the device for each, one address of ours for both. */
static void
test_aliases(void)
{
	const struct svq_guest_row *rows;
	unsigned int n;

	rig_open(&r, "device=mock,queues=2");
	r.region[1] = (struct rig_region){0xfeda0000, 0x20000, 0x100000, 0};
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(r.d->state, SVQ_VDPA_RUNNING);
	n = svq_guest_rows(r.d->guest, &rows);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT(svq_guest_rows_alias(&rows[0], &rows[1]));
	CU_ASSERT_EQUAL(rows[1].hva, rows[0].hva + 0x100000);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 2);
	/* A buffer is found by either address. */
	rig_give(&r, 1, 0xfeda0000, 64);
	rig_give(&r, 1, 0x100000, 64);
	rig_poll(&r, 0);
	CU_ASSERT(mock_take(1) >= 0);
	CU_ASSERT(mock_take(1) >= 0);
	rig_close(&r);
}

/* The rings move in this process when their file is mapped anew; the guest does not notice. */
static void
test_rings_in_new_file(void)
{
	rig_open(&r, "device=mock,queues=2");
	rig_start(&r, RIG_FEATURES, 2);
	/* The first region comes from the other file now, same content, as after a hot swap. */
	memcpy(r.mem[1], r.mem[0], 2 << 20);
	r.region[0].file = 1;
	/* The front-end has it elsewhere then; librte_vhost is told its ring addresses again. */
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_FALSE(r.d->vrings[0].ready);
	CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 1), STUB_OK);
	CU_ASSERT(r.d->pairs[0].lcore >= 0);
	rig_give(&r, 1, 0x100000, 64);
	rig_poll(&r, 0);
	mock.completes = true;
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	CU_ASSERT_EQUAL(mock.starts, 1);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_mem", NULL, NULL);

	autotest_add(s, "lookup", test_lookup);
	autotest_add(s, "aliases", test_aliases);
	autotest_add(s, "rings in a new file", test_rings_in_new_file);
}
REGISTER_AUTOTEST(vdpa_mem_autotest, fill)
