#include "model/answers_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/addr.h"

enum { LINE_BYTES = 16 * 1024 };

/* --- faults --- */

static struct err *add_fault(struct answers_report *r, uint32_t line)
{
	int i = r->count++;

	if (i >= ANSWERS_FAULTS_MAX)
		return NULL;
	r->fault[i] = (struct answers_fault){ .line = line };
	return &r->fault[i].err;
}

void answers_report_print(const struct answers_report *r, struct buf *out)
{
	int kept = r->count < ANSWERS_FAULTS_MAX ? r->count : ANSWERS_FAULTS_MAX;

	for (int i = 0; i < kept; i++) {
		const struct answers_fault *f = &r->fault[i];

		if (f->line)
			buf_printf(out, "line %u: ", f->line);
		if (f->err.field[0])
			buf_printf(out, "%s: ", f->err.field);
		buf_printf(out, "%s (given: \"%s\"", f->err.message, f->err.given);
		if (f->err.accepted[0])
			buf_printf(out, "; accepted: %s", f->err.accepted);
		buf_putz(out, ")\n");
	}
	if (r->count > kept)
		buf_printf(out, "and %d more\n", r->count - kept);
}

/* --- reading --- */

static int unknown_key(struct str key, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;

	for (int i = 0; i < ANSWER_COUNT; i++)
		buf_printf(&names, i ? ", %s" : "%s", answer_infos[i].name);
	return err_set(err, ERR_UNKNOWN_FIELD, "", key, buf_cstr(&names), "there is no such key");
}

static int take(struct answers *a, enum answer id, struct str value, uint32_t line, struct err *err)
{
	const struct answer_info *info = &answer_infos[id];

	if (!(info->flags & ANSWER_REPEAT)) {
		uint32_t before = answers_line(a, id, 0);

		if (before > 0)
			return err_set(err, ERR_BAD_VALUE, info->name,
				       info->flags & ANSWER_SECRET ? STR("(not shown)") : value,
				       "the key once", "it stands in line %u already", before);
		return answers_set(a, id, value, line, err);
	}
	return str_is_empty(value) ? 0 : answers_add(a, id, value, line, err);
}

static int take_line(struct answers *a, struct str text, uint32_t line, struct err *err)
{
	struct str key, value = text;

	if (text.n > LINE_BYTES)
		return err_set(err, ERR_SYNTAX, "", str_head(text, 40), "16384 bytes",
			       "the line is too long");
	if (str_is_empty(text) || text.p[0] == '#')
		return 0;
	if (str_chr(text, '=') < 0 || !str_split(&value, '=', &key))
		return err_set(err, ERR_SYNTAX, "", text, "key = value, or # and a comment",
			       "there is no = in this line");
	enum answer id = answer_find(key);
	if (id == ANSWER_COUNT)
		return unknown_key(key, err);
	return take(a, id, str_trim(value), line, err);
}

int answers_parse(struct answers *a, struct str text, struct answers_report *ret)
{
	struct str line, rest = text;

	*ret = (struct answers_report){ 0 };
	if (str_has_prefix(rest, STR("\xef\xbb\xbf")))
		rest = str_skip(rest, 3);
	for (uint32_t n = 1; str_line(&rest, &line); n++) {
		struct err err = ERR_INIT;
		int r = take_line(a, str_trim(line), n, &err);
		struct err *kept = r == -EINVAL ? add_fault(ret, n) : NULL;

		if (r < 0 && r != -EINVAL)
			return r;
		if (kept)
			*kept = err;
	}
	return ret->count > 0 ? -EINVAL : 0;
}

static int read_all(const char *path, struct buf *out)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	for (;;) {
		if (out->n > ANSWERS_FILE_MAX)
			return -EFBIG;
		int r = buf_reserve(out, 4096);
		if (r < 0)
			return r;
		ssize_t n = read(fd, out->p + out->n, 4096);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->n += (size_t)n;
	}
}

int answers_load(struct answers *a, const char *path, struct answers_report *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	int r = read_all(path, &text);
	if (r == 0)
		r = answers_parse(a, buf_str(&text), ret);
	return r < 0 ? r : answers_check(a, ret);
}

/* --- do they go together? --- */

static void fault_of(const struct answers *a, enum answer id, struct answers_report *ret,
		     const char *accepted, const char *message)
{
	struct err *err = add_fault(ret, answers_line(a, id, 0));

	(void)err_set(err, ERR_CONFLICT, answer_infos[id].name, answers_str(a, id), accepted, "%s",
		      message);
}

static void check_ports(const struct answers *a, struct answers_report *ret)
{
	static const enum answer ports[] = { ANSWER_SIP_PORT, ANSWER_SIP_TLS_PORT, ANSWER_API_PORT,
					     ANSWER_SSH_PORT };
	uint16_t first, last;

	answers_ports(a, ANSWER_MEDIA_PORTS, &first, &last);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		int64_t port = answers_int(a, ports[i]);

		for (size_t k = 0; k < i && port > 0; k++) {
			if (port == answers_int(a, ports[k]))
				fault_of(a, ports[i], ret, "a port of its own",
					 "another key has this port");
		}
		if (port >= first && port <= last)
			fault_of(a, ports[i], ret, "a port outside media_ports",
				 "the port is one of media_ports");
	}
}

/* Is the router on the network of our address "192.0.2.10/24"? */
static bool is_on_net(struct str own, const struct addr *router)
{
	struct str host;
	struct addr a;
	uint32_t bits = 0;

	if (!str_split(&own, '/', &host) || addr_parse(host, 0, &a) < 0 ||
	    str_to_u32(own, 128, &bits) < 0)
		return false;
	const unsigned char *x = addr_is_v6(&a) ? a.in6.sin6_addr.s6_addr : (void *)&a.in.sin_addr;
	const unsigned char *y =
		addr_is_v6(&a) ? router->in6.sin6_addr.s6_addr : (const void *)&router->in.sin_addr;
	for (uint32_t i = 0; i < bits; i++) {
		if ((x[i / 8] ^ y[i / 8]) & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static void check_router(const struct answers *a, struct str text, struct answers_report *ret)
{
	struct addr router;

	if (addr_parse(text, 0, &router) < 0)
		return;
	struct str own = answers_str(a, addr_is_v6(&router) ? ANSWER_IPV6 : ANSWER_IPV4);
	bool is_link_local = addr_is_v6(&router) && IN6_IS_ADDR_LINKLOCAL(&router.in6.sin6_addr);
	bool is_host = str_has_suffix(own, STR("/32")) || str_has_suffix(own, STR("/128"));

	if (str_chr(own, '/') < 0)
		fault_of(a, ANSWER_GATEWAY, ret, "a fixed address in ipv4 or ipv6, or no gateway",
			 "a router goes with a fixed address of its family");
	else if (!is_link_local && !is_host && !is_on_net(own, &router))
		fault_of(a, ANSWER_GATEWAY, ret, "an address on the network of ipv4 or ipv6",
			 "the router cannot be reached from the machine's address");
}

static void check_gateway(const struct answers *a, struct answers_report *ret)
{
	struct str first, rest = answers_str(a, ANSWER_GATEWAY);

	if (!str_split(&rest, ',', &first))
		return;
	check_router(a, first, ret);
	check_router(a, rest, ret);
	if (rest.n > 0 && (str_chr(first, ':') < 0) == (str_chr(rest, ':') < 0))
		fault_of(a, ANSWER_GATEWAY, ret, "one IPv4 and one IPv6 router",
			 "there are two routers of one family");
}

/* The door would be shut for everybody. */
static void check_ssh_from(const struct answers *a, struct answers_report *ret)
{
	if (str_eq(answers_str(a, ANSWER_SSH_FROM), STR("admin_hosts")) &&
	    str_is_empty(answers_str(a, ANSWER_ADMIN_HOSTS)))
		fault_of(a, ANSWER_SSH_FROM, ret, "any, or addresses in admin_hosts",
			 "there are no admin_hosts, so nobody could log in by SSH");
}

int answers_check(const struct answers *a, struct answers_report *ret)
{
	*ret = (struct answers_report){ 0 };
	check_ports(a, ret);
	check_gateway(a, ret);
	check_ssh_from(a, ret);
	return ret->count > 0 ? -EINVAL : 0;
}

/* It would be told to peers who cannot send to it. */
static void check_public(const struct answers *a, struct answers_report *ret)
{
	struct str text = answers_str(a, ANSWER_PUBLIC_ADDRESS);
	struct addr own;

	if (addr_parse(text, 0, &own) == 0 && (addr_is_private(&own) || addr_is_loopback(&own)))
		fault_of(a, ANSWER_PUBLIC_ADDRESS, ret, "an address of the Internet, or none",
			 "nobody outside can send to a private address");
}

int answers_check_able(const struct answers *a, struct answers_report *ret)
{
	(void)answers_check(a, ret);
	check_public(a, ret);
	if (answers_int(a, ANSWER_API_PORT) > 0)
		fault_of(a, ANSWER_API_PORT, ret, "0, or a file without api_port",
			 "this version has no web API: nothing would answer at that port");
	return ret->count > 0 ? -EINVAL : 0;
}

/* --- writing --- */

void answers_print(const struct answers *a, bool is_kept, struct buf *out)
{
	const unsigned left_out = is_kept ? ANSWER_SECRET | ANSWER_ONCE : 0;

	for (int i = 0; i < ANSWER_COUNT; i++) {
		enum answer id = (enum answer)i;

		if (answer_infos[i].flags & left_out)
			continue;
		for (size_t k = 0; k < answers_count(a, id); k++) {
			struct str value = answers_item(a, id, k);

			buf_printf(out, "%s = %.*s\n", answer_infos[i].name, STR_ARG(value));
		}
	}
}
