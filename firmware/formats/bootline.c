#include "formats/bootline.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { LINE_MAX_BYTES = 8192, TRIES_MAX = 3 };

static const struct str SLOT = STR_INIT("tandem.slot=");
static const struct str VERITY = STR_INIT("tandem.verity=");
static const struct str TRIES = STR_INIT("tandem.tries=");
static const struct str RESET = STR_INIT("tandem.reset");
static const struct str INSTALL = STR_INIT("tandem.install");
static const struct str INSTALL_ON = STR_INIT("tandem.install=");

static int parse_slot(struct bootline *b, struct str value)
{
	if (!str_eq(value, STR("a")) && !str_eq(value, STR("b")))
		return -EINVAL;
	b->slot = value.p[0];
	return 0;
}

static int parse_hash(char dst[BOOTLINE_HASH_SIZE], struct str value)
{
	if (value.n != BOOTLINE_HASH_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < value.n; i++)
		if (!isxdigit((unsigned char)value.p[i]))
			return -EINVAL;
	return str_copy(dst, BOOTLINE_HASH_SIZE, value);
}

static int parse_verity(struct bootline *b, struct str value)
{
	struct str part[4];

	for (size_t i = 0; i < 4; i++)
		if (!str_split(&value, ',', &part[i]))
			return -EINVAL;
	if (value.n > 0)
		return -EINVAL;
	if (str_to_u32(part[0], INT32_MAX, &b->blocks) < 0 || b->blocks == 0)
		return -EINVAL;
	if (str_to_u32(part[1], INT32_MAX, &b->hash_start) < 0 || b->hash_start < b->blocks)
		return -EINVAL;
	int r = parse_hash(b->root_hash, part[2]);
	return r < 0 ? r : parse_hash(b->salt, part[3]);
}

static int parse_tries(struct bootline *b, struct str value)
{
	if (value.n != sizeof(b->tries))
		return -EINVAL;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '0' + TRIES_MAX)
			return -EINVAL;
		b->tries[i] = (uint8_t)(value.p[i] - '0');
	}
	b->has_tries = true;
	return 0;
}

int bootline_parse(struct bootline *ret, struct str line)
{
	struct bootline b = { 0 };
	struct str word;
	int r = 0;

	line = str_trim(line);
	while (r == 0 && str_split(&line, ' ', &word)) {
		if (str_has_prefix(word, SLOT))
			r = parse_slot(&b, str_skip(word, SLOT.n));
		else if (str_has_prefix(word, VERITY))
			r = parse_verity(&b, str_skip(word, VERITY.n));
		else if (str_has_prefix(word, TRIES))
			r = parse_tries(&b, str_skip(word, TRIES.n));
		else if (str_eq(word, RESET))
			b.is_reset = true;
		else if (str_eq(word, INSTALL) || str_has_prefix(word, INSTALL_ON))
			b.is_install = true;
	}
	if (r < 0)
		return r;
	if (!b.is_install && (b.slot == 0 || b.blocks == 0))
		return -ENODATA;
	*ret = b;
	return 0;
}

int bootline_read(struct bootline *ret)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	int r = file_read("/proc/cmdline", LINE_MAX_BYTES, &line, NULL);

	return r < 0 ? r : bootline_parse(ret, buf_str(&line));
}
