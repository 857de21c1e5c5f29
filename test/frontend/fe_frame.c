/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stddef.h>
#include <string.h>

#include "fe_frame.h"

#define FRAME_MAGIC 0x73767121u

/* An IPv4 header without options, big endian. Each pair has addresses of its own: by those, a
 * device with several queues finds the one that a flow belongs to. */
struct frame_ip {
	uint8_t version_ihl, tos;
	uint8_t total[2];
	uint8_t id_fragment[4];
	uint8_t ttl;
	uint8_t protocol; /* 253, for experiments */
	uint8_t sum[2];
	uint8_t src[4], dst[4];
};

struct frame_head {
	uint8_t dst[6];
	uint8_t src[6];
	uint8_t type[2];
	struct frame_ip ip;
	uint16_t pair;
	uint32_t magic;
	uint32_t len;
	uint64_t seq;
	uint64_t sum; /* over the frame with this field 0 */
} __attribute__((packed));

static uint64_t
frame_sum(const uint8_t *frame, uint32_t len)
{
	uint64_t sum = 0xcbf29ce484222325ull + len, word;
	uint32_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, frame + i, 8);
		sum = (sum ^ word) * 0x100000001b3ull;
		sum ^= sum >> 29;
	}
	for (; i < len; i++)
		sum = (sum ^ frame[i]) * 0x100000001b3ull;
	return sum;
}

static void
put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static uint8_t flows;

void
fe_frame_flows(uint8_t n)
{
	flows = n;
}

static void
ip_make(struct frame_ip *ip, uint32_t len, uint16_t pair)
{
	const uint8_t *bytes = (const uint8_t *)ip;
	uint32_t sum = 0, i;

	*ip = (struct frame_ip){
		.version_ihl = 0x45,
		.ttl = 64,
		.protocol = 253,
		.src = {198, 18, flows, (uint8_t)pair},
		.dst = {198, 19, flows, (uint8_t)pair},
	};
	put16(ip->total, len);
	for (i = 0; i < sizeof(*ip); i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	put16(ip->sum, ~(sum % 0xffff));
}

void
fe_frame_make(uint8_t *frame, uint32_t len, uint16_t pair, uint64_t seq)
{
	struct frame_head head = {
		.dst = {0x02, 0, 0, 0, 0, 1},
		.src = {0x02, 0, 0, 0, 0, 2},
		.type = {0x08, 0x00},
		.pair = pair,
		.magic = FRAME_MAGIC,
		.len = len,
		.seq = seq,
	};
	uint64_t state = ((seq + 1) << 16) + pair + 1, word;
	uint32_t i = sizeof(head);

	_Static_assert(sizeof(head) <= FE_FRAME_MIN, "the head has room in every frame");
	ip_make(&head.ip, len - offsetof(struct frame_head, ip), pair);
	memcpy(frame, &head, sizeof(head));
	for (; i + 8 <= len; i += 8) {
		word = fe_random(&state);
		memcpy(frame + i, &word, 8);
	}
	for (; i < len; i++)
		frame[i] = (uint8_t)fe_random(&state);
	head.sum = frame_sum(frame, len);
	memcpy(frame, &head, sizeof(head));
}

const char *
fe_frame_check(const uint8_t *frame, uint32_t len, uint16_t pair, uint64_t *seq)
{
	static const uint64_t zero;
	const size_t sum_at = offsetof(struct frame_head, sum);
	uint8_t copy[FE_FRAME_MAX];
	struct frame_head head;

	if (len < FE_FRAME_MIN)
		return "too short";
	if (len > FE_FRAME_MAX)
		return "too long";
	memcpy(&head, frame, sizeof(head));
	if (head.magic != FRAME_MAGIC)
		return "not a frame of ours";
	if (head.len != len)
		return "wrong length";
	if (head.pair != pair)
		return "of another queue pair";
	memcpy(copy, frame, len);
	memcpy(copy + sum_at, &zero, sizeof(zero));
	if (frame_sum(copy, len) != head.sum)
		return "wrong checksum";
	*seq = head.seq;
	return NULL;
}
