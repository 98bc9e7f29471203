#include "help.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "words.h"

static const char general[] = OPTIONS_USAGE
	"\n"
	"       switchctl completion bash\n"
	"\n"
	"  -s, --socket PATH   the daemon's control socket (/run/tandem/control.sock)\n"
	"      --json          one JSON document instead of aligned columns\n"
	"      --dry-run       dry_run=true: what it would do (rate import, cdr rerate)\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version of this program\n"
	"\n"
	"fields=a,b,c chooses what is shown. Exit status: 0 done, 1 refused or differences found,\n"
	"2 wrong usage, 3 the daemon cannot be reached.\n"
	"\n";

static void put_upper(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_putc(out, (char)toupper((unsigned char)*name));
}

/* What stands for the key: ID, NAME; GROUP/PREFIX where it has several parts. */
static void put_key(struct buf *out, const struct op_info *op)
{
	const struct entity *e = entity_find(str_of(op->entity));
	int parts = 0;

	for (int i = 0; e && strcmp(op->key, "key") == 0 && i < e->fields; i++) {
		if (e->field[i].flags & FIELD_KEY) {
			buf_putz(out, parts++ ? "/" : "");
			put_upper(out, e->field[i].name);
		}
	}
	if (!parts)
		put_upper(out, op->key);
}

static const char *type_word(enum field_type t)
{
	switch (t) {
	case FIELD_LIST:
		return "A,B,...";
	case FIELD_INT:
		return "NUMBER";
	case FIELD_BOOL:
		return "true|false";
	case FIELD_MONEY:
		return "DECIMAL";
	case FIELD_TIME:
		return "TIME";
	default:
		return "TEXT";
	}
}

/* The fields without which there is no new row. */
static void put_needed(struct buf *out, const struct entity *e)
{
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (f->flags & (FIELD_REQUIRED | FIELD_KEY) &&
		    !(f->flags & (FIELD_AUTO | FIELD_COMPUTED)))
			buf_printf(out, " %s=%s", f->name, type_word(f->type));
	}
}

void help_put_usage(struct buf *out, const struct op_info *op)
{
	bool is_show = strcmp(op->verb, "show") == 0 && !op->key[0];

	buf_printf(out, "switchctl %s%s%s", op->entity, is_show ? "" : " ",
		   is_show ? "" : op->verb);
	if (op->key[0]) {
		buf_putc(out, ' ');
		put_key(out, op);
	}
	for (int i = 0; i < op->arg_count; i++) {
		const struct op_arg *a = &op->args[i];

		buf_printf(out, a->is_required ? " %s=%s" : " [%s=%s]", a->name,
			   a->is_file || a->is_save || a->is_send ? "FILE" : type_word(a->type));
	}
	if (op->fields) {
		if (strcmp(op->verb, "add") == 0)
			put_needed(out, op->fields);
		buf_putz(out, " [field=value ...]");
	}
}

static void put_entities(struct buf *out)
{
	for (int i = 0; i < OP_COUNT; i++) {
		const struct op_info *op = &op_infos[i];

		if (i == 0 || strcmp(op->entity, op_infos[i - 1].entity) != 0)
			buf_printf(out, "%s  %-18s", i ? "\n" : "", op->entity);
		buf_printf(out, " %s", op->verb);
	}
	buf_putc(out, '\n');
}

static void put_verbs(struct buf *out, struct str entity)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (!str_eq(str_of(op_infos[i].entity), entity))
			continue;
		help_put_usage(out, &op_infos[i]);
		buf_printf(out, "\n    %s\n", op_infos[i].help);
	}
}

static void put_field(struct buf *out, const struct field *f)
{
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;

	field_accepts(f, &accepted);
	buf_printf(out, "  %-22s %s%s\n", f->name, f->help,
		   f->flags & (FIELD_REQUIRED | FIELD_KEY) ? " (must be given)" : "");
	if (accepted.n)
		buf_printf(out, "  %-22s   accepted: %.*s\n", "", STR_ARG(buf_str(&accepted)));
	if (f->ref)
		buf_printf(out, "  %-22s   a key that `%s list` shows\n", "", f->ref);
	if (f->default_text && f->default_text[0])
		buf_printf(out, "  %-22s   default: %s\n", "", f->default_text);
}

static void put_op(struct buf *out, const struct op_info *op)
{
	help_put_usage(out, op);
	buf_printf(out, "\n    %s\n", op->help);
	for (int i = 0; op->fields && i < op->fields->fields; i++) {
		const struct field *f = &op->fields->field[i];

		if (!(f->flags & (FIELD_AUTO | FIELD_COMPUTED)))
			put_field(out, f);
	}
}

int help_put(struct buf *out, const char *const *word, int n, struct err *err)
{
	if (n == 0) {
		buf_putz(out, general);
		put_entities(out);
		return 0;
	}

	struct str entity = str_of(word[0]);
	if (n == 1 && words_is_entity(entity)) {
		put_verbs(out, entity);
		return 0;
	}

	enum op op = words_op(entity, n > 1 ? str_of(word[1]) : STR(""), err);
	if (op == OP_COUNT)
		return -EINVAL;
	put_op(out, &op_infos[op]);
	return 0;
}
