/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "fuzz_bed.h"

static bool spoilt;

void
hostile_device_begin(void)
{
	spoilt = false;
}

bool
hostile_device_blind(void)
{
	return spoilt;
}

void
hostile_device_spoils(void)
{
	spoilt = true;
}

/* Anything anywhere in what the device may write. */
static void
scribble(struct bed *b)
{
	uint16_t at = fuzz_take(2), n = 1 + fuzz_take(1) % 16;
	size_t size = b->dev_packed ? 16ull * b->device_size : 6 + 8ull * b->device_size;
	uint8_t *mem = b->dev_packed ? (uint8_t *)b->sdesc : (uint8_t *)b->sused;

	spoilt = true;
	for (; n != 0; n--)
		mem[at++ % size] = fuzz_take(1);
	b->dev_used = b->dev_packed ? b->dev_used : b->sused->idx;
}

void
hostile_device_step(struct bed *b, uint8_t op)
{
	unsigned int i;

	switch (op % 8) {
	case 0:
		/* A wrong id may be a right one, and is then an honest return. */
		spoilt = true;
		bed_device_return(b, fuzz_take(2), fuzz_take(4));
		break;
	case 1:
		spoilt = true;
		bed_device_return(b, fuzz_take(1) % b->device_size, fuzz_take(1) % 4);
		break;
	case 2:
		/* Everything that may be in flight, twice. */
		spoilt = true;
		for (i = 0; i < 2u * b->device_size; i++)
			bed_device_return(b, (i + op / 8) % b->device_size, 0);
		break;
	case 3:
		if (!b->dev_packed) {
			spoilt = true;
			b->sused->idx = fuzz_take(2);
			b->dev_used = b->sused->idx;
			break;
		}
		/* The wrap counter's turn comes too early. */
		b->dev_used_wrap = !b->dev_used_wrap;
		break;
	case 4:
		/* Its event area. */
		if (b->dev_packed)
			b->sused->flags = fuzz_take(2);
		else
			bed_device_event(b, fuzz_take(2));
		break;
	default:
		scribble(b);
		break;
	}
}
