/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "help.h"

static const char text[] =
	"Usage: dpdk-svq [EAL options] -- --iface PATH,dev=NAME[,client] ... [options]\n"
	"\n"
	"Puts a shadow virtqueue between a vhost-user guest and a virtio device. For example:\n"
	"  dpdk-svq -l 0-1 --no-pci --vdev vdpa_svq0,device=soft -- --iface "
	"/tmp/vm0.sock,dev=vdpa_svq0\n"
	"\n"
	"Options, behind --:\n"
	"  --iface PATH,dev=NAME[,client]  a port: listen on the socket PATH (at most 107 bytes), "
	"with\n"
	"                        the device NAME behind it; client: connect to PATH instead. Once "
	"a\n"
	"                        port. Example: --iface /run/vm0.sock,dev=vdpa_svq0\n"
	"  -i, --interactive     the svq> prompt ('help' lists its commands); quit or the end of\n"
	"                        input ends the program. Example: echo 'show ports' | dpdk-svq ... "
	"-- -i\n"
	"  --share-cores         idle workers offer their core to others, for a machine with fewer "
	"cores\n"
	"                        than pollers. Example: --share-cores\n"
	"  --stats-period S      a table of live figures every S seconds (1 to 3600), a summary at "
	"the\n"
	"                        end. Example: --stats-period 1\n"
	"  -h, --help            this text\n"
	"  --features            what becomes of each virtio feature, and why: a table\n"
	"  --version             the version\n"
	"\n"
	"Devices: --vdev NAME[,KEY=VALUE...] before --, with a NAME that begins with vdpa_svq:\n"
	"  device=soft           the device type. Example: --vdev vdpa_svq0,device=soft\n"
	"  queues=N              queue pairs, default 1. Example: queues=4\n"
	"  queue_size=N          descriptors of a shadow ring, a power of two; default: as many\n"
	"                        as the guest's largest ring has, at least 256.\n"
	"                        Example: queue_size=1024\n"
	"  backend=loopback|null soft: where packets go: back to the guest, or nowhere.\n"
	"                        Example: backend=null\n"
	"  port=NAME             soft: an ethdev instead, created before the device.\n"
	"                        Example: --vdev net_tap0,iface=tap0 --vdev "
	"vdpa_svq0,device=soft,port=net_tap0\n"
	"  packed=0|1            soft: 1: the device offers packed rings; the relay uses what it\n"
	"                        offers; default 0. Example: packed=1\n"
	"  mac=XX:XX:XX:XX:XX:XX soft: the device's address. Example: mac=52:54:00:00:00:01\n"
	"  apertures=A-B[+C-D..] soft: the I/O virtual addresses that it reaches, in hexadecimal.\n"
	"                        Example: apertures=1000-fedfffff+100000000-7fffffffff\n"
	"\n"
	"EAL options that matter here (the DPDK guide has all of them):\n"
	"  -l 0-1                cores: the first for control, each other one a worker\n"
	"  --no-huge -m 512      run without hugepages, with 512 MiB; slower\n"
	"  --no-pci              leave PCI devices alone\n"
	"  --file-prefix NAME    beside another DPDK process\n"
	"  --log-level svq.*:debug   say more\n"
	"\n"
	"SIGINT and SIGTERM stop it cleanly; a second one at once. doc/options.md tells all of "
	"this\n"
	"with ranges and units.\n";

void
svq_app_help(FILE *f)
{
	fputs(text, f);
}
