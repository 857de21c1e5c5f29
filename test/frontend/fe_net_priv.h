/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_NET_PRIV_H
#define FE_NET_PRIV_H

/**
 * @file
 * The two directions of traffic, as fe_net.c drives them.
 */

#include "fe_net.h"
#include "fe_shape.h"

/** Frames that may be out per pair; a power of two. */
#define FE_NET_OUT 32768u
/** Mark in fe_net_pair::out of a frame that need not come. */
#define FE_NET_GIVEN_UP (1ull << 63)
/** Complaints before the rest is only counted. */
#define FE_NET_COMPLAINTS 5

/** Count a corruption of pair @p pair and say why. */
void fe_net_corrupt(struct fe_net *net, unsigned int pair, const char *why);

/** Note in the dirty log that the used entry at position @p got was written. */
void fe_net_want_used(struct fe_net *net, const struct fe_ring *ring, uint16_t got);

/** A buffer came back from the device. */
void fe_net_back(struct fe_net *net, struct fe_net_pair *pair, const struct fe_buf *buf);

/** Receive one frame of pair @p p. @return used entries taken. */
unsigned int fe_net_receive(struct fe_net *net, unsigned int p);

/** Post all receive buffers that are at rest, in any order. */
void fe_net_post(struct fe_net *net, struct fe_net_pair *pair);

/** Take transmit buffers back. @return used entries taken. */
unsigned int fe_net_tx_done(struct fe_net *net, unsigned int p);

/** Send what the window allows. @return frames. */
unsigned int fe_net_send(struct fe_net *net, unsigned int p);

/** Cut a chain of @p len bytes to fit, into at most @p direct_parts ring descriptors, and put it
 * into the pair's ring; if the device reads it, net->frame goes into it. @return whether there was
 * room.
 */
bool fe_net_add(struct fe_net *net, struct fe_net_pair *pair, struct fe_buf *buf, uint32_t len,
	unsigned int direct_parts, bool write);

#endif /* FE_NET_PRIV_H */
