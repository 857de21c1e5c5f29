/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* A vhost-user front-end for tests: verified traffic, or one hostile case. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

/* Time limit of every wait for the back-end. */
#define TIMEOUT_MS 10000
struct options {
	struct fe_dev_conf dev;
	struct fe_net_conf net;
	uint64_t run_ms;
	uint64_t packets;
	unsigned int hold_s;
	const char *watch;
	const char *attack;
	bool log;
};

enum {
	OPT_TRAFFIC = 256,
	OPT_PACKETS,
	OPT_PAIRS,
	OPT_FLOWS,
	OPT_RING,
	OPT_PACKED,
	OPT_LAYOUT,
	OPT_MIN,
	OPT_MAX,
	OPT_PARTS,
	OPT_HEADER,
	OPT_CHAINS,
	OPT_RX_BUF,
	OPT_WINDOW,
	OPT_SILENCE,
	OPT_HOLD,
	OPT_WATCH,
	OPT_MRG,
	OPT_EVENT_IDX,
	OPT_LOG,
	OPT_DELAY,
	OPT_LOSSY,
	OPT_SEED,
	OPT_SERVER,
	OPT_ATTACK,
	OPT_LIST,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"traffic", required_argument, NULL, OPT_TRAFFIC},
	{"packets", required_argument, NULL, OPT_PACKETS},
	{"pairs", required_argument, NULL, OPT_PAIRS},
	{"flows", required_argument, NULL, OPT_FLOWS},
	{"ring", required_argument, NULL, OPT_RING},
	{"packed", no_argument, NULL, OPT_PACKED},
	{"layout", required_argument, NULL, OPT_LAYOUT},
	{"min-frame", required_argument, NULL, OPT_MIN},
	{"max-frame", required_argument, NULL, OPT_MAX},
	{"max-parts", required_argument, NULL, OPT_PARTS},
	{"header", required_argument, NULL, OPT_HEADER},
	{"chains", required_argument, NULL, OPT_CHAINS},
	{"rx-buf", required_argument, NULL, OPT_RX_BUF},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"silence", required_argument, NULL, OPT_SILENCE},
	{"hold", required_argument, NULL, OPT_HOLD},
	{"watch", required_argument, NULL, OPT_WATCH},
	{"mrg", required_argument, NULL, OPT_MRG},
	{"event-idx", required_argument, NULL, OPT_EVENT_IDX},
	{"log", no_argument, NULL, OPT_LOG},
	{"delay", required_argument, NULL, OPT_DELAY},
	{"lossy", no_argument, NULL, OPT_LOSSY},
	{"seed", required_argument, NULL, OPT_SEED},
	{"server", no_argument, NULL, OPT_SERVER},
	{"attack", required_argument, NULL, OPT_ATTACK},
	{"list", no_argument, NULL, OPT_LIST},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

static void
usage(FILE *f)
{
	fprintf(f,
		"usage: svq-frontend SOCKET --traffic SECONDS | --packets N [options]\n"
		"       svq-frontend SOCKET --attack NAME [options]\n"
		"       svq-frontend --list\n"
		"\n"
		"  --traffic SECONDS    send verified frames for so long, or until SIGTERM\n"
		"  --packets N          send N verified frames\n"
		"  --pairs N            queue pairs, 1..%u (1; hostile cases: 2)\n"
		"  --flows N            other IP addresses, 0..255 (0): a flow for each pair\n"
		"  --ring N             descriptors a ring, 2..32768 (256); split: a power of two\n"
		"  --packed             packed rings\n"
		"  --layout NAME        simple | regions | alias | cross | smram | noident "
		"(simple)\n"
		"  --min-frame BYTES    smallest frame, %u.. (60)\n"
		"  --max-frame BYTES    largest frame, ..%u (1514)\n"
		"  --max-parts N        most buffers of a chain, 1..%u (4)\n"
		"  --header SHAPE       any | shared | own | split (any)\n"
		"  --chains KIND        direct | indirect | both (both)\n"
		"  --rx-buf BYTES       size of a mergeable receive buffer, 64.. (2048)\n"
		"  --window N           frames out at once, per pair (64)\n"
		"  --silence USEC       send in bursts, up to so many us apart (0: without end)\n"
		"  --hold SECONDS       stay connected in silence afterwards, or until SIGTERM\n"
		"  --watch FILE         schedstat of the back-end's worker: the time that it "
		"waits\n"
		"                       for a CPU explains pauses\n"
		"  --mrg 0|1            offer to merge receive buffers (1)\n"
		"  --event-idx 0|1      use EVENT_IDX (1)\n"
		"  --log                log dirty pages all the while, and check the log\n"
		"  --delay MS           from the first receive buffers to the first frame (0)\n"
		"  --lossy              a disturbance may cost what is on its way, as on a wire\n"
		"  --seed N             of all that is random (1)\n"
		"  --server             listen on SOCKET, the back-end connects\n"
		"  --attack NAME        run one hostile case\n"
		"  --list               print the hostile cases\n"
		"\n"
		"Traffic ends with `sent A received B lost C corrupt D`, and exit status 0 only\n"
		"if every frame came back once, unchanged and in order.\n",
		FE_MAX_PAIRS, FE_FRAME_MIN, FE_FRAME_MAX, FE_MAX_SEGS);
}

/* A number in [low, high], or the end of the program. */
static uint64_t
number(const char *option, const char *text, uint64_t low, uint64_t high)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
		fprintf(stderr,
			"svq-frontend: --%s %s: give a number from %" PRIu64 " to %" PRIu64 "\n",
			option, text, low, high);
		exit(2);
	}
	return value;
}

/* Index of @p text in @p names, or the end of the program. */
static unsigned int
choice(const char *option, const char *text, const char *const *names)
{
	unsigned int i;

	for (i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0)
			return i;
	}
	fprintf(stderr, "svq-frontend: --%s %s: unknown, see --help\n", option, text);
	exit(2);
}

static void
set_feature(struct options *o, uint64_t feature, bool on)
{
	if (on)
		o->dev.features |= feature;
	else
		o->dev.features &= ~feature;
}

static void
parse_option(struct options *o, int opt, const char *name, const char *arg)
{
	static const char *const layouts[] = {
		"simple", "regions", "alias", "cross", "smram", "noident", NULL};
	static const char *const headers[] = {"any", "shared", "own", "split", NULL};
	static const char *const chains[] = {"direct", "indirect", "both", NULL};
	unsigned int i;

	switch (opt) {
	case OPT_TRAFFIC:
		o->run_ms = 1000 * number(name, arg, 1, 1000000);
		break;
	case OPT_PACKETS:
		o->packets = number(name, arg, 1, UINT64_MAX - 1);
		break;
	case OPT_PAIRS:
		o->dev.pairs = (unsigned int)number(name, arg, 1, FE_MAX_PAIRS);
		o->dev.pairs_set = true;
		break;
	case OPT_FLOWS:
		fe_frame_flows((uint8_t)number(name, arg, 0, UINT8_MAX));
		break;
	case OPT_RING:
		o->dev.ring_size = (uint32_t)number(name, arg, 2, 32768);
		break;
	case OPT_PACKED:
		set_feature(o, FE_F_PACKED, true);
		break;
	case OPT_LAYOUT:
		o->dev.layout = (enum fe_layout)choice(name, arg, layouts);
		break;
	case OPT_MIN:
		o->net.min_frame = (uint32_t)number(name, arg, FE_FRAME_MIN, FE_FRAME_MAX);
		break;
	case OPT_MAX:
		o->net.max_frame = (uint32_t)number(name, arg, FE_FRAME_MIN, FE_FRAME_MAX);
		break;
	case OPT_PARTS:
		o->net.max_parts = (unsigned int)number(name, arg, 1, FE_MAX_SEGS);
		break;
	case OPT_HEADER:
		o->net.header = (enum fe_header_shape)choice(name, arg, headers);
		break;
	case OPT_CHAINS:
		i = choice(name, arg, chains);
		o->net.direct = i != 1;
		o->net.indirect = i != 0;
		set_feature(o, FE_F_INDIRECT, i != 0);
		break;
	case OPT_RX_BUF:
		o->net.rx_buf = (uint32_t)number(name, arg, 64, FE_FRAME_MAX + 12);
		break;
	case OPT_WINDOW:
		o->net.window = (unsigned int)number(name, arg, 1, 16384);
		break;
	case OPT_SILENCE:
		o->net.silence_us = (uint32_t)number(name, arg, 0, 1000000);
		break;
	case OPT_HOLD:
		o->hold_s = (unsigned int)number(name, arg, 0, 1000000);
		break;
	case OPT_WATCH:
		o->watch = arg;
		break;
	case OPT_MRG:
		set_feature(o, FE_F_MRG_RXBUF, number(name, arg, 0, 1));
		break;
	case OPT_EVENT_IDX:
		set_feature(o, FE_F_EVENT_IDX, number(name, arg, 0, 1));
		break;
	case OPT_LOG:
		o->log = true;
		break;
	case OPT_DELAY:
		o->net.delay_ms = (unsigned int)number(name, arg, 0, 3600000);
		break;
	case OPT_LOSSY:
		o->net.lossy = true;
		break;
	case OPT_SEED:
		o->net.seed = number(name, arg, 0, UINT64_MAX);
		break;
	case OPT_SERVER:
		o->dev.server = true;
		break;
	case OPT_ATTACK:
		o->attack = arg;
		break;
	case OPT_LIST:
		fe_attack_list(stdout);
		exit(0);
	case OPT_HELP:
		usage(stdout);
		exit(0);
	default:
		fprintf(stderr, "svq-frontend: see --help\n");
		exit(2);
	}
}

static void
parse(struct options *o, int argc, char **argv)
{
	int opt, index = 0;

	o->dev = (struct fe_dev_conf){
		.pairs = 1,
		.ring_size = 256,
		.features = FE_F_VERSION_1 | FE_F_PROTOCOL | FE_F_INDIRECT | FE_F_EVENT_IDX |
			FE_F_MRG_RXBUF | FE_F_MQ,
		.timeout_ms = TIMEOUT_MS,
	};
	fe_net_conf_default(&o->net);
	while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1)
		parse_option(o, opt, long_options[index].name, optarg);
	if (optind + 1 != argc) {
		usage(stderr);
		exit(2);
	}
	o->dev.path = argv[optind];
	if (!(o->dev.features & FE_F_PACKED) && o->dev.ring_size & (o->dev.ring_size - 1)) {
		fprintf(stderr, "svq-frontend: --ring: give a power of two, or --packed\n");
		exit(2);
	}
	if (o->net.min_frame > o->net.max_frame) {
		fprintf(stderr, "svq-frontend: --min-frame is above --max-frame\n");
		exit(2);
	}
	if (o->attack == NULL && o->run_ms == 0 && o->packets == 0) {
		fprintf(stderr, "svq-frontend: give --traffic, --packets or --attack\n");
		exit(2);
	}
	o->dev.data_bytes = fe_net_bytes(&o->net, &o->dev);
}

/* Print the figures. @return whether all is well. */
static bool
report(const struct fe_net *net)
{
	struct fe_net_stats s;

	fe_net_stats(net, &s);
	printf("doubled %" PRIu64 " disordered %" PRIu64 " calls %" PRIu64 " missed %" PRIu64
	       " longest pause %" PRIu64 " ms, unexplained %" PRIu64 " ms\n",
		s.doubled, s.disordered, s.calls, s.missed, s.longest_ms, s.blamed_ms);
	printf("sent %" PRIu64 " received %" PRIu64 " lost %" PRIu64 " corrupt %" PRIu64 "\n",
		s.sent, s.received, s.lost, s.corrupt);
	return s.sent > 0 && fe_net_clean(net);
}

static bool
check_log(const struct fe_log *log)
{
	uint64_t wanted, set, missing;

	missing = fe_log_check(log, NULL, &wanted, &set);
	printf("dirty pages %" PRIu64 " logged %" PRIu64 " missing %" PRIu64 "\n", wanted, set,
		missing);
	return missing == 0 && wanted > 0;
}

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int
traffic(const struct options *o, struct fe_dev *dev, struct fe_net *net)
{
	struct fe_log log = {.fd = -1};
	unsigned int hold = 0;
	struct fe_watch watch;
	bool good = true;
	int rc = 0;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	net->stop = &stopped;
	fe_watch_open(&watch, o->watch);
	net->watch = &watch;
	if (o->packets > 0)
		net->limit = o->packets;
	if (o->log) {
		rc = fe_log_init(&log, fe_mem_end(&dev->mem));
		if (rc == 0)
			rc = fe_dev_log_start(dev, &log);
		if (rc < 0)
			fprintf(stderr, "svq-frontend: dirty log: %s\n", strerror(-rc));
		else
			fe_net_set_log(net, &log);
	}
	if (rc == 0) {
		fe_net_delay(net);
		fe_net_run(net, o->run_ms > 0 ? o->run_ms : UINT32_MAX, FE_IDLE_MS);
	}
	if (o->log && rc == 0)
		good = check_log(&log);
	good = report(net) && good && rc == 0;
	for (; !stopped && hold < o->hold_s; hold++)
		sleep(1);
	fe_dev_stop(dev, NULL);
	net->watch = NULL;
	fe_watch_close(&watch);
	fe_log_free(&log);
	return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct fe_dev dev;
	struct fe_net net = {0};
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(&o, argc, argv);
	if (o.attack != NULL)
		return fe_attack_run(o.attack, &o.dev, &o.net);

	rc = fe_dev_init(&dev, &o.dev);
	if (rc < 0)
		fprintf(stderr, "svq-frontend: memory: %s\n", strerror(-rc));
	if (rc == 0)
		rc = fe_dev_start(&dev);
	if (rc == 0 && o.dev.pairs > dev.queue_num) {
		fprintf(stderr, "svq-frontend: the back-end has %" PRIu64 " queue pairs only\n",
			dev.queue_num);
		rc = -EINVAL;
	}
	if (rc == 0) {
		rc = fe_net_init(&net, &dev, &o.net);
		if (rc < 0)
			fprintf(stderr, "svq-frontend: buffers: %s\n", strerror(-rc));
	}
	rc = rc == 0 ? traffic(&o, &dev, &net) : 1;
	fe_net_free(&net);
	fe_dev_free(&dev);
	return rc;
}
