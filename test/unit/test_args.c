/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "autotest.h"

#define ARGS_MAX 160

static struct svq_app_args args;
static struct svq_app_err err;

/* Parse "dpdk-svq" followed by the words of a line; words are separated by one blank. */
static int
parse(const char *line)
{
	static char copy[16384];
	char *argv[ARGS_MAX + 1];
	int argc = 0;
	char *word, *save;

	snprintf(copy, sizeof(copy), "dpdk-svq %s", line);
	for (word = strtok_r(copy, " ", &save); word != NULL && argc < ARGS_MAX;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	memset(&err, 0, sizeof(err));
	return svq_app_args_parse(argc, argv, &args, &err);
}

/* The line is refused, in one line that holds these words. */
static bool
refused(const char *line, const char *what, const char *cure)
{
	if (parse(line) == 0) {
		printf("accepted: %s\n", line);
		return false;
	}
	if (strstr(err.msg, what) == NULL || strstr(err.msg, cure) == NULL ||
		strchr(err.msg, '\n') != NULL) {
		printf("%s: %s\n", line, err.msg);
		return false;
	}
	return true;
}

static void
test_complete_line(void)
{
	CU_ASSERT_EQUAL_FATAL(
		parse("-l 0-1 --no-pci -- --iface /tmp/a,dev=vdpa_svq0 "
		      "--iface b,client,dev=vdpa_svq1 -i --share-cores --stats-period 3600"),
		0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_RUN);
	CU_ASSERT_EQUAL(args.eal_argc, 4);
	CU_ASSERT_EQUAL_FATAL(args.n_ifaces, 2);
	CU_ASSERT_STRING_EQUAL(args.ifaces[0].path, "/tmp/a");
	CU_ASSERT_STRING_EQUAL(args.ifaces[0].dev, "vdpa_svq0");
	CU_ASSERT_FALSE(args.ifaces[0].conf.client);
	CU_ASSERT_STRING_EQUAL(args.ifaces[1].path, "b");
	CU_ASSERT_STRING_EQUAL(args.ifaces[1].dev, "vdpa_svq1");
	CU_ASSERT_TRUE(args.ifaces[1].conf.client);
	CU_ASSERT_TRUE(args.interactive);
	CU_ASSERT_TRUE(args.share_cores);
	CU_ASSERT_EQUAL(args.stats_period, 3600);
}

static void
test_defaults(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("-- --iface=s,dev=d"), 0);
	CU_ASSERT_EQUAL(args.eal_argc, 1);
	CU_ASSERT_EQUAL(args.n_ifaces, 1);
	CU_ASSERT_FALSE(args.interactive);
	CU_ASSERT_EQUAL(args.stats_period, 0);
	CU_ASSERT_EQUAL(parse("-- -i"), 0);
	CU_ASSERT_EQUAL(args.n_ifaces, 0);
}

static void
test_help_and_version(void)
{
	/* On either side of "--", and whatever else is wrong with the line. */
	CU_ASSERT_EQUAL(parse("--help"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_HELP);
	CU_ASSERT_EQUAL(parse("-l 9 -h -- --nonsense"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_HELP);
	CU_ASSERT_EQUAL(parse("-- --help"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_HELP);
	CU_ASSERT_EQUAL(parse("-- -h"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_HELP);
	CU_ASSERT_EQUAL(parse("--version"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_VERSION);
	CU_ASSERT_EQUAL(parse("--features"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_FEATURES);
	CU_ASSERT_EQUAL(parse("-- --features"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_FEATURES);
	CU_ASSERT_EQUAL(parse("-- --version"), 0);
	CU_ASSERT_EQUAL(args.action, SVQ_APP_VERSION);
}

static void
test_nothing_to_do(void)
{
	CU_ASSERT_TRUE(refused("", "nothing to do", "--iface PATH,dev=NAME"));
	CU_ASSERT_TRUE(refused("-l 0-1", "nothing to do", "behind a --"));
	CU_ASSERT_TRUE(refused("--iface s,dev=d", "nothing to do", "behind a --"));
	CU_ASSERT_TRUE(refused("-- --stats-period 1", "nothing to do", "-i"));
}

static void
test_bad_options(void)
{
	CU_ASSERT_TRUE(refused("-- -i --frobnicate", "--frobnicate", "--help"));
	CU_ASSERT_TRUE(refused("-- -ix", "-x", "--help"));
	CU_ASSERT_TRUE(refused("-- --iface", "--iface needs a value", "--help"));
	CU_ASSERT_TRUE(refused("-- -i stray", "'stray'", "--help"));
}

static void
test_irq(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("-- --iface a,dev=d --iface b,dev=e,irq=on --iface "
				    "c,irq=on,dev=f,idle_us=1000000 --iface "
				    "d,idle_us=1,irq=on,dev=g,client --iface e,dev=h,irq=off"),
		0);
	CU_ASSERT_EQUAL(args.ifaces[0].conf.idle_us, 0);
	CU_ASSERT_EQUAL(args.ifaces[1].conf.idle_us, 100);
	CU_ASSERT_EQUAL(args.ifaces[2].conf.idle_us, 1000000);
	CU_ASSERT_EQUAL(args.ifaces[3].conf.idle_us, 1);
	CU_ASSERT_TRUE(args.ifaces[3].conf.client);
	CU_ASSERT_EQUAL(args.ifaces[4].conf.idle_us, 0);
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,idle_us=5", "idle_us=", "irq=on"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq=on,idle_us=0", "idle_us=", "1 to 1000000"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq=on,idle_us=", "idle_us=", "1 to 1000000"));
	CU_ASSERT_TRUE(
		refused("-- --iface a,dev=d,irq=on,idle_us=1000001", "idle_us=", "1 to 1000000"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq=on,idle_us=5x", "idle_us=", "1 to 1000000"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq=on,idle_us=-5", "idle_us=", "1 to 1000000"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq", "'irq'", "irq=on"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,irq=yes", "'irq=yes'", "irq=on"));
}

static void
test_stats_period(void)
{
	static const char *const bad[] = {
		"0", "3601", "-1", "1s", "x", "1.5", "+1", "99999999999999999999", "0x10"};
	char line[64];
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		snprintf(line, sizeof(line), "-- -i --stats-period %s", bad[i]);
		CU_ASSERT_TRUE(refused(line, bad[i], "from 1 to 3600"));
	}
	CU_ASSERT_TRUE(refused("-- -i --stats-period=", "--stats-period", "from 1 to 3600"));
	CU_ASSERT_EQUAL(parse("-- -i --stats-period 1"), 0);
	CU_ASSERT_EQUAL(args.stats_period, 1);
}

static void
test_bad_iface(void)
{
	CU_ASSERT_TRUE(refused("-- --iface /tmp/a", "no device", "dev=NAME"));
	CU_ASSERT_TRUE(refused("-- --iface ,dev=d", "no socket path", "PATH"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=", "device name", "dev=vdpa_svq0"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,dev=e", "twice", "one is enough"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,server", "'server'", "[,client]"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,", "''", "[,client]"));
	CU_ASSERT_TRUE(refused("-- --iface a,dev=d,client=1", "'client=1'", "[,client]"));
}

static void
test_duplicates(void)
{
	CU_ASSERT_TRUE(refused("-- --iface s,dev=d --iface s,dev=e", "socket s", "of its own"));
	CU_ASSERT_TRUE(refused("-- --iface s,dev=d --iface t,dev=d", "device d", "of its own"));
}

/* Paths and names of the longest length and one more. */
static void
test_lengths(void)
{
	char path[SVQ_VDPA_PATH_MAX + 1], dev[SVQ_VDPA_NAME_MAX + 1], line[512];

	memset(path, 'p', sizeof(path));
	path[SVQ_VDPA_PATH_MAX - 1] = '\0';
	snprintf(line, sizeof(line), "-- --iface %s,dev=d", path);
	CU_ASSERT_EQUAL(parse(line), 0);
	CU_ASSERT_STRING_EQUAL(args.ifaces[0].path, path);
	path[SVQ_VDPA_PATH_MAX - 1] = 'p';
	path[SVQ_VDPA_PATH_MAX] = '\0';
	snprintf(line, sizeof(line), "-- --iface %s,dev=d", path);
	CU_ASSERT_TRUE(refused(line, "108 bytes", "shorter"));

	memset(dev, 'd', sizeof(dev));
	dev[SVQ_VDPA_NAME_MAX - 1] = '\0';
	snprintf(line, sizeof(line), "-- --iface s,dev=%s", dev);
	CU_ASSERT_EQUAL(parse(line), 0);
	CU_ASSERT_STRING_EQUAL(args.ifaces[0].dev, dev);
	dev[SVQ_VDPA_NAME_MAX - 1] = 'd';
	dev[SVQ_VDPA_NAME_MAX] = '\0';
	snprintf(line, sizeof(line), "-- --iface s,dev=%s", dev);
	CU_ASSERT_TRUE(refused(line, "device name", "1 to 63 bytes"));
}

static void
test_many_ifaces(void)
{
	char line[16384] = "--";
	size_t len = 2;
	int i;

	for (i = 0; i < SVQ_APP_IFACES_MAX; i++)
		len += (size_t)snprintf(
			line + len, sizeof(line) - len, " --iface s%d,dev=d%d", i, i);
	CU_ASSERT_EQUAL(parse(line), 0);
	CU_ASSERT_EQUAL(args.n_ifaces, SVQ_APP_IFACES_MAX);
	snprintf(line + len, sizeof(line) - len, " --iface t,dev=e");
	CU_ASSERT_TRUE(refused(line, "more than 64", "port create"));
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("args", NULL, NULL);

	autotest_add(suite, "complete line", test_complete_line);
	autotest_add(suite, "defaults", test_defaults);
	autotest_add(suite, "help and version", test_help_and_version);
	autotest_add(suite, "nothing to do", test_nothing_to_do);
	autotest_add(suite, "bad options", test_bad_options);
	autotest_add(suite, "ports that sleep", test_irq);
	autotest_add(suite, "stats period", test_stats_period);
	autotest_add(suite, "bad iface", test_bad_iface);
	autotest_add(suite, "duplicates", test_duplicates);
	autotest_add(suite, "lengths", test_lengths);
	autotest_add(suite, "many ifaces", test_many_ifaces);
}

REGISTER_AUTOTEST(args_autotest, fill)
