/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include "bench.h"

#define EAL_MIB 192

struct bench_json {
	FILE *out;
	char *path;
	bool in_array;
	bool first_row;
};

/* The value of a line "key : value" of a file in /proc. */
static void
proc_line(const char *path, const char *key, char *value, size_t size)
{
	FILE *in = fopen(path, "re");
	char line[512];

	snprintf(value, size, "unknown");
	if (in == NULL)
		return;
	while (fgets(line, sizeof(line), in) != NULL) {
		char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) != 0 || colon == NULL)
			continue;
		colon += strspn(colon, ": \t");
		colon[strcspn(colon, "\n\"\\")] = '\0';
		snprintf(value, size, "%s", colon);
		break;
	}
	fclose(in);
}

/* The size of the last cache that a core's loads come to. /proc/cpuinfo has another's, on AMD. */
static void
last_cache(char *value, size_t size)
{
	char path[64];
	unsigned int i;
	FILE *in;

	proc_line("/proc/cpuinfo", "cache size", value, size);
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%u/size", i);
		in = fopen(path, "re");
		if (in == NULL)
			break;
		if (fgets(value, (int)size, in) != NULL)
			value[strcspn(value, "\n\"\\")] = '\0';
		fclose(in);
	}
}

static void
write_machine(struct bench_json *json)
{
	char cpu[128], family[16], model[16], mhz[32], cache[32];
	struct utsname uts = {0};
	double load = 0;

	proc_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	proc_line("/proc/cpuinfo", "cpu family", family, sizeof(family));
	proc_line("/proc/cpuinfo", "model\t", model, sizeof(model));
	proc_line("/proc/cpuinfo", "cpu MHz", mhz, sizeof(mhz));
	last_cache(cache, sizeof(cache));
	uname(&uts);
	(void)getloadavg(&load, 1);
	/* The version; what a distributor adds is nobody's business. */
	uts.release[strcspn(uts.release, "-")] = '\0';
	bench_json_array(json, "machine");
	bench_json_row(json,
		"\"cpu\": \"%s\", \"family\": \"%s\", \"model\": \"%s\", \"mhz\": \"%s\", "
		"\"cache\": \"%s\", "
		"\"kernel\": \"%s\", \"compiler\": \"%s\", \"dpdk\": \"%s\", \"cores\": %u, "
		"\"load\": %.2f",
		cpu, family, model, mhz, cache, uts.release, __VERSION__, rte_version(),
		bench_n_cores(), load);
}

struct bench_json *
bench_json_open(const char *path, const char *command)
{
	struct bench_json *json = path != NULL ? calloc(1, sizeof(*json)) : NULL;

	if (json == NULL)
		return NULL;
	json->path = strdup(path);
	json->out = fopen(path, "we");
	if (json->out == NULL || json->path == NULL) {
		fprintf(stderr, "svq-bench: cannot write %s: %s\n", path, strerror(errno));
		if (json->out != NULL)
			fclose(json->out);
		free(json->path);
		free(json);
		return NULL;
	}
	fprintf(json->out, "{\n\"command\": \"%s\"", command);
	write_machine(json);
	return json;
}

static void
end_array(struct bench_json *json)
{
	if (json->in_array)
		fputs("\n]", json->out);
	json->in_array = false;
}

void
bench_json_array(struct bench_json *json, const char *name)
{
	if (json == NULL)
		return;
	end_array(json);
	fprintf(json->out, ",\n\"%s\": [", name);
	json->in_array = true;
	json->first_row = true;
}

void
bench_json_row(struct bench_json *json, const char *fmt, ...)
{
	va_list ap;

	if (json == NULL)
		return;
	fputs(json->first_row ? "\n  {" : ",\n  {", json->out);
	json->first_row = false;
	va_start(ap, fmt);
	vfprintf(json->out, fmt, ap);
	va_end(ap);
	fputc('}', json->out);
}

int
bench_json_close(struct bench_json *json)
{
	bool failed;

	if (json == NULL)
		return 0;
	end_array(json);
	fputs("\n}\n", json->out);
	failed = ferror(json->out) != 0;
	failed = fclose(json->out) != 0 || failed;
	if (failed)
		fprintf(stderr, "svq-bench: %s was not written whole\n", json->path);
	free(json->path);
	free(json);
	return failed ? -EIO : 0;
}

static unsigned long
free_hugepages_mib(void)
{
	FILE *in = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long n = 0;

	if (in != NULL) {
		if (fscanf(in, "%lu", &n) != 1)
			n = 0;
		fclose(in);
	}
	return 2 * n;
}

/* The cores that this process could use before EAL pinned it. */
static cpu_set_t cores;

static const cpu_set_t *
all_cores(void)
{
	if (CPU_COUNT(&cores) == 0 && sched_getaffinity(0, sizeof(cores), &cores) < 0)
		CPU_SET(0, &cores);
	return &cores;
}

unsigned int
bench_n_cores(void)
{
	return CPU_COUNT(all_cores());
}

/* The last core below another: the first has most of the interrupts. */
static int
core_below(int end)
{
	int i;

	for (i = end - 1; i >= 0 && !CPU_ISSET(i, all_cores()); i--)
		;
	return i;
}

int
bench_other_core(void)
{
	return core_below(core_below(CPU_SETSIZE));
}

int
bench_use_core(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core_below(CPU_SETSIZE), &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : -errno;
}

int
bench_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	CPU_SET(bench_other_core(), &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	ret = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return -ret;
}

int
bench_eal_init(bool hugepages)
{
	static char no_shconf[] = "--no-shconf";
	char core[16], mib[16];
	char *argv[] = {"svq-bench", "--in-memory", "--no-pci", "--no-telemetry", "--log-level",
		"error", "-l", core, "-m", mib, "--no-huge"};
	int argc = RTE_DIM(argv);

	snprintf(core, sizeof(core), "%d", core_below(CPU_SETSIZE));
	snprintf(mib, sizeof(mib), "%d", EAL_MIB);
	if (hugepages && free_hugepages_mib() >= EAL_MIB)
		argc--;
	else
		argv[1] = no_shconf; /* EAL will not have --in-memory and --no-huge together */
	if (rte_eal_init(argc, argv) >= 0)
		return 0;
	fprintf(stderr, "svq-bench: EAL does not start: %s\n", rte_strerror(rte_errno));
	return -EIO;
}
