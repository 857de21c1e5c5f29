/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fe_conn.h"

uint64_t
fe_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
fe_conn_init(struct fe_conn *conn, int timeout_ms)
{
	*conn = (struct fe_conn){.fd = -1, .timeout_ms = timeout_ms};
}

static int
conn_address(struct sockaddr_un *sun, const char *path)
{
	size_t len = strlen(path);

	if (len >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len + 1);
	return 0;
}

/* Wait for @p events on the socket. */
static int
conn_wait(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int rc;

	do {
		rc = poll(&pfd, 1, timeout_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return -errno;
	return rc == 0 ? -ETIMEDOUT : 0;
}

int
fe_conn_connect(struct fe_conn *conn, const char *path)
{
	uint64_t end = fe_now_ms() + (uint64_t)conn->timeout_ms;
	struct sockaddr_un sun;
	int rc = conn_address(&sun, path);

	if (rc < 0)
		return rc;
	do {
		conn->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (conn->fd < 0)
			return -errno;
		if (connect(conn->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return 0;
		rc = -errno;
		fe_conn_close(conn);
		if (rc != -ENOENT && rc != -ECONNREFUSED)
			return rc;
		usleep(20000);
	} while (fe_now_ms() < end);
	return rc;
}

int
fe_conn_accept(struct fe_conn *conn, const char *path)
{
	struct sockaddr_un sun;
	int lfd, rc = conn_address(&sun, path);

	if (rc < 0)
		return rc;
	lfd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (lfd < 0)
		return -errno;
	unlink(path);
	if (bind(lfd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(lfd, 1) < 0) {
		rc = -errno;
		close(lfd);
		return rc;
	}
	rc = conn_wait(lfd, POLLIN, conn->timeout_ms);
	if (rc == 0) {
		conn->fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		if (conn->fd < 0)
			rc = -errno;
	}
	close(lfd);
	unlink(path);
	return rc;
}

void
fe_conn_close(struct fe_conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	conn->ack = false;
}

bool
fe_conn_alive(const struct fe_conn *conn)
{
	return conn->fd >= 0 && fe_conn_wait_close(conn, 0) == -ETIMEDOUT;
}

int
fe_conn_wait_close(const struct fe_conn *conn, int timeout_ms)
{
	/* Answers that nobody read may lie in the socket: look at the hang-up only. */
	return conn_wait(conn->fd, POLLRDHUP, timeout_ms);
}

int
fe_conn_wait_answer(const struct fe_conn *conn, int timeout_ms)
{
	return conn_wait(conn->fd, POLLIN | POLLRDHUP, timeout_ms);
}

int
fe_send_raw(struct fe_conn *conn, const void *buf, size_t len, const int *fds, unsigned int n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FE_MAX_FDS * sizeof(int))];
	} control;
	const char *p = buf;
	ssize_t sent;
	int rc;

	if (n > FE_MAX_FDS)
		return -E2BIG;
	while (len > 0) {
		struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = len};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

		if (n > 0) {
			struct cmsghdr *cmsg = &control.align;

			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
			memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
			msg.msg_control = control.buf;
			msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		}
		rc = conn_wait(conn->fd, POLLOUT, conn->timeout_ms);
		if (rc < 0)
			return rc;
		sent = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return errno == EPIPE ? -ECONNRESET : -errno;
		}
		n = 0;
		p += sent;
		len -= (size_t)sent;
	}
	return 0;
}

static int
conn_send(struct fe_conn *conn, uint32_t request, uint32_t flags, const void *payload,
	uint32_t size, const int *fds, unsigned int n)
{
	char buf[sizeof(struct fe_header) + FE_MAX_PAYLOAD];
	struct fe_header head = {.request = request, .flags = flags, .size = size};

	if (size > FE_MAX_PAYLOAD)
		return -E2BIG;
	memcpy(buf, &head, sizeof(head));
	if (size > 0)
		memcpy(buf + sizeof(head), payload, size);
	return fe_send_raw(conn, buf, sizeof(head) + size, fds, n);
}

int
fe_send(struct fe_conn *conn, uint32_t request, const void *payload, uint32_t size, const int *fds,
	unsigned int n)
{
	return conn_send(conn, request, FE_F_VERSION, payload, size, fds, n);
}

static int
conn_read(struct fe_conn *conn, void *buf, size_t len)
{
	char *p = buf;
	ssize_t got;
	int rc;

	while (len > 0) {
		rc = conn_wait(conn->fd, POLLIN, conn->timeout_ms);
		if (rc < 0)
			return rc;
		got = recv(conn->fd, p, len, MSG_DONTWAIT);
		if (got == 0)
			return -ECONNRESET;
		if (got < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -errno;
		}
		p += got;
		len -= (size_t)got;
	}
	return 0;
}

int
fe_recv(struct fe_conn *conn, struct fe_msg *msg)
{
	int rc = conn_read(conn, &msg->head, sizeof(msg->head));

	if (rc < 0)
		return rc;
	if (msg->head.size > sizeof(msg->bytes))
		return -EPROTO;
	return conn_read(conn, msg->bytes, msg->head.size);
}

/* The answer to @p request, of at least @p size bytes. */
static int
conn_reply(struct fe_conn *conn, uint32_t request, uint32_t size, struct fe_msg *msg)
{
	int rc = fe_recv(conn, msg);

	if (rc < 0)
		return rc;
	if (msg->head.request != request || !(msg->head.flags & FE_F_REPLY) ||
		msg->head.size < size)
		return -EPROTO;
	return 0;
}

int
fe_call(struct fe_conn *conn, uint32_t request, const void *payload, uint32_t size, const int *fds,
	unsigned int n)
{
	uint32_t flags = FE_F_VERSION | (conn->ack ? FE_F_NEED_REPLY : 0);
	struct fe_msg msg;
	int rc = conn_send(conn, request, flags, payload, size, fds, n);

	if (rc < 0 || !conn->ack)
		return rc;
	rc = conn_reply(conn, request, sizeof(msg.u64), &msg);
	if (rc < 0)
		return rc;
	return msg.u64 == 0 ? 0 : -EREMOTEIO;
}

int
fe_get_u64(struct fe_conn *conn, uint32_t request, uint64_t *value)
{
	struct fe_msg msg;
	int rc = fe_send(conn, request, NULL, 0, NULL, 0);

	if (rc == 0)
		rc = conn_reply(conn, request, sizeof(msg.u64), &msg);
	if (rc == 0)
		*value = msg.u64;
	return rc;
}

int
fe_set_u64(struct fe_conn *conn, uint32_t request, uint64_t value)
{
	return fe_call(conn, request, &value, sizeof(value), NULL, 0);
}

int
fe_set_vring(struct fe_conn *conn, uint32_t request, uint32_t index, uint32_t num)
{
	struct fe_vring_state state = {.index = index, .num = num};

	return fe_call(conn, request, &state, sizeof(state), NULL, 0);
}

int
fe_set_vring_addr(struct fe_conn *conn, const struct fe_vring_addr *addr)
{
	return fe_call(conn, FE_SET_VRING_ADDR, addr, sizeof(*addr), NULL, 0);
}

int
fe_set_vring_fd(struct fe_conn *conn, uint32_t request, uint32_t index, int fd)
{
	uint64_t value = fd < 0 ? index | FE_VRING_NOFD : index;

	return fe_call(conn, request, &value, sizeof(value), &fd, fd < 0 ? 0 : 1);
}

int
fe_get_vring_base(struct fe_conn *conn, uint32_t index, uint32_t *base)
{
	struct fe_vring_state state = {.index = index};
	struct fe_msg msg;
	int rc = fe_send(conn, FE_GET_VRING_BASE, &state, sizeof(state), NULL, 0);

	if (rc == 0)
		rc = conn_reply(conn, FE_GET_VRING_BASE, sizeof(msg.state), &msg);
	if (rc == 0 && msg.state.index != index)
		rc = -EPROTO;
	if (rc == 0)
		*base = msg.state.num;
	return rc;
}

int
fe_set_mem_table(struct fe_conn *conn, const struct fe_wire_table *table, const int *fds)
{
	uint32_t size = offsetof(struct fe_wire_table, regions);

	size += table->n * (uint32_t)sizeof(table->regions[0]);
	return fe_call(conn, FE_SET_MEM_TABLE, table, size, fds, table->n);
}

int
fe_set_log_base(struct fe_conn *conn, uint64_t size, uint64_t offset, int fd)
{
	struct fe_wire_log log = {.size = size, .offset = offset};
	struct fe_msg msg;
	int rc = fe_send(conn, FE_SET_LOG_BASE, &log, sizeof(log), &fd, 1);

	return rc < 0 ? rc : conn_reply(conn, FE_SET_LOG_BASE, 0, &msg);
}

int
fe_barrier(struct fe_conn *conn)
{
	uint64_t features;

	return fe_get_u64(conn, FE_GET_FEATURES, &features);
}
