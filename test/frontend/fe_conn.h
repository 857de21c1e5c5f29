/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_CONN_H
#define FE_CONN_H

/**
 * @file
 * A vhost-user connection as a front-end sees it: typed messages, and raw bytes for the rude ones.
 *
 * Concepts
 *
 * Everything here speaks the protocol byte by byte and takes nothing for granted: a test may send
 * any message in any order, with any descriptors. Every wait has a time limit. Once REPLY_ACK is
 * negotiated (fe_conn.ack), fe_call() asks for an acknowledgement, so that it returns only after
 * the back-end has dealt with the message.
 *
 * Follows the vhost-user protocol. One thread at a time uses a connection. Functions return 0 or a
 * negative errno: -ETIMEDOUT (no answer in time), -ECONNRESET (the back-end closed), -EREMOTEIO (it
 * refused the message), -EPROTO (it answered something else), or an errno of the system call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most descriptors that one message can carry. */
#define FE_MAX_FDS 64
/** Most bytes of a received message's payload. */
#define FE_MAX_PAYLOAD 4096

enum fe_request {
	FE_GET_FEATURES = 1,
	FE_SET_FEATURES = 2,
	FE_SET_OWNER = 3,
	FE_RESET_OWNER = 4,
	FE_SET_MEM_TABLE = 5,
	FE_SET_LOG_BASE = 6,
	FE_SET_LOG_FD = 7,
	FE_SET_VRING_NUM = 8,
	FE_SET_VRING_ADDR = 9,
	FE_SET_VRING_BASE = 10,
	FE_GET_VRING_BASE = 11,
	FE_SET_VRING_KICK = 12,
	FE_SET_VRING_CALL = 13,
	FE_SET_VRING_ERR = 14,
	FE_GET_PROTOCOL_FEATURES = 15,
	FE_SET_PROTOCOL_FEATURES = 16,
	FE_GET_QUEUE_NUM = 17,
	FE_SET_VRING_ENABLE = 18,
	FE_SEND_RARP = 19,
	FE_NET_SET_MTU = 20,
	FE_SET_BACKEND_REQ_FD = 21,
	FE_GET_CONFIG = 24,
	FE_SET_STATUS = 39,
	FE_GET_STATUS = 40,
};

/* Protocol feature bits. */
#define FE_P_MQ		 0
#define FE_P_LOG_SHMFD	 1
#define FE_P_RARP	 2
#define FE_P_REPLY_ACK	 3
#define FE_P_NET_MTU	 4
#define FE_P_BACKEND_REQ 5
#define FE_P_CONFIG	 9
#define FE_P_STATUS	 16

/* What the back-end asks, on the channel of SET_BACKEND_REQ_FD. */
#define FE_BACKEND_CONFIG_CHANGE 2

/* Bits of the flags word of a message. */
#define FE_F_VERSION	0x1u
#define FE_F_REPLY	0x4u
#define FE_F_NEED_REPLY 0x8u

/** In the index word of SET_VRING_KICK/CALL/ERR: no descriptor comes along. */
#define FE_VRING_NOFD 0x100u
/** In the flags of SET_VRING_ADDR: log writes to the used ring. */
#define FE_VRING_F_LOG 0x1u

/** Head of a message on the wire. */
struct fe_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /**< bytes of payload that follow */
};

/** Payload of SET_VRING_NUM/BASE/ENABLE and GET_VRING_BASE. */
struct fe_vring_state {
	uint32_t index;
	uint32_t num;
};

/** Payload of SET_VRING_ADDR; desc, used and avail are front-end addresses, log a GPA. */
struct fe_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

/** One region of SET_MEM_TABLE. */
struct fe_wire_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user;
	uint64_t offset;
};

/** Payload of SET_MEM_TABLE. */
struct fe_wire_table {
	uint32_t n;
	uint32_t padding;
	struct fe_wire_region regions[FE_MAX_FDS];
};

/** Payload of SET_LOG_BASE. */
struct fe_wire_log {
	uint64_t size;
	uint64_t offset;
};

/** A received message. */
struct fe_msg {
	struct fe_header head;
	union {
		uint64_t u64;
		struct fe_vring_state state;
		uint8_t bytes[FE_MAX_PAYLOAD];
	};
};

/** A connection. */
struct fe_conn {
	int fd;		/**< the socket, or -1 */
	int timeout_ms; /**< limit of every wait */
	bool ack;	/**< REPLY_ACK is negotiated */
};

/** Not connected; every wait will be limited to @p timeout_ms. */
void fe_conn_init(struct fe_conn *conn, int timeout_ms);

/** Connect to a back-end that listens on @p path; waits for it to appear. */
int fe_conn_connect(struct fe_conn *conn, const char *path);

/** Listen on @p path, accept one back-end (its client mode), stop listening. */
int fe_conn_accept(struct fe_conn *conn, const char *path);

/** Close the socket. Idempotent. */
void fe_conn_close(struct fe_conn *conn);

/** Whether the back-end still holds its end open. */
bool fe_conn_alive(const struct fe_conn *conn);

/** Wait for the back-end to close its end. @return 0; -ETIMEDOUT. */
int fe_conn_wait_close(const struct fe_conn *conn, int timeout_ms);

/** Wait for the back-end to answer or to close its end. @return 0; -ETIMEDOUT. */
int fe_conn_wait_answer(const struct fe_conn *conn, int timeout_ms);

/** Send bytes as they are, with descriptors attached to the first of them. */
int fe_send_raw(struct fe_conn *conn, const void *buf, size_t len, const int *fds, unsigned int n);

/** Send a message that asks for no acknowledgement. */
int fe_send(struct fe_conn *conn, uint32_t request, const void *payload, uint32_t size,
	const int *fds, unsigned int n);

/** Receive one message. */
int fe_recv(struct fe_conn *conn, struct fe_msg *msg);

/** Send a message, and wait for its acknowledgement if that is negotiated. */
int fe_call(struct fe_conn *conn, uint32_t request, const void *payload, uint32_t size,
	const int *fds, unsigned int n);

/** A request that answers 64 bits. */
int fe_get_u64(struct fe_conn *conn, uint32_t request, uint64_t *value);

/** fe_call() with 64 bits of payload. */
int fe_set_u64(struct fe_conn *conn, uint32_t request, uint64_t value);

/** fe_call() of SET_VRING_NUM, BASE or ENABLE. */
int fe_set_vring(struct fe_conn *conn, uint32_t request, uint32_t index, uint32_t num);

/** fe_call() of SET_VRING_ADDR. */
int fe_set_vring_addr(struct fe_conn *conn, const struct fe_vring_addr *addr);

/** fe_call() of SET_VRING_KICK, CALL or ERR; fd -1 sends none. */
int fe_set_vring_fd(struct fe_conn *conn, uint32_t request, uint32_t index, int fd);

/** Stop a vring; @p base is the next available index. */
int fe_get_vring_base(struct fe_conn *conn, uint32_t index, uint32_t *base);

/** fe_call() of SET_MEM_TABLE; one descriptor a region. */
int fe_set_mem_table(struct fe_conn *conn, const struct fe_wire_table *table, const int *fds);

/** Share a dirty log; waits for the answer that LOG_SHMFD prescribes. */
int fe_set_log_base(struct fe_conn *conn, uint64_t size, uint64_t offset, int fd);

/** Wait until the back-end has dealt with all messages sent so far. */
int fe_barrier(struct fe_conn *conn);

/** Milliseconds of a clock that only goes forward. */
uint64_t fe_now_ms(void);

#endif /* FE_CONN_H */
