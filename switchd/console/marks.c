#include "marks.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/licence.h"

const char *marks_of_build(void)
{
	return licence_key_is_development ? "DEVELOPMENT" : NULL;
}

static void put_upper(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_putc(out, (char)toupper((unsigned char)*text));
}

void marks_update(struct app *app)
{
	CLEANUP(json_decref) json_t *licence = NULL;
	CLEANUP(buf_done) struct buf marks = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (daemons_ask(&app->daemons, "license.show", NULL, &licence, &ignored) < 0)
		return;
	const char *state = json_string_value(json_object_get(licence, "licence_state"));
	if (state && strcmp(state, licence_state_name(LICENCE_VALID)) != 0)
		put_upper(&marks, state);
	if (licence_key_is_development || json_is_true(json_object_get(licence, "development_key")))
		buf_printf(&marks, "%sDEVELOPMENT", marks.n ? " " : "");
	if (!buf_error(&marks))
		screen_set_marks(app->screen, buf_str(&marks));
}
