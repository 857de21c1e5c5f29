/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Compiled with the headers of Linux's tools/virtio. */

#include <linux/scatterlist.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "kernel_guest.h"

void *__kmalloc_fake, *__kfree_ignore_start, *__kfree_ignore_end;

static struct virtio_device vdev;
static struct virtqueue *vq;

static bool
notify(struct virtqueue *q)
{
	(void)q;
	return true;
}

static void
callback(struct virtqueue *q)
{
	(void)q;
}

int
kernel_guest_open(unsigned int num, unsigned long long features, void *area[3])
{
	memset(&vdev, 0, sizeof(vdev));
	vdev.features = features;
	INIT_LIST_HEAD(&vdev.vqs);
	spin_lock_init(&vdev.vqs_list_lock);
	vq = vring_create_virtqueue(
		0, num, 4096, &vdev, true, false, false, notify, callback, "oracle");
	if (vq == NULL)
		return -1;
	area[0] = (void *)(unsigned long)virtqueue_get_desc_addr(vq);
	area[1] = (void *)(unsigned long)virtqueue_get_avail_addr(vq);
	area[2] = (void *)(unsigned long)virtqueue_get_used_addr(vq);
	return 0;
}

void
kernel_guest_close(void)
{
	while (virtqueue_detach_unused_buf(vq) != NULL)
		;
	vring_del_virtqueue(vq);
}

int
kernel_guest_add(
	const struct kernel_guest_buffer *b, unsigned int out, unsigned int in, void *token)
{
	struct scatterlist sg[32], *sgs[2] = {sg, sg + out};
	unsigned int i;

	if (out != 0)
		sg_init_table(sg, out);
	if (in != 0)
		sg_init_table(sg + out, in);
	for (i = 0; i < out + in; i++)
		sg_set_buf(&sg[i], b[i].addr, b[i].len);
	return virtqueue_add_sgs(vq, sgs, out != 0, in != 0, token, GFP_ATOMIC);
}

int
kernel_guest_kick(void)
{
	return virtqueue_kick_prepare(vq);
}

void *
kernel_guest_get(unsigned int *len)
{
	return virtqueue_get_buf(vq, len);
}

int
kernel_guest_enable_cb(void)
{
	return virtqueue_enable_cb(vq);
}

void
kernel_guest_disable_cb(void)
{
	virtqueue_disable_cb(vq);
}
