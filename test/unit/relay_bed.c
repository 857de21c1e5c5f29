/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "relay_bed.h"

#define PACKED (1ULL << VIRTIO_F_RING_PACKED)

#define must(cond)                                                                 \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

/* In LOW memory, at its end; buffers of the tests lie before. */
#define BED_RINGS (BED_REGION - 0x180000)

static struct bed *
bed_of(struct svq_device *dev)
{
	return RTE_PTR_SUB(dev, offsetof(struct bed, dev));
}

static int
bed_dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	struct bed *b = bed_of(dev);

	must(b->n_maps < RTE_DIM(b->map));
	b->map[b->n_maps].iova = iova;
	b->map[b->n_maps].hva = hva;
	b->map[b->n_maps].size = size;
	b->map[b->n_maps++].perm = perm;
	return 0;
}

static int
bed_dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	struct bed *b = bed_of(dev);
	unsigned int i;

	for (i = 0; i < b->n_maps; i++) {
		if (b->map[i].iova == iova && b->map[i].size == size) {
			b->map[i] = b->map[--b->n_maps];
			return 0;
		}
	}
	return -ENOENT;
}

static void *
bed_iova(struct bed *b, uint64_t iova, uint64_t len, uint32_t perm)
{
	unsigned int i;

	for (i = 0; i < b->n_maps; i++) {
		if (iova - b->map[i].iova < b->map[i].size &&
			len <= b->map[i].size - (iova - b->map[i].iova) &&
			(b->map[i].perm & perm) == perm)
			return (void *)(uintptr_t)(b->map[i].hva + (iova - b->map[i].iova));
	}
	b->bad_iova++;
	return NULL;
}

static void
bed_notify(struct svq_device *dev, uint16_t qid, uint32_t data)
{
	RTE_SET_USED(qid);
	bed_of(dev)->notified++;
	bed_of(dev)->notify_data = data;
}

static uint8_t
bed_status(struct svq_device *dev)
{
	return bed_of(dev)->status;
}

static const struct svq_device_ops bed_ops = {
	.dma_map = bed_dma_map,
	.dma_unmap = bed_dma_unmap,
	.notify = bed_notify,
	.status = bed_status,
};

void
bed_memory(struct bed *b, unsigned int which)
{
	struct svq_guest_region regions[3] = {{.size = BED_REGION, .fd = b->memfd}};
	struct svq_guest_diff diff;
	unsigned int n = 1;

	regions[0].gpa = BED_LOW;
	if (which & BED_WITH_HIGH)
		regions[n++] = (struct svq_guest_region){
			.gpa = BED_HIGH,
			.size = BED_REGION,
			.offset = 2 * BED_REGION,
			.fd = b->memfd,
		};
	if (which & BED_WITH_ALIAS)
		regions[n++] = (struct svq_guest_region){
			.gpa = BED_ALIAS,
			.size = BED_REGION,
			.fd = b->memfd,
		};
	must(svq_guest_prepare(b->guest, regions, n, &diff) == 0);
	must(svq_dma_guest_apply(b->dma, &diff) == 0);
	svq_guest_commit(b->guest);
	b->desc = bed_ptr(b, b->desc_gpa);
	b->avail = bed_ptr(b, b->avail_gpa);
	b->used = bed_ptr(b, b->used_gpa);
}

static void
bed_open_memory(struct bed *b)
{
	b->desc_gpa = BED_RINGS;
	b->avail_gpa = b->desc_gpa + 16ull * 32768;
	b->used_gpa = b->avail_gpa + 0x20000;
	b->memfd = memfd_create("bed", 0);
	must(b->memfd >= 0 && ftruncate(b->memfd, 3 * BED_REGION) == 0);
	must(svq_guest_create(&b->guest) == 0);
	must(svq_dma_create(&b->dev, NULL, &b->dma) == 0);
	bed_memory(b, BED_WITH_HIGH | BED_WITH_ALIAS);
}

void
bed_open_conf(struct bed *b, const struct bed_conf *bc)
{
	struct svq_queue_conf conf = {
		.name = "bed",
		.qid = bc->qid,
		.size = bc->device_size,
		.features = bc->device_features,
		.numa_node = -1,
		.net_header = bc->net_header,
		.scalar = bc->scalar,
		.complaints = bc->complaints,
	};
	bool packed = bc->device_features & PACKED;
	struct svq_device_queue sq;

	memset(b, 0, sizeof(*b));
	b->dev.ops = &bed_ops;
	b->dev.info = (struct svq_device_info){
		.max_pairs = 1,
		.max_queue_size = 32768,
		.max_page = 4096,
		.granule = 4096,
		.numa_node = -1,
		.n_apertures = 1,
		.apertures = {{0x1000, UINT64_C(0xffffffffff)}},
	};
	strcpy(b->dev.name, "bed");
	b->guest_size = bc->guest_size;
	b->device_size = bc->device_size;
	b->features = bc->guest_features;
	bed_open_memory(b);
	b->callfd = eventfd(0, EFD_NONBLOCK);
	b->kickfd = bc->sleeps ? eventfd(0, EFD_NONBLOCK) : -1;
	b->irqfd = bc->sleeps ? eventfd(0, EFD_NONBLOCK) : -1;
	conf.irqfd = b->irqfd;
	conf.dma = b->dma;
	must(svq_queue_create(&conf, &b->q) == 0);
	svq_queue_device(b->q, &sq);
	must(sq.size == bc->device_size);
	b->dev_packed = packed;
	b->device_features = bc->device_features;
	b->qid = bc->qid;
	b->net_header = bc->net_header;
	bed_device_reset(b);
	b->sdesc = bed_iova(
		b, sq.desc_iova, 16ull * bc->device_size, packed ? SVQ_PERM_RW : SVQ_PERM_R);
	b->savail = bed_iova(b, sq.avail_iova, packed ? 4 : 6 + 2ull * bc->device_size, SVQ_PERM_R);
	b->sused = bed_iova(b, sq.used_iova, packed ? 4 : 6 + 8ull * bc->device_size, SVQ_PERM_W);
	must(b->sdesc != NULL && b->savail != NULL && b->sused != NULL);
	b->packed = b->features & PACKED;
	must(bed_attach(b, b->packed ? 0x8000 : 0) == 0);
}

static void
build(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features,
	uint64_t device_features, uint16_t qid, uint32_t net_header)
{
	bed_open_conf(b,
		&(struct bed_conf){
			.guest_size = guest_size,
			.device_size = device_size,
			.guest_features = features,
			.device_features = device_features,
			.qid = qid,
			.net_header = net_header,
		});
}

void
bed_open(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features)
{
	build(b, guest_size, device_size, features, features & ~PACKED, 0, 0);
}

void
bed_open_features(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features,
	uint64_t device_features)
{
	build(b, guest_size, device_size, features, device_features, 0, 0);
}

void
bed_open_device(
	struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features, bool packed)
{
	build(b, guest_size, device_size, features, packed ? features | PACKED : features & ~PACKED,
		0, 0);
}

void
bed_open_net(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features,
	uint16_t qid, uint32_t net_header)
{
	build(b, guest_size, device_size, features, features & ~PACKED, qid, net_header);
}

int
bed_attach(struct bed *b, uint16_t base)
{
	struct svq_queue_guest conf = {
		.desc = b->desc,
		.avail = b->avail,
		.used = b->used,
		.desc_gpa = b->desc_gpa,
		.used_gpa = b->used_gpa,
		.avail_gpa = b->avail_gpa,
		.size = b->guest_size,
		.base = base,
		.features = b->features,
		.callfd = b->callfd,
		.kickfd = b->kickfd,
	};

	return svq_queue_attach(b->q, &conf);
}

void
bed_close(struct bed *b)
{
	struct svq_guest_diff diff;

	svq_queue_detach(b->q);
	svq_queue_destroy(b->q);
	must(svq_guest_prepare(b->guest, NULL, 0, &diff) == 0);
	must(svq_dma_guest_apply(b->dma, &diff) == 0);
	svq_guest_commit(b->guest);
	svq_dma_destroy(b->dma);
	svq_guest_destroy(b->guest);
	must(b->n_maps == 0);
	close(b->callfd);
	if (b->kickfd >= 0)
		close(b->kickfd);
	if (b->irqfd >= 0)
		close(b->irqfd);
	close(b->memfd);
}

void *
bed_ptr(struct bed *b, uint64_t gpa)
{
	void *p = svq_gpa_hva(svq_dma_map(b->dma), gpa, 1, SVQ_PERM_R);

	must(p != NULL);
	return p;
}

void
bed_desc(struct bed *b, unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	b->desc[i] = (struct vring_desc){.addr = gpa, .len = len, .flags = flags, .next = next};
}

void
bed_avail(struct bed *b, uint16_t head)
{
	b->avail->ring[b->avail_idx % b->guest_size] = head;
	b->avail->idx = ++b->avail_idx;
}

bool
bed_reap(struct bed *b, struct vring_used_elem *elem)
{
	if (b->used->idx == b->seen_used)
		return false;
	*elem = b->used->ring[b->seen_used++ % b->guest_size];
	return true;
}

/* The device reads one descriptor of the chain. */
static void
device_desc(struct bed *b, struct bed_chain *chain, uint64_t iova, uint32_t len, uint16_t flags)
{
	bool writable = flags & VRING_DESC_F_WRITE;
	void *p = bed_iova(b, iova, len, writable ? SVQ_PERM_W : SVQ_PERM_R);

	must(chain->n < b->device_size);
	*(writable ? &chain->writable : &chain->readable) += len;
	if (chain->n < RTE_DIM(chain->desc))
		chain->desc[chain->n] =
			(struct vring_desc){.addr = (uintptr_t)p, .len = len, .flags = flags};
	chain->n++;
}

static void
device_step(struct bed *b, uint16_t *pos, bool *wrap, unsigned int n)
{
	*pos += n;
	if (*pos >= b->device_size) {
		*pos -= b->device_size;
		*wrap = !*wrap;
	}
}

static bool
device_has(const struct bed *b, unsigned int feature)
{
	return b->device_features >> feature & 1;
}

/* The device reads an indirect table, of either format. */
static void
device_table(struct bed *b, struct bed_chain *chain, uint64_t iova, uint32_t len, uint16_t flags)
{
	unsigned int n = len / 16, i;
	const union {
		struct vring_desc split;
		struct vring_packed_desc packed;
	} *d = bed_iova(b, iova, len, SVQ_PERM_R);

	must(device_has(b, VIRTIO_RING_F_INDIRECT_DESC));
	must(d != NULL && len % 16 == 0 && n > 0 && n <= b->device_size);
	must(!(flags & VRING_DESC_F_NEXT));
	chain->tables++;
	for (i = 0; i < n; i++) {
		if (b->dev_packed) {
			must((d[i].packed.flags & ~VRING_DESC_F_WRITE) == 0);
			device_desc(b, chain, d[i].packed.addr, d[i].packed.len, d[i].packed.flags);
			continue;
		}
		must((d[i].split.flags & ~(VRING_DESC_F_WRITE | VRING_DESC_F_NEXT)) == 0);
		must(!(d[i].split.flags & VRING_DESC_F_NEXT) == (i + 1 == n));
		must(i + 1 == n || d[i].split.next == i + 1);
		device_desc(b, chain, d[i].split.addr, d[i].split.len, d[i].split.flags);
	}
}

static bool
device_take_packed(struct bed *b, struct bed_chain *chain)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)b->sdesc;
	uint16_t flags = __atomic_load_n(&d[b->dev_avail].flags, __ATOMIC_ACQUIRE);
	unsigned int places = 0;

	if (!!(flags & 1 << VRING_PACKED_DESC_F_AVAIL) != b->dev_avail_wrap ||
		!!(flags & 1 << VRING_PACKED_DESC_F_USED) == b->dev_avail_wrap)
		return false;
	do {
		flags = d[b->dev_avail].flags;
		must(!!(flags & 1 << VRING_PACKED_DESC_F_AVAIL) == b->dev_avail_wrap);
		chain->head = d[b->dev_avail].id;
		if (flags & VRING_DESC_F_INDIRECT)
			device_table(b, chain, d[b->dev_avail].addr, d[b->dev_avail].len, flags);
		else
			device_desc(b, chain, d[b->dev_avail].addr, d[b->dev_avail].len, flags);
		device_step(b, &b->dev_avail, &b->dev_avail_wrap, 1);
		places++;
	} while (flags & VRING_DESC_F_NEXT);
	must(chain->head < b->device_size);
	must(chain->tables == 0 || places == 1);
	b->dev_places[chain->head] = places;
	return true;
}

static bool
device_take_split(struct bed *b, struct bed_chain *chain)
{
	uint16_t i;

	if (__atomic_load_n(&b->savail->idx, __ATOMIC_ACQUIRE) == b->dev_avail)
		return false;
	chain->head = i = b->savail->ring[b->dev_avail++ % b->device_size];
	for (;;) {
		const struct vring_desc *d = &b->sdesc[i];

		must(i < b->device_size);
		/* In order: through the table from its start, and round (virtio 1.2, 2.7.5). */
		if (device_has(b, VIRTIO_F_IN_ORDER))
			must(i == b->dev_desc++ % b->device_size);
		if (d->flags & VRING_DESC_F_INDIRECT)
			device_table(b, chain, d->addr, d->len, d->flags);
		else
			device_desc(b, chain, d->addr, d->len, d->flags);
		if (!(d->flags & VRING_DESC_F_NEXT))
			return true;
		i = d->next;
	}
}

bool
bed_device_take(struct bed *b, struct bed_chain *chain)
{
	memset(chain, 0, offsetof(struct bed_chain, desc));
	return b->dev_packed ? device_take_packed(b, chain) : device_take_split(b, chain);
}

void
bed_device_return_batch(struct bed *b, const uint16_t *ids, unsigned int n, uint32_t len)
{
	struct vring_packed_desc *d = (struct vring_packed_desc *)b->sdesc + b->dev_used;
	bool wrap = b->dev_used_wrap;

	if (!b->dev_packed) {
		b->sused->ring[b->dev_used % b->device_size] =
			(struct vring_used_elem){ids[n - 1], len};
		b->sused->idx = b->dev_used += n;
		return;
	}
	d->id = ids[n - 1];
	d->len = len;
	while (n-- != 0)
		device_step(b, &b->dev_used, &b->dev_used_wrap, b->dev_places[ids[n]]);
	d->flags = (wrap ? 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED : 0) |
		(len != 0 ? VRING_DESC_F_WRITE : 0);
}

void
bed_device_return(struct bed *b, uint32_t id, uint32_t len)
{
	struct vring_packed_desc *d = (struct vring_packed_desc *)b->sdesc + b->dev_used;

	if (!b->dev_packed) {
		b->sused->ring[b->dev_used % b->device_size] = (struct vring_used_elem){id, len};
		__atomic_store_n(&b->sused->idx, ++b->dev_used, __ATOMIC_RELEASE);
		return;
	}
	d->id = id;
	d->len = len;
	__atomic_store_n(&d->flags,
		(b->dev_used_wrap ? 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED
				  : 0) |
			VRING_DESC_F_WRITE,
		__ATOMIC_RELEASE);
	device_step(b, &b->dev_used, &b->dev_used_wrap, b->dev_places[id % b->device_size]);
}

void
bed_device_event(struct bed *b, uint16_t idx)
{
	memcpy(&b->sused->ring[b->device_size], &idx, sizeof(idx));
}

void
bed_device_reset(struct bed *b)
{
	b->dev_avail = 0;
	b->dev_used = 0;
	b->dev_desc = 0;
	b->dev_avail_wrap = true;
	b->dev_used_wrap = true;
}

unsigned int
bed_calls(struct bed *b)
{
	eventfd_t n = 0;

	return eventfd_read(b->callfd, &n) == 0 ? n : 0;
}
