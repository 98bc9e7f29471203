#include "formats/slots.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

enum { NEEDED = 0x1f }; /* ORDER and the words of the slots */

static const struct str SIGNATURE = STR_INIT("# GRUB Environment Block\n");

struct slots slots_fresh(void)
{
	return (struct slots){ .order = { 'A', 'B' }, .is_ok = { true, false } };
}

int slots_index(char letter)
{
	switch (letter) {
	case 'a':
	case 'A':
		return 0;
	case 'b':
	case 'B':
		return 1;
	default:
		return -EINVAL;
	}
}

static int parse_order(struct slots *s, struct str value)
{
	if (!str_eq(value, STR("A B")) && !str_eq(value, STR("B A")))
		return -EINVAL;
	s->order[0] = value.p[0];
	s->order[1] = value.p[2];
	return 0;
}

static int parse_flag(bool *flag, struct str value)
{
	if (!str_eq(value, STR("0")) && !str_eq(value, STR("1")))
		return -EINVAL;
	*flag = value.p[0] == '1';
	return 0;
}

static int parse_tries(uint8_t *tries, struct str value)
{
	if (value.n != 1 || value.p[0] < '0' || value.p[0] > '0' + SLOTS_TRIES)
		return -EINVAL;
	*tries = (uint8_t)(value.p[0] - '0');
	return 0;
}

/* Sets the bit of a word of ours in *seen; other words are the boot loader's business. */
static int parse_word(struct slots *s, struct str name, struct str value, unsigned *seen)
{
	const struct {
		struct str name;
		bool *flag;
		uint8_t *tries;
	} WORDS[] = {
		{ STR("A_OK"), &s->is_ok[0], NULL },  { STR("A_TRY"), NULL, &s->tries[0] },
		{ STR("B_OK"), &s->is_ok[1], NULL },  { STR("B_TRY"), NULL, &s->tries[1] },
		{ STR("RESET"), &s->is_reset, NULL },
	};

	if (str_eq(name, STR("ORDER"))) {
		*seen |= 1;
		return parse_order(s, value);
	}
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
		if (!str_eq(name, WORDS[i].name))
			continue;
		*seen |= 2U << i;
		return WORDS[i].flag ? parse_flag(WORDS[i].flag, value)
				     : parse_tries(WORDS[i].tries, value);
	}
	return 0;
}

int slots_parse(struct slots *ret, struct str block)
{
	struct slots s = { 0 };
	struct str rest, line;
	unsigned seen = 0;

	if (block.n != SLOTS_BLOCK || !str_has_prefix(block, SIGNATURE))
		return -EINVAL;
	rest = str_skip(block, SIGNATURE.n);
	while (str_line(&rest, &line) && !str_has_prefix(line, STR("#"))) {
		ptrdiff_t equals = str_chr(line, '=');
		if (equals < 0)
			return -EINVAL;
		int r = parse_word(&s, str_head(line, (size_t)equals),
				   str_skip(line, (size_t)equals + 1), &seen);
		if (r < 0)
			return r;
	}
	if ((seen & NEEDED) != NEEDED)
		return -EINVAL;
	*ret = s;
	return 0;
}

void slots_print(const struct slots *s, char block[SLOTS_BLOCK])
{
	struct buf b = buf_fixed(block, SLOTS_BLOCK);

	memset(block, '#', SLOTS_BLOCK);
	buf_put(&b, SIGNATURE);
	buf_putz(&b, "ORDER=");
	buf_putc(&b, s->order[0]);
	buf_putc(&b, ' ');
	buf_putc(&b, s->order[1]);
	for (int i = 0; i < SLOTS_COUNT; i++) {
		char letter = i == 0 ? 'A' : 'B';
		buf_putc(&b, '\n');
		buf_putc(&b, letter);
		buf_putz(&b, s->is_ok[i] ? "_OK=1\n" : "_OK=0\n");
		buf_putc(&b, letter);
		buf_putz(&b, "_TRY=");
		buf_putc(&b, (char)('0' + s->tries[i]));
	}
	buf_putz(&b, s->is_reset ? "\nRESET=1\n" : "\nRESET=0\n");
}
