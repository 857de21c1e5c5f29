/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

#define IFACE_FORM "--iface PATH,dev=NAME[,client][,irq=on]"

enum { OPT_FEATURES = 256, OPT_IFACE, OPT_SHARE_CORES, OPT_STATS_PERIOD, OPT_VERSION };

static const struct option options[] = {
	{"iface", required_argument, NULL, OPT_IFACE},
	{"interactive", no_argument, NULL, 'i'},
	{"share-cores", no_argument, NULL, OPT_SHARE_CORES},
	{"stats-period", required_argument, NULL, OPT_STATS_PERIOD},
	{"features", no_argument, NULL, OPT_FEATURES},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int
iface_path(const char *text, size_t len, struct svq_app_iface *iface, struct svq_app_err *err)
{
	if (len == 0)
		return svq_app_err(
			err, -EINVAL, "--iface %s: no socket path; write " IFACE_FORM, text);
	if (len >= sizeof(iface->path))
		return svq_app_err(err, -EINVAL,
			"--iface %.40s...: the socket path has %zu bytes; a socket path may have "
			"%zu: use a shorter directory",
			text, len, sizeof(iface->path) - 1);
	memcpy(iface->path, text, len);
	iface->path[len] = '\0';
	return 0;
}

static bool
is_word(const char *word, size_t len, const char *what)
{
	return len == strlen(what) && strncmp(word, what, len) == 0;
}

static int
iface_idle_us(
	const char *text, const char *number, struct svq_app_iface *iface, struct svq_app_err *err)
{
	unsigned long us;
	char *end;

	errno = 0;
	us = strtoul(number, &end, 10);
	if (errno != 0 || *number < '0' || *number > '9' || (*end != '\0' && *end != ',') ||
		us < 1 || us > SVQ_APP_IDLE_US_MAX)
		return svq_app_err(err, -EINVAL,
			"--iface %s: idle_us= takes microseconds, 1 to %d, as in idle_us=%d", text,
			SVQ_APP_IDLE_US_MAX, SVQ_APP_IDLE_US_DEFAULT);
	iface->conf.idle_us = (uint32_t)us;
	return 0;
}

/* One of the words behind the path. */
static int
iface_word(const char *text, const char *word, size_t len, struct svq_app_iface *iface, bool *irq,
	struct svq_app_err *err)
{
	static const char key[] = "dev=", idle[] = "idle_us=";
	const size_t key_len = sizeof(key) - 1;

	if (is_word(word, len, "client")) {
		iface->conf.client = true;
		return 0;
	}
	if (is_word(word, len, "irq=on") || is_word(word, len, "irq=off")) {
		*irq = word[len - 1] == 'n';
		return 0;
	}
	if (strncmp(word, idle, sizeof(idle) - 1) == 0)
		return iface_idle_us(text, word + sizeof(idle) - 1, iface, err);
	if (len < key_len || strncmp(word, key, key_len) != 0)
		return svq_app_err(err, -EINVAL,
			"--iface %s: unknown word '%.*s'; write " IFACE_FORM, text, (int)len, word);
	if (iface->dev[0] != '\0')
		return svq_app_err(
			err, -EINVAL, "--iface %s: dev= is given twice; one is enough", text);
	word += key_len;
	len -= key_len;
	if (len == 0 || len >= sizeof(iface->dev))
		return svq_app_err(err, -EINVAL,
			"--iface %s: a device name has 1 to %zu bytes, as in dev=vdpa_svq0", text,
			sizeof(iface->dev) - 1);
	memcpy(iface->dev, word, len);
	iface->dev[len] = '\0';
	return 0;
}

int
svq_app_iface_parse(const char *text, struct svq_app_iface *iface, struct svq_app_err *err)
{
	size_t len = strcspn(text, ",");
	const char *word = text + len;
	bool irq = false;
	int ret;

	memset(iface, 0, sizeof(*iface));
	ret = iface_path(text, len, iface, err);
	while (ret == 0 && *word == ',') {
		word++;
		len = strcspn(word, ",");
		ret = iface_word(text, word, len, iface, &irq, err);
		word += len;
	}
	if (ret == 0 && iface->dev[0] == '\0')
		ret = svq_app_err(err, -EINVAL,
			"--iface %s: no device; write " IFACE_FORM ", with NAME from a --vdev",
			text);
	if (ret == 0 && !irq && iface->conf.idle_us != 0)
		ret = svq_app_err(err, -EINVAL,
			"--iface %s: idle_us= is for a port that sleeps; add irq=on", text);
	if (irq && iface->conf.idle_us == 0)
		iface->conf.idle_us = SVQ_APP_IDLE_US_DEFAULT;
	return ret;
}

/* A socket and a device belong together one to one. */
static int
iface_add(struct svq_app_args *args, const char *text, struct svq_app_err *err)
{
	struct svq_app_iface *iface = &args->ifaces[args->n_ifaces];
	const struct svq_app_iface *other;
	int ret;

	if (args->n_ifaces == SVQ_APP_IFACES_MAX)
		return svq_app_err(err, -EINVAL,
			"more than %d --iface; create the others from the prompt (-i, port create)",
			SVQ_APP_IFACES_MAX);
	ret = svq_app_iface_parse(text, iface, err);
	if (ret < 0)
		return ret;
	for (other = args->ifaces; other < iface; other++) {
		if (strcmp(other->path, iface->path) == 0)
			return svq_app_err(err, -EINVAL,
				"socket %s is given twice; give each --iface a path of its own",
				iface->path);
		if (strcmp(other->dev, iface->dev) == 0)
			return svq_app_err(err, -EINVAL,
				"device %s is used twice; give each --iface a device of its own "
				"(another --vdev vdpa_svqN,...)",
				iface->dev);
	}
	args->n_ifaces++;
	return 0;
}

static int
stats_period(struct svq_app_args *args, const char *text, struct svq_app_err *err)
{
	char *end;
	unsigned long s;

	errno = 0;
	s = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text < '0' || *text > '9' || s < 1 ||
		s > SVQ_APP_STATS_PERIOD_MAX)
		return svq_app_err(err, -EINVAL,
			"--stats-period %s: give a number of seconds from 1 to %d", text,
			SVQ_APP_STATS_PERIOD_MAX);
	args->stats_period = (unsigned int)s;
	return 0;
}

/* As the user wrote it; one of several letters behind one dash has no word of its own. */
static const char *
option_name(char **argv)
{
	static char name[3] = "-?";

	if (optopt <= 0 || optopt >= OPT_FEATURES)
		return argv[optind - 1];
	name[1] = (char)optopt;
	return name;
}

static int
option(struct svq_app_args *args, int opt, char **argv, struct svq_app_err *err)
{
	switch (opt) {
	case OPT_IFACE:
		return iface_add(args, optarg, err);
	case OPT_SHARE_CORES:
		args->share_cores = true;
		return 0;
	case OPT_STATS_PERIOD:
		return stats_period(args, optarg, err);
	case 'i':
		args->interactive = true;
		return 0;
	case 'h':
		args->action = SVQ_APP_HELP;
		return 0;
	case OPT_FEATURES:
		args->action = SVQ_APP_FEATURES;
		return 0;
	case OPT_VERSION:
		args->action = SVQ_APP_VERSION;
		return 0;
	case ':':
		return svq_app_err(err, -EINVAL,
			"option %s needs a value; dpdk-svq --help shows an example",
			option_name(argv));
	default:
		return svq_app_err(err, -EINVAL,
			"unknown option %s behind --; dpdk-svq --help lists them (EAL's go before "
			"--)",
			option_name(argv));
	}
}

/* What stands before "--": EAL's, but for what must work where EAL does not. */
static void
scan_eal(int argc, char **argv, struct svq_app_args *args)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			args->action = SVQ_APP_HELP;
		else if (strcmp(argv[i], "--features") == 0)
			args->action = SVQ_APP_FEATURES;
		else if (strcmp(argv[i], "--version") == 0)
			args->action = SVQ_APP_VERSION;
	}
	args->eal_argc = i;
}

int
svq_app_args_parse(int argc, char **argv, struct svq_app_args *args, struct svq_app_err *err)
{
	int opt, ret;

	memset(args, 0, sizeof(*args));
	scan_eal(argc, argv, args);
	argc -= args->eal_argc;
	argv += args->eal_argc;

	opterr = 0;
	optind = 0; /* glibc: forget an earlier scan */
	while (args->action == SVQ_APP_RUN && argc > 0) {
		opt = getopt_long(argc, argv, ":ih", options, NULL);
		if (opt == -1)
			break;
		ret = option(args, opt, argv, err);
		if (ret < 0)
			return ret;
	}
	if (args->action != SVQ_APP_RUN)
		return 0;
	if (argc > 0 && optind < argc)
		return svq_app_err(err, -EINVAL,
			"unexpected argument '%s' behind --; dpdk-svq --help lists the options",
			argv[optind]);
	if (args->n_ifaces == 0 && !args->interactive)
		return svq_app_err(err, -EINVAL,
			"nothing to do: give " IFACE_FORM
			" or -i, behind a -- that ends EAL's options");
	return 0;
}
