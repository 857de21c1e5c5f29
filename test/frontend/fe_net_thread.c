/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <unistd.h>

#include "fe_net.h"

static void *
net_thread(void *arg)
{
	struct fe_net *net = arg;

	pthread_mutex_lock(&net->lock);
	while (!net->quit) {
		if (net->pause) {
			net->paused = true;
			pthread_cond_broadcast(&net->cond);
			pthread_cond_wait(&net->cond, &net->lock);
			net->last_ms = fe_now_ms();
			continue;
		}
		net->paused = false;
		pthread_mutex_unlock(&net->lock);
		if (fe_net_poll(net) == 0)
			fe_net_wait(net, 20);
		pthread_mutex_lock(&net->lock);
	}
	pthread_mutex_unlock(&net->lock);
	return NULL;
}

int
fe_net_thread_start(struct fe_net *net)
{
	pthread_mutex_init(&net->lock, NULL);
	pthread_cond_init(&net->cond, NULL);
	net->pause = net->paused = net->quit = false;
	net->last_ms = fe_now_ms();
	net->running = pthread_create(&net->thread, NULL, net_thread, net) == 0;
	return net->running ? 0 : -EAGAIN;
}

void
fe_net_thread_stop(struct fe_net *net)
{
	if (!net->running)
		return;
	pthread_mutex_lock(&net->lock);
	net->quit = true;
	pthread_cond_broadcast(&net->cond);
	pthread_mutex_unlock(&net->lock);
	pthread_join(net->thread, NULL);
	pthread_mutex_destroy(&net->lock);
	pthread_cond_destroy(&net->cond);
	net->running = false;
}

void
fe_net_thread_pause(struct fe_net *net)
{
	pthread_mutex_lock(&net->lock);
	net->pause = true;
	while (!net->paused)
		pthread_cond_wait(&net->cond, &net->lock);
	pthread_mutex_unlock(&net->lock);
}

void
fe_net_thread_resume(struct fe_net *net)
{
	pthread_mutex_lock(&net->lock);
	net->pause = net->paused = false;
	pthread_cond_broadcast(&net->cond);
	pthread_mutex_unlock(&net->lock);
}

int
fe_net_thread_await(struct fe_net *net, uint64_t frames, uint64_t timeout_ms)
{
	uint64_t end = fe_now_ms() + timeout_ms, want[FE_MAX_PAIRS];
	unsigned int i;

	fe_net_thread_pause(net);
	for (i = 0; i < net->dev->conf.pairs; i++)
		want[i] = net->pairs[i].received + frames;
	fe_net_thread_resume(net);
	do {
		bool all = true;

		usleep(5000);
		fe_net_thread_pause(net);
		for (i = 0; i < net->dev->conf.pairs; i++)
			all = all && (net->pairs[i].off || net->pairs[i].received >= want[i]);
		fe_net_thread_resume(net);
		if (all)
			return 0;
	} while (fe_now_ms() < end);
	return -ETIMEDOUT;
}
