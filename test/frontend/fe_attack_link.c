/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What the back-end tells of the device's configuration: the link's state is printed at first and
 * whenever the back-end says that something changed. Traffic runs all the while. What is out when
 * the link comes up may be lost, but from then on frames must pass, and that is printed, too. A
 * line on standard input ends that.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "fe_attack.h"
#include "fe_session.h"

/* Of struct virtio_net_config: mac, status. */
#define STATUS_AT 6
#define LINK_UP	  1

/* Frames that must pass on each pair once the link is up. */
#define FRAMES 100

/* The payload of GET_CONFIG. */
struct wire_config {
	uint32_t offset, size, flags;
	uint8_t bytes[8];
};

static int
pass(struct fe_session *s)
{
	struct fe_net *net = &s->net;
	int rc;

	fe_net_thread_pause(net);
	fe_net_give_up(net);
	fe_net_thread_resume(net);
	rc = fe_must(fe_net_thread_await(net, FRAMES, FE_IDLE_MS), "traffic with the link up");
	if (rc == 0)
		printf("passes, %" PRIu64 " frames given up\n", net->stats.given_up);
	return rc;
}

static int
print_link(struct fe_session *s)
{
	struct wire_config config = {.size = sizeof(config.bytes)};
	struct fe_msg msg;
	uint16_t status;
	int rc;

	rc = fe_send(&s->dev.conn, FE_GET_CONFIG, &config, sizeof(config), NULL, 0);
	if (rc == 0)
		rc = fe_recv(&s->dev.conn, &msg);
	if (rc == 0 && (msg.head.request != FE_GET_CONFIG || msg.head.size != sizeof(config)))
		rc = -EPROTO;
	if (rc < 0)
		return fe_must(rc, "GET_CONFIG");
	memcpy(&config, msg.bytes, sizeof(config));
	memcpy(&status, config.bytes + STATUS_AT, sizeof(status));
	printf("link %s\n", status & LINK_UP ? "up" : "down");
	return status & LINK_UP ? pass(s) : 0;
}

/* Take what the back-end says. @return 1: a change of the configuration. */
static int
heard(int fd)
{
	struct {
		struct fe_header head;
		uint64_t u64;
	} __attribute__((packed)) answer = {0};
	struct fe_header head;
	uint8_t payload[256];

	if (read(fd, &head, sizeof(head)) != sizeof(head) || head.size > sizeof(payload) ||
		(head.size > 0 && read(fd, payload, head.size) != head.size))
		return fe_wrong("the back-end's channel broke");
	if (head.flags & FE_F_NEED_REPLY) {
		answer.head = head;
		answer.head.flags = FE_F_VERSION | FE_F_REPLY;
		answer.head.size = sizeof(answer.u64);
		if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
			return fe_wrong("no answer to the back-end: %s", strerror(errno));
	}
	return head.request == FE_BACKEND_CONFIG_CHANGE;
}

static int
watch(struct fe_session *s, int fd)
{
	struct pollfd pfds[] = {
		{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	int rc = print_link(s);

	while (rc == 0 && poll(pfds, 2, -1) > 0 && pfds[1].revents == 0) {
		rc = heard(fd);
		if (rc == 1)
			rc = print_link(s);
	}
	return rc;
}

static int
run(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf listening = *conf;
	struct fe_session s;
	int fds[2] = {-1, -1}, rc;

	(void)a;
	listening.config = true;
	rc = fe_session_open(&s, &listening, net);
	if (rc == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		rc = fe_must(-errno, "socketpair");
	if (rc == 0)
		rc = fe_must(fe_call(&s.dev.conn, FE_SET_BACKEND_REQ_FD, NULL, 0, &fds[1], 1),
			"channel");
	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = watch(&s, fds[0]);
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_session_pass(&s, FRAMES);
	fe_session_close(&s);
	close(fds[0]);
	close(fds[1]);
	return rc;
}

const struct fe_attack fe_attacks_link[] = {
	{"link", "prints the link's state as the back-end tells it, under traffic", run, 0},
	{0},
};
