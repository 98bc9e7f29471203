#include "model/answer_check.h"

#include <errno.h>

#include "base/addr.h"
#include "base/base64.h"
#include "base/password.h"
#include "base/word.h"
#include "model/utf8.h"
#include "model/value.h"

typedef int check_fn(const struct answer_info *info, struct str s, struct buf *form);

static bool is_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], lower = (char)(c | 0x20);

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr(others, c)))
			return false;
	}
	return s.n > 0;
}

static bool is_clean(struct str s)
{
	int32_t c;

	while (utf8_next(&s, &c)) {
		if (utf8_width(c) < 0)
			return false;
	}
	return true;
}

static int put_if(bool is_good, struct str s, struct buf *form)
{
	if (is_good)
		buf_put(form, s);
	return is_good ? 0 : -EINVAL;
}

/* --- names --- */

/* RFC 1123: labels of letters, digits and hyphens. */
static bool is_hostname(struct str s)
{
	enum { LABEL = 63, NAME = 253 };
	struct str label;

	if (s.n > NAME || str_is_empty(s) || str_has_suffix(s, STR(".")))
		return false;
	while (str_split(&s, '.', &label)) {
		if (!is_of(label, "-") || label.n > LABEL || label.p[0] == '-' ||
		    label.p[label.n - 1] == '-')
			return false;
	}
	return true;
}

static int check_hostname(const struct answer_info *info, struct str s, struct buf *form)
{
	enum { LINUX_MAX = 64 };

	(void)info;
	return put_if(s.n <= LINUX_MAX && is_hostname(s), s, form);
}

static int check_timezone(const struct answer_info *info, struct str s, struct buf *form)
{
	(void)info;
	return put_if(s.n <= 64 && is_of(s, "/_+-") && s.p[0] != '/' && s.p[0] != '-' &&
			      str_find(s, STR("//")) < 0 && s.p[s.n - 1] != '/',
		      s, form);
}

static int check_interface(const struct answer_info *info, struct str s, struct buf *form)
{
	enum { INTERFACE_MAX = 15 };

	(void)info;
	return put_if(s.n <= INTERFACE_MAX && is_of(s, "._-") && s.p[0] != '.' && s.p[0] != '-', s,
		      form);
}

static int check_path(const struct answer_info *info, struct str s, struct buf *form)
{
	return put_if((int64_t)s.n <= info->max && is_clean(s) && str_find(s, STR("..")) < 0, s,
		      form);
}

static int check_device(const struct answer_info *info, struct str s, struct buf *form)
{
	return put_if((int64_t)s.n <= info->max && str_has_prefix(s, STR("/dev/")) &&
			      is_of(s, "/_.:-") && str_find(s, STR("..")) < 0,
		      s, form);
}

/* --- addresses --- */

/* An address of one machine, without a port. */
static int parse_address(struct str s, struct addr *ret)
{
	if (addr_parse(s, 0, ret) < 0 || addr_port(ret) != 0 || addr_is_any(ret) ||
	    addr_is_multicast(ret) || str_chr(s, '[') >= 0)
		return -EINVAL;
	return 0;
}

static void put_address(const struct addr *a, struct buf *form)
{
	char text[ADDR_TEXT];

	buf_putz(form, addr_host_text(a, text));
}

static int check_address(const struct answer_info *info, struct str s, struct buf *form)
{
	struct addr a;

	(void)info;
	if (parse_address(s, &a) < 0)
		return -EINVAL;
	put_address(&a, form);
	return 0;
}

static int check_host(const struct answer_info *info, struct str s, struct buf *form)
{
	if (check_address(info, s, form) == 0)
		return 0;
	/* 1.2.3.400 and 010.1.2.3 are mistyped addresses, not names. */
	return put_if(is_hostname(s) && !str_is_digits(str_skip(s, s.n - 1)), s, form);
}

static int check_list(const struct answer_info *info, struct str s, struct buf *form,
		      check_fn *check)
{
	struct str item;
	int64_t n = 0;

	if (str_has_suffix(s, STR(",")))
		return -EINVAL;
	while (str_split(&s, ',', &item)) {
		if (n++ > 0)
			buf_putc(form, ',');
		if (n > info->max || check(info, item, form) < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_hosts(const struct answer_info *info, struct str s, struct buf *form)
{
	return check_list(info, s, form, check_host);
}

static int check_addresses(const struct answer_info *info, struct str s, struct buf *form)
{
	return check_list(info, s, form, check_address);
}

/* An address of ours with its prefix length; 0 bits would be the whole world. */
static int check_network(struct str s, bool is_v6, uint32_t max_bits, struct buf *form)
{
	struct str host;
	struct addr a;
	uint32_t bits;

	if (str_chr(s, '/') < 0 || !str_split(&s, '/', &host) || parse_address(host, &a) < 0 ||
	    addr_is_v6(&a) != is_v6 || str_to_u32(str_trim(s), max_bits, &bits) < 0 || bits < 1)
		return -EINVAL;
	put_address(&a, form);
	buf_printf(form, "/%u", bits);
	return 0;
}

static int check_ipv4(const struct answer_info *info, struct str s, struct buf *form)
{
	(void)info;
	if (str_ieq(s, STR("dhcp")))
		return put_if(true, STR("dhcp"), form);
	return check_network(s, false, 32, form);
}

static int check_ipv6(const struct answer_info *info, struct str s, struct buf *form)
{
	(void)info;
	if (str_ieq(s, STR("auto")))
		return put_if(true, STR("auto"), form);
	if (str_ieq(s, STR("off")))
		return put_if(true, STR("off"), form);
	return check_network(s, true, 128, form);
}

/* --- numbers and choices --- */

static int check_int(const struct answer_info *info, struct str s, struct buf *form)
{
	int64_t n;

	if (str_to_i64(s, info->min, info->max, &n) < 0)
		return -EINVAL;
	buf_put_i64(form, n);
	return 0;
}

static int check_ports(const struct answer_info *info, struct str s, struct buf *form)
{
	struct str first;
	int64_t a, b;

	if (str_chr(s, '-') < 0 || !str_split(&s, '-', &first) ||
	    str_to_i64(first, info->min, info->max, &a) < 0 ||
	    str_to_i64(str_trim(s), info->min, info->max, &b) < 0 || a >= b)
		return -EINVAL;
	buf_printf(form, "%lld-%lld", (long long)a, (long long)b);
	return 0;
}

static int check_choice(const struct answer_info *info, struct str s, struct buf *form)
{
	const struct value_rule rule = {
		.kind = info->type == ANSWER_T_BOOL ? VALUE_BOOL : VALUE_CHOICE,
		.min = VALUE_MIN,
		.max = VALUE_MAX,
		.unit = "",
		.values = info->values,
	};
	int64_t i;

	int r = value_parse(&rule, s, &i, NULL);
	if (r < 0)
		return r;
	buf_putz(form, info->values[i]);
	return 0;
}

/* --- keys --- */

/* Does the blob begin with the name of its type, as RFC 4253 §6.6 has it? */
static bool is_key_of(struct str type, struct str blob)
{
	enum { LENGTH = 4 };
	const unsigned char *p = (const unsigned char *)blob.p;

	if (blob.n <= LENGTH + type.n)
		return false;
	uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return n == type.n && str_has_prefix(str_skip(blob, LENGTH), type);
}

static int check_ssh_key(const struct answer_info *info, struct str s, struct buf *form)
{
	static const char *const names[] = {
		"ssh-ed25519",
		"ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521",
		"ssh-rsa",
		"sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com",
		NULL,
	};
	const struct value_rule types = { .kind = VALUE_CHOICE, .values = names };
	CLEANUP(buf_done) struct buf blob = BUF_INIT;
	struct str rest = s, type, key;
	int64_t i;

	if ((int64_t)s.n > info->max || !is_clean(s) || !str_split(&rest, ' ', &type) ||
	    !str_split(&rest, ' ', &key) || value_parse(&types, type, &i, NULL) < 0 ||
	    base64_decode(key, &blob) < 0)
		return -EINVAL;
	if (buf_error(&blob) < 0)
		return buf_error(&blob);
	return put_if(is_key_of(type, buf_str(&blob)), s, form);
}

static int check_scrypt(const struct answer_info *info, struct str s, struct buf *form)
{
	(void)info;
	return put_if(password_hash_is_valid(s), s, form);
}

static int check_command(const struct answer_info *info, struct str s, struct buf *form)
{
	CLEANUP(buf_done) struct buf word = BUF_INIT;
	struct str rest = s;
	int r;

	if ((int64_t)s.n > info->max || !is_clean(s))
		return -EINVAL;
	while ((r = word_next(&rest, &word)) > 0)
		continue;
	return r < 0 ? r : put_if(true, s, form);
}

static int check_number(const struct answer_info *info, struct str s, struct buf *form)
{
	bool is_number = (int64_t)s.n <= info->max;

	for (size_t i = 0; i < s.n; i++)
		is_number &= (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '*' || s.p[i] == '#';
	return put_if(is_number, s, form);
}

static int check_text(const struct answer_info *info, struct str s, struct buf *form)
{
	return put_if((int64_t)utf8_length(s) <= info->max && is_clean(s), s, form);
}

/* --- any --- */

static const struct {
	check_fn *check;
	const char *accepts; /* NULL: made from the row */
} types[] = {
	[ANSWER_T_HOSTNAME] = { check_hostname,
				"letters, digits, hyphens and dots, up to 64 characters" },
	[ANSWER_T_TIMEZONE] = { check_timezone,
				"the name of a time zone, such as UTC or America/Bogota" },
	[ANSWER_T_HOSTS] = { check_hosts, "names or addresses, separated by commas" },
	[ANSWER_T_INTERFACE] = { check_interface,
				 "the name of an interface, such as eth0; or auto" },
	[ANSWER_T_IPV4] = { check_ipv4,
			    "an address with its prefix length, such as 192.0.2.10/24; or dhcp" },
	[ANSWER_T_IPV6] = { check_ipv6, "an address with its prefix length, such as "
					"2001:db8::10/64; auto or off" },
	[ANSWER_T_ADDRESS] = { check_address, "an IPv4 or IPv6 address" },
	[ANSWER_T_ADDRESSES] = { check_addresses, "IPv4 or IPv6 addresses, separated by commas" },
	[ANSWER_T_INT] = { check_int, NULL },
	[ANSWER_T_PORTS] = { check_ports, NULL },
	[ANSWER_T_SSH_KEY] = { check_ssh_key, "a public key on one line, such as ssh-ed25519 "
					      "AAAA... name, without "
					      "options" },
	[ANSWER_T_SCRYPT] = { check_scrypt, "what switch-setup --hash-password prints: "
					    "$scrypt$ln=15,r=8,p=1$SALT$HASH" },
	[ANSWER_T_PATH] = { check_path, "a path without .." },
	[ANSWER_T_DEVICE] = { check_device, "a disk, such as /dev/sda" },
	[ANSWER_T_ENUM] = { check_choice, NULL },
	[ANSWER_T_BOOL] = { check_choice, NULL },
	[ANSWER_T_COMMAND] = { check_command, "the words of a switchctl command, quotes closed" },
	[ANSWER_T_NUMBER] = { check_number, "digits, * and #, up to 32" },
	[ANSWER_T_TEXT] = { check_text, "text without control characters, up to 64" },
};

void answer_accepts(enum answer id, struct buf *out)
{
	const struct answer_info *info = &answer_infos[id];

	if (types[info->type].accepts)
		buf_putz(out, types[info->type].accepts);
	if (info->type == ANSWER_T_HOSTS || info->type == ANSWER_T_ADDRESSES)
		buf_printf(out, ", at most %lld", (long long)info->max);
	for (int i = 0; info->values && info->values[i]; i++) {
		if (i > 0)
			buf_putz(out, info->values[i + 1] ? ", " : " or ");
		buf_putz(out, info->values[i]);
	}
	if (info->type == ANSWER_T_PORTS)
		buf_putz(out, "first-last, both ");
	if (info->type == ANSWER_T_PORTS || info->type == ANSWER_T_INT)
		buf_printf(out, "%lld to %lld", (long long)info->min, (long long)info->max);
}

int answer_check(enum answer id, struct str given, struct buf *form, struct err *err)
{
	const struct answer_info *info = &answer_infos[id];
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;

	int r = types[info->type].check(info, given, form);
	if (r == 0)
		r = buf_error(form);
	if (r != -EINVAL)
		return r;
	answer_accepts(id, &accepted);
	return err_set(err, ERR_BAD_VALUE, info->name,
		       info->flags & ANSWER_SECRET ? STR("(not shown)") : given,
		       buf_cstr(&accepted), "%s does not accept this value", info->name);
}
