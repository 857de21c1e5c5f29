/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_SDK_H
#define VDPA_SDK_H

/**
 * @file
 * What a vDPA driver outside DPDK's tree needs and the distribution's development package lacks.
 *
 * Concepts
 *
 * DPDK's shared objects export the symbols of its driver SDK, but the headers that declare them
 * are installed only with -Denable_driver_sdk=true. Where meson found those headers they are used;
 * otherwise the declarations here stand in, which follow the binary layout of DPDK 22.11 to 25.07.
 * The symbols are internal to DPDK and carry no version of their own, so the version is checked
 * here, when compiling.
 *
 * No installed header declares what an external message handler of librte_vhost is given
 * (struct svq_vhost_msg_ctx); that is here in any case.
 */

#include <linux/vhost.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_version.h>
#include <rte_vdpa.h>
#include <rte_vhost.h>

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0) || RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
#error "vdpa_svq knows the driver interfaces of DPDK 22.11 to 25.07; in 25.11 they changed layout"
#endif

/* ---- devices and drivers, the virtual bus ---- */

#ifdef SVQ_HAVE_BUS_VDEV_DRIVER_H
#include <bus_vdev_driver.h>
#else
#include <rte_bus_vdev.h>

struct rte_driver {
	RTE_TAILQ_ENTRY(rte_driver) next;
	const char *name;
	const char *alias;
};

struct rte_device {
	RTE_TAILQ_ENTRY(rte_device) next;
	const char *name;
	const char *bus_info;
	const struct rte_driver *driver;
	const struct rte_bus *bus;
	int numa_node;
	struct rte_devargs *devargs;
};

struct rte_vdev_device {
	RTE_TAILQ_ENTRY(rte_vdev_device) next;
	struct rte_device device;
};

struct rte_vdev_driver {
	RTE_TAILQ_ENTRY(rte_vdev_driver) next;
	struct rte_driver driver;
	int (*probe)(struct rte_vdev_device *dev);
	int (*remove)(struct rte_vdev_device *dev);
	int (*dma_map)(struct rte_vdev_device *dev, void *addr, uint64_t iova, size_t len);
	int (*dma_unmap)(struct rte_vdev_device *dev, void *addr, uint64_t iova, size_t len);
	uint32_t drv_flags;
};

void rte_vdev_register(struct rte_vdev_driver *driver);
void rte_vdev_unregister(struct rte_vdev_driver *driver);

/* Register a driver of the virtual bus when the program or library is loaded; devices are matched
 * by the driver's name, followed by a number. */
#define RTE_PMD_REGISTER_VDEV(drvname, drv)           \
	RTE_INIT(svq_vdev_driver_init_##drvname)      \
	{                                             \
		(drv).driver.name = RTE_STR(drvname); \
		rte_vdev_register(&(drv));            \
	}
#endif /* SVQ_HAVE_BUS_VDEV_DRIVER_H */

/* ---- vDPA devices ---- */

#ifdef SVQ_HAVE_VDPA_DRIVER_H
#include <vdpa_driver.h>
#else

/* Operations that librte_vhost calls; those by vid act on one front-end's connection. */
struct rte_vdpa_dev_ops {
	int (*get_queue_num)(struct rte_vdpa_device *dev, uint32_t *pairs);
	int (*get_features)(struct rte_vdpa_device *dev, uint64_t *features);
	int (*get_protocol_features)(struct rte_vdpa_device *dev, uint64_t *features);
	int (*dev_conf)(int vid);
	int (*dev_close)(int vid);
	int (*dev_cleanup)(int vid);
	int (*set_vring_state)(int vid, int vring, int state);
	int (*set_features)(int vid);
	int (*migration_done)(int vid);
	int (*get_vfio_group_fd)(int vid);
	int (*get_vfio_device_fd)(int vid);
	int (*get_notify_area)(int vid, int qid, uint64_t *offset, uint64_t *size);
	int (*get_stats_names)(
		struct rte_vdpa_device *dev, struct rte_vdpa_stat_name *names, unsigned int n);
	int (*get_stats)(
		struct rte_vdpa_device *dev, int qid, struct rte_vdpa_stat *stats, unsigned int n);
	int (*reset_stats)(struct rte_vdpa_device *dev, int qid);
	int (*get_config)(int vid, uint8_t *config, uint32_t size);
	int (*set_config)(int vid, uint8_t *config, uint32_t offset, uint32_t size, uint32_t flags);
	int (*get_dev_type)(struct rte_vdpa_device *dev, uint32_t *type);
};

struct rte_vdpa_device {
	RTE_TAILQ_ENTRY(rte_vdpa_device) next;
	struct rte_device *device;
	struct rte_vdpa_dev_ops *ops;
	uint32_t type;
};

struct rte_vdpa_device *
rte_vdpa_register_device(struct rte_device *rte_dev, struct rte_vdpa_dev_ops *ops);
int rte_vdpa_unregister_device(struct rte_vdpa_device *dev);
#endif /* SVQ_HAVE_VDPA_DRIVER_H */

/* Tell a front-end that its device's configuration changed. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define svq_vhost_config_change rte_vhost_backend_config_change
#else
#define svq_vhost_config_change rte_vhost_slave_config_change
#endif

/* ---- vhost-user messages as an external handler sees them ---- */

/* Requests of a front-end (vhost-user protocol, "Front-end message types"). */
enum svq_vhost_request {
	SVQ_VHOST_GET_FEATURES = 1,
	SVQ_VHOST_SET_FEATURES = 2,
	SVQ_VHOST_SET_OWNER = 3,
	SVQ_VHOST_RESET_OWNER = 4,
	SVQ_VHOST_SET_MEM_TABLE = 5,
	SVQ_VHOST_SET_LOG_BASE = 6,
	SVQ_VHOST_SET_LOG_FD = 7,
	SVQ_VHOST_SET_VRING_NUM = 8,
	SVQ_VHOST_SET_VRING_ADDR = 9,
	SVQ_VHOST_SET_VRING_BASE = 10,
	SVQ_VHOST_GET_VRING_BASE = 11,
	SVQ_VHOST_SET_VRING_KICK = 12,
	SVQ_VHOST_SET_VRING_CALL = 13,
	SVQ_VHOST_SET_VRING_ERR = 14,
	SVQ_VHOST_GET_PROTOCOL_FEATURES = 15,
	SVQ_VHOST_SET_PROTOCOL_FEATURES = 16,
	SVQ_VHOST_GET_QUEUE_NUM = 17,
	SVQ_VHOST_SET_VRING_ENABLE = 18,
	SVQ_VHOST_SEND_RARP = 19,
	SVQ_VHOST_NET_SET_MTU = 20,
	SVQ_VHOST_SET_BACKEND_REQ_FD = 21,
	SVQ_VHOST_IOTLB_MSG = 22,
	SVQ_VHOST_GET_CONFIG = 24,
	SVQ_VHOST_SET_CONFIG = 25,
	SVQ_VHOST_POSTCOPY_ADVISE = 28,
	SVQ_VHOST_POSTCOPY_LISTEN = 29,
	SVQ_VHOST_POSTCOPY_END = 30,
	SVQ_VHOST_GET_INFLIGHT_FD = 31,
	SVQ_VHOST_SET_INFLIGHT_FD = 32,
	SVQ_VHOST_SET_STATUS = 39,
	SVQ_VHOST_GET_STATUS = 40,
};

#define SVQ_VHOST_VERSION      1u /* of the protocol, in flags & SVQ_VHOST_VERSION_MASK */
#define SVQ_VHOST_VERSION_MASK 3u
#define SVQ_VHOST_NEED_REPLY   (1u << 3) /* in flags: the front-end wants to know the outcome */
#define SVQ_VHOST_VRING_MASK   0xffu	 /* in u64 of SET_VRING_KICK/CALL/ERR: the vring */
#define SVQ_VHOST_VRING_NOFD   (1u << 8) /* there: no descriptor comes with it */
#define SVQ_VHOST_MAX_REGIONS  8	 /* of a memory table */

/* librte_vhost's largest payload, a crypto session; it places the descriptors behind it. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define SVQ_VHOST_PAYLOAD_MAX 632
#else
#define SVQ_VHOST_PAYLOAD_MAX 1072
#endif

struct svq_vhost_mem_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t qva; /* where the front-end has it: ring addresses are given as such */
	uint64_t offset;
};

struct svq_vhost_mem_table {
	uint32_t n;
	uint32_t padding;
	struct svq_vhost_mem_region regions[SVQ_VHOST_MAX_REGIONS];
};

/* A part of the configuration space, read or written. */
struct svq_vhost_config {
	uint32_t offset;
	uint32_t size; /* bytes of region that count */
	uint32_t flags;
	uint8_t region[256];
};

#define SVQ_VHOST_CONFIG_HEAD 12 /* bytes before region */

struct svq_vhost_log {
	uint64_t size;
	uint64_t offset;
};

/* A message and its descriptors; unaligned because the header has 12 bytes. */
struct svq_vhost_msg_ctx {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of the payload that were sent; what follows them is undefined */
	union {
		uint64_t u64;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct svq_vhost_mem_table mem;
		struct svq_vhost_log log;
		struct svq_vhost_config config;
		uint8_t max[SVQ_VHOST_PAYLOAD_MAX];
	} payload;
	int fds[SVQ_VHOST_MAX_REGIONS]; /* -1 where none came */
	int fd_num;
} __attribute__((packed));

#endif /* VDPA_SDK_H */
