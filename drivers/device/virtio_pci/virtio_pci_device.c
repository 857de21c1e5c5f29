/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The operations of a virtio PCI function. */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_string_fns.h>

#include "virtio_pci.h"

RTE_LOG_REGISTER(vpci_logtype, svq.device.virtio_pci, INFO)

static const struct svq_device_ops vpci_ops;

static struct vpci_dev *
to_vpci(struct svq_device *dev)
{
	return (struct vpci_dev *)dev;
}

/* ---- open and close ---- */

/* What the relay cannot go without. */
static int
check_features(const struct vpci_dev *vp, uint64_t features)
{
	const char *name = vp->dev.name;

	if (!(features & RTE_BIT64(VIRTIO_F_VERSION_1))) {
		VPCI_LOG(ERR, name,
			"%s does not offer VIRTIO_F_VERSION_1: a device of virtio 1.0 or later is "
			"needed",
			vp->args.pci);
		return -ENOTSUP;
	}
	if (!(features & RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM))) {
		VPCI_LOG(ERR, name,
			"%s does not offer VIRTIO_F_ACCESS_PLATFORM: its DMA would pass the IOMMU "
			"by; switch that on at the device (QEMU: iommu_platform=on)",
			vp->args.pci);
		return -ENOTSUP;
	}
	return 0;
}

/* Queue pairs that the function has, and the size that each of their queues can have. */
static int
count_queues(struct vpci_dev *vp)
{
	struct svq_device_info *info = &vp->dev.info;
	uint16_t pairs = 1, size, max = 32768, qid;
	int ret = 0;

	if (info->features & RTE_BIT64(VIRTIO_NET_F_MQ))
		ret = vpci_config_read(vp, offsetof(struct virtio_net_config, max_virtqueue_pairs),
			&pairs, sizeof(pairs));
	if (ret < 0)
		return ret;
	pairs = rte_le_to_cpu_16(pairs);
	if (pairs == 0 || pairs > VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX / 2) {
		VPCI_LOG(ERR, vp->dev.name, "%s claims %u queue pairs: the function is broken",
			vp->args.pci, pairs);
		return -EPROTO;
	}
	vp->net_pairs = pairs;
	for (qid = 0; qid < 2 * RTE_MIN(pairs, VPCI_MAX_PAIRS); qid++) {
		size = vpci_queue_max(vp, qid);
		if (size < 2)
			break;
		max = RTE_MIN(max, size);
	}
	if (qid < 2) {
		VPCI_LOG(ERR, vp->dev.name,
			"%s: queue %u has a size of %u: the function has no queue pair to use",
			vp->args.pci, qid, vpci_queue_max(vp, qid));
		return -EPROTO;
	}
	info->max_pairs = qid / 2;
	/* A size that split rings can have, too. */
	info->max_queue_size = (uint16_t)rte_align32prevpow2(max);
	return 0;
}

static void
fill_dma_info(struct vpci_dev *vp)
{
	const struct svq_vfio_info *vfio = svq_vfio_info(vp->vfio);
	struct svq_device_info *info = &vp->dev.info;

	info->granule = RTE_MAX(vfio->page_sizes & -vfio->page_sizes, (uint64_t)4096);
	info->max_page = RTE_BIT64(63 - __builtin_clzll(vfio->page_sizes));
	info->numa_node = vfio->numa_node;
	info->n_apertures = vfio->n_ranges;
	memcpy(info->apertures, vfio->ranges, vfio->n_ranges * sizeof(info->apertures[0]));
}

static int
read_function(struct vpci_dev *vp)
{
	uint64_t features;
	int ret;

	vp->config_fd = -1;
	ret = vpci_caps_find(vp->vfio, vp->dev.name, &vp->caps);
	if (ret == 0)
		ret = vpci_reset(vp);
	if (ret < 0)
		return ret;
	features = vpci_features_offered(vp);
	ret = check_features(vp, features);
	if (ret < 0)
		return ret;
	if (!vp->args.packed)
		features &= ~RTE_BIT64(VIRTIO_F_RING_PACKED);
	/* The register for it lies behind those that every function has. */
	if (vp->caps.common.len < VIRTIO_PCI_COMMON_Q_RESET + 2)
		features &= ~RTE_BIT64(VIRTIO_F_RING_RESET);
	if (vp->args.set_mac && !(features & RTE_BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR))) {
		VPCI_LOG(ERR, vp->dev.name,
			"%s does not offer VIRTIO_NET_F_CTRL_MAC_ADDR: its address cannot be set; "
			"leave mac= out",
			vp->args.pci);
		return -ENOTSUP;
	}
	vp->dev.info.features = features;
	fill_dma_info(vp);
	/* Which queues there are depends on what is negotiated (virtio 1.2, 5.1.2). */
	ret = vpci_negotiate(vp,
		features &
			(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) |
				RTE_BIT64(VIRTIO_NET_F_CTRL_VQ) | RTE_BIT64(VIRTIO_NET_F_MQ)));
	if (ret == 0)
		ret = count_queues(vp);
	return ret < 0 ? ret : vpci_reset(vp);
}

/* As after a reset. */
static void
forget_queues(struct vpci_dev *vp)
{
	memset(vp->queues, 0, 2 * vp->dev.info.max_pairs * sizeof(vp->queues[0]));
	vpci_irq_stop(vp);
	vpci_ctrl_destroy(vp);
	vp->started = false;
}

static void
vpci_free(struct vpci_dev *vp)
{
	svq_vfio_close(vp->vfio);
	free(vp->queues);
	free(vp);
}

static int
vpci_open(const char *name, struct rte_kvargs *kvargs, struct rte_rcu_qsbr *qsbr,
	struct svq_device **dev)
{
	struct vpci_dev *vp = calloc(1, sizeof(*vp));
	int ret;

	RTE_SET_USED(qsbr);
	if (vp == NULL)
		return -ENOMEM;
	vp->dev.ops = &vpci_ops;
	vp->dev.type = "virtio_pci";
	rte_strscpy(vp->dev.name, name, sizeof(vp->dev.name));
	ret = vpci_args_parse(name, kvargs, &vp->args);
	if (ret == 0)
		ret = svq_vfio_open(name, vp->args.pci, &vp->vfio);
	if (ret == 0)
		ret = read_function(vp);
	if (ret < 0)
		goto fail;
	vp->queues = calloc(2 * (size_t)vp->dev.info.max_pairs, sizeof(vp->queues[0]));
	if (vp->queues == NULL) {
		ret = -ENOMEM;
		goto fail;
	}
	forget_queues(vp);
	VPCI_LOG(INFO, name,
		"%s: IOMMU group %u, %u queue pairs of up to %u descriptors, %u MSI-X vectors",
		vp->args.pci, svq_vfio_info(vp->vfio)->group, vp->dev.info.max_pairs,
		vp->dev.info.max_queue_size, svq_vfio_info(vp->vfio)->n_msix);
	*dev = &vp->dev;
	return 0;

fail:
	vpci_free(vp);
	return ret;
}

static void
vpci_stop(struct svq_device *dev)
{
	struct vpci_dev *vp = to_vpci(dev);

	/* Whatever becomes of the reset, its DMA ends here. */
	vpci_reset(vp);
	svq_vfio_bus_master(vp->vfio, false);
	forget_queues(vp);
}

static void
vpci_close(struct svq_device *dev)
{
	vpci_stop(dev);
	vpci_free(to_vpci(dev));
}

/* ---- from features to DRIVER_OK ---- */

static int
vpci_set_features(struct svq_device *dev, uint64_t features)
{
	const uint64_t needed = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM);
	struct vpci_dev *vp = to_vpci(dev);

	if (vp->started)
		return -EBUSY;
	if (vp->dead)
		return -EIO;
	if (features & ~dev->info.features) {
		VPCI_LOG(ERR, dev->name,
			"features 0x%" PRIx64 " are not offered; accept some of 0x%" PRIx64,
			features & ~dev->info.features, dev->info.features);
		return -EINVAL;
	}
	if ((features & needed) != needed) {
		VPCI_LOG(ERR, dev->name,
			"features 0x%" PRIx64
			" lack VIRTIO_F_VERSION_1 or VIRTIO_F_ACCESS_PLATFORM, which the function "
			"needs; the guest must be one of virtio 1.0 or later (QEMU: "
			"disable-legacy=on)",
			features);
		return -EINVAL;
	}
	return vpci_negotiate(vp, features);
}

static int
vpci_dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	return svq_vfio_dma_map(to_vpci(dev)->vfio, iova, hva, size, perm);
}

static int
vpci_dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	return svq_vfio_dma_unmap(to_vpci(dev)->vfio, iova, size);
}

static void
vpci_set_dma(struct svq_device *dev, struct svq_dma *dma)
{
	to_vpci(dev)->dma = dma;
}

static struct vpci_queue *
find_queue(struct svq_device *dev, uint16_t qid)
{
	return qid < 2 * dev->info.max_pairs ? &to_vpci(dev)->queues[qid] : NULL;
}

static int
vpci_queue_setup(struct svq_device *dev, uint16_t qid, const struct svq_device_queue *conf)
{
	struct vpci_queue *queue = find_queue(dev, qid);
	struct vpci_dev *vp = to_vpci(dev);

	if (queue == NULL || conf->size == 0 || conf->size > dev->info.max_queue_size ||
		(!(vp->features & RTE_BIT64(VIRTIO_F_RING_PACKED)) &&
			!rte_is_power_of_2(conf->size)))
		return -EINVAL;
	if (queue->enabled)
		return -EBUSY;
	queue->conf = *conf;
	return 0;
}

static int
vpci_queue_irq(struct svq_device *dev, uint16_t qid, int fd)
{
	struct vpci_queue *queue = find_queue(dev, qid);
	struct vpci_dev *vp = to_vpci(dev);

	if (queue == NULL)
		return -EINVAL;
	if (vp->started)
		return -EBUSY;
	if (fd >= 0 && queue->irq_fd < 0 && !vpci_irq_room(vp))
		return -ENOSPC;
	queue->irq_fd = fd;
	return 0;
}

static int
vpci_config_irq(struct svq_device *dev, int fd)
{
	struct vpci_dev *vp = to_vpci(dev);

	if (vp->started)
		return -EBUSY;
	if (fd >= 0 && svq_vfio_info(vp->vfio)->n_msix == 0)
		return -ENOSPC;
	vp->config_fd = fd;
	return 0;
}

/* It is the function that has the pairs of which it was told nothing else: the first. */
static int
vpci_pair_enable(struct svq_device *dev, uint16_t pair, bool on)
{
	struct vpci_dev *vp = to_vpci(dev);

	if (pair >= dev->info.max_pairs)
		return -EINVAL;
	vp->pair_on[pair] = on;
	return vp->started ? vpci_ctrl_pairs(vp) : 0;
}

static bool
pair_is_set_up(const struct vpci_dev *vp, uint16_t pair)
{
	return vp->queues[2 * pair].conf.size != 0 && vp->queues[2 * pair + 1].conf.size != 0;
}

static int
program_queues(struct vpci_dev *vp)
{
	unsigned int ready = 0;
	uint16_t qid;
	int ret;

	for (qid = 0; qid < 2 * vp->dev.info.max_pairs; qid++) {
		if (!pair_is_set_up(vp, qid / 2))
			continue;
		ret = vpci_queue_program(vp, qid, &vp->queues[qid]);
		if (ret < 0)
			return ret;
		ready++;
	}
	if (ready == 0) {
		VPCI_LOG(ERR, vp->dev.name,
			"no queue pair has both queues set up; set up queues 0 and 1");
		return -EINVAL;
	}
	for (qid = 0; qid < 2 * vp->dev.info.max_pairs; qid++) {
		if (pair_is_set_up(vp, qid / 2))
			vpci_queue_enable(vp, qid, &vp->queues[qid]);
	}
	return 0;
}

static int
driver_ok(struct vpci_dev *vp)
{
	uint8_t status;
	int ret;

	ret = svq_vfio_bus_master(vp->vfio, true);
	if (ret < 0) {
		VPCI_LOG(ERR, vp->dev.name, "bus mastering cannot be switched on: %s",
			strerror(-ret));
		return ret;
	}
	vpci_status_add(vp, VIRTIO_CONFIG_S_DRIVER_OK);
	status = vpci_status(vp);
	if ((status & (VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_DRIVER_OK)) ==
		VIRTIO_CONFIG_S_DRIVER_OK)
		return 0;
	VPCI_LOG(ERR, vp->dev.name, "the function does not start: its status is 0x%02x", status);
	return -EFAULT;
}

static int
vpci_start(struct svq_device *dev)
{
	struct vpci_dev *vp = to_vpci(dev);
	int ret;

	if (vp->started)
		return -EBUSY;
	if (vp->dead || vp->features == 0)
		return -EIO;
	vp->started = true;
	ret = vpci_irq_start(vp);
	if (ret == 0)
		ret = program_queues(vp);
	if (ret == 0)
		ret = vpci_ctrl_create(vp);
	if (ret == 0)
		ret = driver_ok(vp);
	if (ret == 0)
		vpci_ctrl_start(vp);
	return ret;
}

/* ---- while it runs ---- */

static void
vpci_notify(struct svq_device *dev, uint16_t qid, uint32_t data)
{
	struct vpci_dev *vp = to_vpci(dev);

	vpci_queue_notify(vp, &vp->queues[qid], data);
}

static int
vpci_reset_queue(struct svq_device *dev, uint16_t qid)
{
	struct vpci_queue *queue = find_queue(dev, qid);
	struct vpci_dev *vp = to_vpci(dev);
	int ret = 0;

	if (queue == NULL)
		return -EINVAL;
	if (!(vp->features & RTE_BIT64(VIRTIO_F_RING_RESET)))
		return -ENOTSUP;
	if (queue->enabled)
		ret = vpci_queue_reset(vp, qid);
	if (ret < 0)
		return ret;
	queue->enabled = false;
	memset(&queue->conf, 0, sizeof(queue->conf));
	return 0;
}

static int
vpci_restart_queue(struct svq_device *dev, uint16_t qid)
{
	struct vpci_queue *queue = find_queue(dev, qid);
	struct vpci_dev *vp = to_vpci(dev);
	int ret;

	if (!(vp->features & RTE_BIT64(VIRTIO_F_RING_RESET)))
		return -ENOTSUP;
	if (queue == NULL || !vp->started || queue->conf.size == 0)
		return -EINVAL;
	if (queue->enabled)
		return -EBUSY;
	ret = vpci_queue_program(vp, qid, queue);
	if (ret == 0)
		vpci_queue_enable(vp, qid, queue);
	return ret;
}

/* virtio 1.2, 5.1.6.5.4: the wish stands until it is answered. */
static void
vpci_config_done(struct svq_device *dev)
{
	struct vpci_dev *vp = to_vpci(dev);
	uint16_t status;

	if (vp->started &&
		vpci_config_read(vp, offsetof(struct virtio_net_config, status), &status,
			sizeof(status)) == 0 &&
		(rte_le_to_cpu_16(status) & VIRTIO_NET_S_ANNOUNCE))
		vpci_ctrl_announced(vp);
}

static uint8_t
vpci_device_status(struct svq_device *dev)
{
	return vpci_status(to_vpci(dev));
}

static int
vpci_get_config(struct svq_device *dev, uint32_t offset, void *dst, uint32_t len)
{
	return vpci_config_read(to_vpci(dev), offset, dst, len);
}

static void
vpci_stats(struct svq_device *dev, struct svq_device_stats *stats)
{
	RTE_SET_USED(dev);
	memset(stats, 0, sizeof(*stats));
}

static const char *
status_text(uint8_t status)
{
	if (status == SVQ_DEVICE_S_GONE)
		return "does not answer";
	if (status & SVQ_DEVICE_S_NEEDS_RESET)
		return "needs a reset";
	return status & SVQ_DEVICE_S_DRIVER_OK ? "running" : "stopped";
}

static void
vpci_dump(struct svq_device *dev, FILE *f)
{
	struct vpci_dev *vp = to_vpci(dev);
	const struct svq_vfio_info *info = svq_vfio_info(vp->vfio);
	uint8_t status = vpci_status(vp);
	struct svq_vfio_stats stats;

	svq_vfio_stats(vp->vfio, &stats);
	fprintf(f, "  PCI function: %s, IOMMU group %u, %u MSI-X vectors\n", info->pci, info->group,
		info->n_msix);
	fprintf(f, "  status: %s (0x%02x)\n", status_text(status), status);
	fprintf(f, "  queue pairs: %u of %u, %s rings of at most %u descriptors\n",
		dev->info.max_pairs, vp->net_pairs,
		vp->features & RTE_BIT64(VIRTIO_F_RING_PACKED) ? "packed" : "split",
		dev->info.max_queue_size);
	fprintf(f, "  features: accepted 0x%" PRIx64 " of 0x%" PRIx64 "\n", vp->features,
		dev->info.features);
	fprintf(f,
		"  IOMMU: %" PRIu64 " mappings of %" PRIu64 " bytes, %" PRIu64 " maps and %" PRIu64
		" unmaps; at most %u mappings, pages 0x%" PRIx64 "\n",
		stats.mapped, stats.mapped_bytes, stats.maps, stats.unmaps, info->max_maps,
		info->page_sizes);
	fprintf(f,
		"  resets: %" PRIu64 ", by the kernel %" PRIu64 ", of single queues %" PRIu64
		"; vectors in use: %u\n",
		atomic_load(&vp->resets), stats.resets, atomic_load(&vp->queue_resets),
		vp->n_vectors);
	fprintf(f,
		"  control queue: %s, %" PRIu64 " commands, %" PRIu64
		" without success; pairs on %u\n",
		vp->ctrl != NULL ? "in use" : "none", atomic_load(&vp->commands),
		atomic_load(&vp->command_errors), vp->pairs_on);
}

static const struct svq_device_ops vpci_ops = {
	.close = vpci_close,
	.set_features = vpci_set_features,
	.dma_map = vpci_dma_map,
	.dma_unmap = vpci_dma_unmap,
	.set_dma = vpci_set_dma,
	.queue_setup = vpci_queue_setup,
	.queue_irq = vpci_queue_irq,
	.config_irq = vpci_config_irq,
	.config_done = vpci_config_done,
	.queue_reset = vpci_reset_queue,
	.queue_restart = vpci_restart_queue,
	.pair_enable = vpci_pair_enable,
	.start = vpci_start,
	.stop = vpci_stop,
	.notify = vpci_notify,
	.status = vpci_device_status,
	.get_config = vpci_get_config,
	.stats = vpci_stats,
	.dump = vpci_dump,
};

static struct svq_device_driver vpci_driver = {
	.name = "virtio_pci",
	.args = vpci_arg_keys,
	.open = vpci_open,
};

SVQ_DEVICE_DRIVER(vpci_driver)
