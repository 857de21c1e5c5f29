/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <sys/eventfd.h>

#include "queue_priv.h"

RTE_LOG_REGISTER(svq_relay_logtype, svq.relay, NOTICE);

/* Indexed by enum svq_queue_error: the counter's name, and what went wrong in a log line; of a
 * packed ring where that has other words for it. */
static const struct {
	const char *name;
	const char *text;
	const char *packed;
} errors[SVQ_QUEUE_E_MAX + 1] = {
	[SVQ_QUEUE_OK] = {"ok", "no error"},
	[SVQ_QUEUE_E_AVAIL_IDX] = {"avail_idx", "guest's avail->idx jumped, to",
		"guest made more descriptors available than its ring has, place"},
	[SVQ_QUEUE_E_HEAD] = {"head",
		"guest made available a head beyond its table or in flight already,",
		"guest's buffer id is beyond its ring or in flight already,"},
	[SVQ_QUEUE_E_NEXT] = {"next", "guest's descriptor has a next beyond its table,"},
	[SVQ_QUEUE_E_LOOP] = {"loop", "guest's chain loops, head",
		"guest's chain is longer than its ring, place"},
	[SVQ_QUEUE_E_ORDER] = {"order",
		"guest's readable descriptor follows a writable one, address"},
	[SVQ_QUEUE_E_ZERO_LEN] = {"zero_len", "guest's descriptor has length 0, address"},
	[SVQ_QUEUE_E_TOTAL_LEN] = {"total_len", "guest's chain exceeds 4 GiB at address"},
	[SVQ_QUEUE_E_INDIRECT] = {"indirect",
		"guest's indirect table is malformed, length or address"},
	[SVQ_QUEUE_E_ADDRESS] = {"address", "guest's descriptor lies outside its memory, address"},
	[SVQ_QUEUE_E_PERMISSION] = {"permission",
		"guest's descriptor writes to read-only memory, address"},
	[SVQ_QUEUE_E_TOO_LONG] = {"too_long",
		"guest's chain can never fit the shadow ring (raise queue_size=), descriptors"},
	[SVQ_QUEUE_E_DIRECTION] = {"direction",
		"guest's chain goes the wrong way, bytes that the device cannot use"},
	[SVQ_QUEUE_E_SHORT] = {"short", "guest's chain is shorter than the header, bytes"},
	[SVQ_QUEUE_E_CALL] = {"call",
		"front-end's call eventfd cannot be written without waiting, errno"},
	[SVQ_QUEUE_E_MEMORY_LOST] = {"memory_lost",
		"front-end shrank the file behind guest memory, device status"},
	[SVQ_QUEUE_E_USED_IDX] = {"used_idx", "device's used->idx is beyond what is in flight,",
		"device returned a descriptor while none is in flight,"},
	[SVQ_QUEUE_E_USED_ID] = {"used_id", "device returned an id that is not in flight,"},
	[SVQ_QUEUE_E_USED_WRAP] = {"used_wrap",
		"device returned a descriptor with the wrong wrap counter, place"},
	[SVQ_QUEUE_E_USED_LEN] = {"used_len", "device wrote more than the buffer holds, bytes"},
	[SVQ_QUEUE_E_NEEDS_RESET] = {"needs_reset", "device asks to be reset, status"},
	[SVQ_QUEUE_E_GONE] = {"gone",
		"device does not answer (removed, or without power; lspci tells), status"},
	[SVQ_QUEUE_E_DEVICE] = {"device", "device broke"},
};

const char *
svq_queue_error_name(enum svq_queue_error error)
{
	return (unsigned int)error < RTE_DIM(errors) ? errors[error].name : "unknown";
}

/* The queue is broken: tell the front-end, if it wants to know. A failed write is of no matter: the
 * counter is full, or the front-end keeps us waiting (svq_patience.h). */
static void
signal_error(const struct svq_queue *q)
{
	if (q->errfd >= 0)
		(void)eventfd_write(q->errfd, 1);
}

/* Where the guest's next ring entry stands, which is the one at fault: what was sound before it has
 * been taken. */
static uint64_t
guest_entry(const struct svq_queue *q)
{
	const struct svq_guest_ring *r = &q->guest;

	if (r->packed)
		return r->desc_gpa + (uint64_t)q->last_avail * sizeof(struct vring_packed_desc);
	return r->avail_gpa + offsetof(struct vring_avail, ring) +
		(uint64_t)(q->last_avail & r->mask) * sizeof(uint16_t);
}

/* Likewise of the device's. */
static uint64_t
device_entry(const struct svq_queue *q)
{
	const struct svq_shadow_ring *r = &q->shadow;

	if (r->packed)
		return r->desc_iova + (uint64_t)r->used_idx * sizeof(struct vring_packed_desc);
	return r->device_iova + offsetof(struct vring_used, ring) +
		(uint64_t)(r->used_idx & r->mask) * sizeof(struct vring_used_elem);
}

static const char *
text_of(const struct svq_queue *q, enum svq_queue_error error)
{
	bool packed = error >= SVQ_QUEUE_E_USED_IDX ? q->shadow.packed : q->guest.packed;

	return packed && errors[error].packed != NULL ? errors[error].packed : errors[error].text;
}

static void
log_fault(const struct svq_queue *q, enum svq_queue_error error, uint64_t detail)
{
	bool device = error >= SVQ_QUEUE_E_USED_IDX;

	if (q->complaints != NULL && !svq_complain(q->complaints, q->name))
		return;
	RELAY_LOG(ERR,
		"%s queue %u (%s): %s 0x%" PRIx64 ", at index %u, ring entry at %s 0x%" PRIx64
		"; queue stopped until the guest resets it",
		q->name, q->qid, q->qid % 2 == 0 ? "rx" : "tx", text_of(q, error), detail,
		device ? q->shadow.used_idx : q->last_avail, device ? "IOVA" : "GPA",
		device ? device_entry(q) : guest_entry(q));
}

void
svq_queue_fault(struct svq_queue *q, enum svq_queue_error error, uint64_t detail)
{
	q->error = error;
	q->stats.errors[error]++;
	log_fault(q, error, detail);
	signal_error(q);
	if (error >= SVQ_QUEUE_E_USED_IDX)
		svq_device_break(q->dev);
}

void
svq_queue_break(struct svq_queue *q, enum svq_queue_error error)
{
	uint8_t status;

	if (q->error != SVQ_QUEUE_OK)
		return;
	/* One queue tells it for all. */
	if (error == SVQ_QUEUE_E_NEEDS_RESET && !svq_device_break(q->dev))
		error = SVQ_QUEUE_E_DEVICE;
	if (error == SVQ_QUEUE_E_DEVICE) {
		q->error = error;
		signal_error(q);
		return;
	}
	status = q->dev->ops->status(q->dev);
	if (error == SVQ_QUEUE_E_NEEDS_RESET && status == SVQ_DEVICE_S_GONE)
		error = SVQ_QUEUE_E_GONE;
	svq_queue_fault(q, error, status);
}

enum svq_queue_error
svq_chain_slots(struct svq_queue *q, const struct svq_gpa_map *map, struct svq_chain *chain,
	uint64_t *detail)
{
	struct svq_gpa_seg segs[SVQ_GUEST_MAX_REGIONS];
	const struct svq_gather *ga = &q->gather;
	uint32_t i;

	chain->pieces = 0;
	for (i = chain->first; i < chain->first + chain->n; i++) {
		int n = 1;

		if (!svq_bit(ga->translated, i))
			n = svq_gpa_translate(map, ga->gpa[i], ga->len[i],
				svq_bit(ga->writable, i) ? SVQ_PERM_W : SVQ_PERM_R, segs,
				RTE_DIM(segs));
		if (n < 0) {
			*detail = ga->gpa[i];
			return n == -EACCES ? SVQ_QUEUE_E_PERMISSION : SVQ_QUEUE_E_ADDRESS;
		}
		chain->pieces += n;
	}
	return SVQ_QUEUE_OK;
}
