/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stddef.h>
#include <string.h>

#include "fe_frame.h"

#define FRAME_MAGIC 0x73767121u

struct frame_head {
	uint8_t dst[6];
	uint8_t src[6];
	uint8_t type[2]; /* 0x88b5, local experimental */
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

void
fe_frame_make(uint8_t *frame, uint32_t len, uint16_t pair, uint64_t seq)
{
	struct frame_head head = {
		.dst = {0x02, 0, 0, 0, 0, 1},
		.src = {0x02, 0, 0, 0, 0, 2},
		.type = {0x88, 0xb5},
		.pair = pair,
		.magic = FRAME_MAGIC,
		.len = len,
		.seq = seq,
	};
	uint64_t state = ((seq + 1) << 16) + pair + 1, word;
	uint32_t i = sizeof(head);

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
