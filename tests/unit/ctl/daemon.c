#include "daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control/server.h"

static struct {
	char dir[64], path[96];
	sd_event *ev;
	struct server *server;
	pthread_t thread;
	int stop[2];
	pthread_mutex_t lock; /* of the two below */
	const char *answer;
	char asked[4096];
} d = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_request(void *ctx, struct request *r)
{
	struct err err = ERR_INIT;

	(void)ctx;
	pthread_mutex_lock(&d.lock);
	char *params = json_dumps(r->params, JSON_COMPACT | JSON_SORT_KEYS);
	(void)snprintf(d.asked, sizeof(d.asked), "%s %s", op_infos[r->op].name, params);
	free(params);
	const char *answer = d.answer;
	pthread_mutex_unlock(&d.lock);

	if (answer) {
		request_done(r, json_loads(answer, JSON_DECODE_ANY, NULL));
		return;
	}
	(void)err_set(&err, ERR_BAD_VALUE, "price", STR("1,5"), "0 to 10", "price is no number");
	request_fail(r, &err);
}

static int on_stop(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)fd;
	(void)events;
	(void)ctx;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *ctx)
{
	(void)sd_event_loop(ctx);
	return NULL;
}

int daemon_start(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(d.dir, sizeof(d.dir), "/tmp/test-ctl-XXXXXX");
	if (!mkdtemp(d.dir) || pipe(d.stop) < 0 || sd_event_new(&d.ev) < 0)
		return -1;
	(void)snprintf(d.path, sizeof(d.path), "%s/control.sock", d.dir);
	d.answer = "{}";
	d.asked[0] = 0;
	if (server_create(&d.server, d.ev, d.path, on_request, NULL, &err) < 0 ||
	    sd_event_add_io(d.ev, NULL, d.stop[0], EPOLLIN, on_stop, NULL) < 0 ||
	    pthread_create(&d.thread, NULL, serve, d.ev) != 0)
		return -1;
	return 0;
}

int daemon_stop(void **state)
{
	(void)state;
	if (write(d.stop[1], "x", 1) != 1 || pthread_join(d.thread, NULL) != 0)
		return -1;
	d.server = server_free(d.server);
	d.ev = sd_event_unref(d.ev);
	close(d.stop[0]);
	close(d.stop[1]);
	return rmdir(d.dir);
}

const char *daemon_path(void)
{
	return d.path;
}

void daemon_says(const char *json)
{
	pthread_mutex_lock(&d.lock);
	d.answer = json;
	pthread_mutex_unlock(&d.lock);
}

const char *daemon_asked(void)
{
	static char asked[sizeof(d.asked)];

	pthread_mutex_lock(&d.lock);
	(void)snprintf(asked, sizeof(asked), "%s", d.asked);
	pthread_mutex_unlock(&d.lock);
	return asked;
}
