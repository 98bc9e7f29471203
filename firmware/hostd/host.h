/* host: what switch-hostd knows: where the slots are, what is being received, what is being installed. */
#pragma once

#include <systemd/sd-event.h>

#include "control/server.h"
#include "control/upload.h"
#include "install.h"

struct change;

struct host {
	struct options options;
	struct places places;
	sd_event *event;
	struct upload *upload;   /* of an update */
	struct install *install; /* NULL: none under way */
	sd_event_source *install_end;
	struct request *asked; /* who waits for it */
	bool is_to_restart;    /* when it is done */
	struct change *change; /* of network and ports */
};
