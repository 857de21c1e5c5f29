/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef KERNEL_GUEST_H
#define KERNEL_GUEST_H

/**
 * @file
 * Linux's own virtqueue driver (drivers/virtio/virtio_ring.c, compiled in user space) as a guest.
 * Between two worlds of headers: plain C only. Guest-physical addresses are addresses of the arena.
 */

/** One buffer of a chain. */
struct kernel_guest_buffer {
	void *addr;
	unsigned int len;
};

/** A ring of @p num descriptors, its three areas in @p area. @return 0; -1. */
int kernel_guest_open(unsigned int num, unsigned long long features, void *area[3]);
void kernel_guest_close(void);

/** Add a chain: first @p out readable, then @p in writable buffers. @return 0; < 0: no room. */
int kernel_guest_add(
	const struct kernel_guest_buffer *b, unsigned int out, unsigned int in, void *token);
/** Whether the driver would kick for what was added since. */
int kernel_guest_kick(void);
/** Take a used chain. @return its token; 0: none. */
void *kernel_guest_get(unsigned int *len);
/** Ask for a call. @return 0: there are used chains already. */
int kernel_guest_enable_cb(void);
void kernel_guest_disable_cb(void);

/** Memory of the guest, which the driver allocates from, too. */
void *guest_malloc(unsigned long size);
void guest_free(void *p);

#endif /* KERNEL_GUEST_H */
