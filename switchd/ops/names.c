#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"
#include "vendor/resolver.h"

/* Names of vendors: what the resolver finds out becomes a world like any other change. */

enum { MINOR = 1, MAJOR = 2, INFO = 200 };

void names_configure(struct ops *o)
{
	resolver_set_interval(o->hub->resolver, param_int(catalog_world(o->catalog)->params,
							  PARAM_SERVER_DNS_UPDATE_INTERVAL));
}

static int on_names(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct ops *o = ctx;
	struct err err = ERR_INIT;
	int r;

	(void)s;
	(void)fd;
	(void)events;
	resolver_see(o->hub->resolver);
	r = catalog_prepare(o->catalog, CHANGED_GATEWAYS, NULL, &err);
	if (r < 0) {
		log_at(LOG_ERR, NULL, "what names lead to now does not act: %s",
		       err.message[0] ? err.message : strerror(-r));
		return 0;
	}
	catalog_publish(o->catalog);
	report_config_changed(o->report);
	return 0;
}

int names_open(struct ops *o)
{
	names_configure(o);
	return sd_event_add_io(o->c.event, &o->names, resolver_fd(o->hub->resolver), EPOLLIN,
			       on_names, o);
}

static void say(void *ctx, const char *host, int error, ms_t since, bool has_answer)
{
	struct ops *o = ctx;
	char at[CLOCK_TEXT], info[INFO];

	(void)snprintf(info, sizeof(info), "%s since %s; %s",
		       error == -ENOENT ? "leads to no address" : "no name server answers",
		       clock_text(since, at),
		       has_answer ? "what was known before stays in use" : "no call can go there");
	alarm_raise(o->alarms, "name", has_answer ? MINOR : MAJOR, host, has_answer, info);
}

void look_at_names(struct ops *o)
{
	resolver_each_failing(o->hub->resolver, say, o);
}
