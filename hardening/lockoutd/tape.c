#include "tape.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bans.h"
#include "base/file.h"
#include "reel.h"

enum {
	ROOM = 65536,
	TURN_MAX = 256, /* messages read before others get their turn */
	SOCKET_BYTES = 1024 * 1024,
};

struct tape {
	struct mnl_socket *nl;
	sd_event_source *source;
	char *folder;
	struct reel *reel;
	char room[ROOM];
};

static void drain(struct tape *t)
{
	int fd = mnl_socket_get_fd(t->nl);

	for (int i = 0; i < TURN_MAX; i++) {
		ssize_t n = recv(fd, t->room, sizeof(t->room), MSG_DONTWAIT);

		if (n <= 0)
			return;
		reel_take(t->reel, t->room, (size_t)n);
	}
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	(void)s;
	(void)fd;
	(void)events;
	drain(ctx);
	return 0;
}

/* ---- files ---- */

/* "192.0.2.7.pcap", "2001:db8:1:2::_64.pcap" */
static int path_of(const struct tape *t, const struct cidr *net, struct buf *ret)
{
	char text[ADDR_TEXT];

	(void)ban_text(net, text);
	for (char *p = text; *p; p++)
		*p = *p == '/' ? '_' : *p;
	buf_clear(ret);
	buf_printf(ret, "%s/%s.pcap", t->folder, text);
	return buf_cstr(ret) ? 0 : -ENOMEM;
}

/* Makes room: the oldest file goes when there are too many. */
static void tidy(const struct tape *t)
{
	CLEANUP(closedir) DIR *d = opendir(t->folder);
	char oldest[NAME_MAX + 1] = "";
	struct timespec age = { 0 };
	const struct dirent *e;
	struct stat st;
	int n = 0;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		n++;
		if (oldest[0] &&
		    (st.st_mtim.tv_sec > age.tv_sec ||
		     (st.st_mtim.tv_sec == age.tv_sec && st.st_mtim.tv_nsec >= age.tv_nsec)))
			continue;
		age = st.st_mtim;
		(void)str_copy(oldest, sizeof(oldest), str_of(e->d_name));
	}
	if (d && n >= TAPE_FILES)
		(void)unlinkat(dirfd(d), oldest, 0);
}

int tape_keep(struct tape *t, const struct cidr *net)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	int r;

	if (!t)
		return 0;
	drain(t); /* what the ban is for may have come in just now */
	if (reel_put(t->reel, net, &out) == 0)
		return 0;
	r = buf_error(&out);
	if (r == 0)
		r = path_of(t, net, &path);
	if (r < 0)
		return r;
	tidy(t);
	return file_write(path.p, buf_str(&out), 0640, true, NULL);
}

void tape_drop(struct tape *t, const struct cidr *net)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	if (t && path_of(t, net, &path) == 0)
		(void)unlink(path.p);
}

int tape_read(struct tape *t, const struct cidr *net, struct buf *out, size_t *ret)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r = t ? path_of(t, net, &path) : -ENOTSUP;

	*ret = 0;
	if (r == 0)
		r = file_read(path.p, REEL_FILE_MAX, out, NULL);
	if (r == 0)
		*ret = reel_count(buf_str(out));
	if (r != -ENOENT)
		return r;
	buf_clear(out);
	drain(t);
	*ret = reel_put(t->reel, net, out);
	return buf_error(out);
}

/* ---- opening ---- */

static int ask(struct tape *t, struct nlmsghdr *h, uint16_t flags)
{
	unsigned port = mnl_socket_get_portid(t->nl);

	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = 1;
	if (mnl_socket_sendto(t->nl, h, h->nlmsg_len) < 0)
		return -errno;

	ssize_t n = mnl_socket_recvfrom(t->nl, t->room, sizeof(t->room));

	if (n < 0)
		return -errno;
	return mnl_cb_run(t->room, (size_t)n, 1, port, NULL, NULL) < 0 ? -errno : 0;
}

static struct nlmsghdr *message(char *room)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *m;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->nfgen_family = AF_UNSPEC;
	m->version = NFNETLINK_V0;
	m->res_id = htons(TAPE_GROUP);
	return h;
}

static int bind_group(struct tape *t)
{
	struct nfulnl_msg_config_cmd command = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_mode = NFULNL_COPY_PACKET,
					       .copy_range = htonl(REEL_SNAP) };
	char room[256];
	struct nlmsghdr *h = message(room);
	int r;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(command), &command);
	r = ask(t, h, NLM_F_ACK);
	if (r < 0)
		return r;
	h = message(room);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(1)); /* each one at once */
	return ask(t, h, NLM_F_ACK);
}

static int open_folder(struct tape *t, const char *state_dir)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/packets", state_dir);
	t->folder = buf_steal(&path);
	if (!t->folder)
		return -ENOMEM;
	return mkdir(t->folder, 0750) == 0 || errno == EEXIST ? 0 : -errno;
}

int tape_open(struct tape **ret, sd_event *ev, const char *state_dir)
{
	CLEANUP(tape_close) struct tape *t = calloc(1, sizeof(*t));
	int one = 1, bytes = SOCKET_BYTES, r;

	if (!t)
		return -ENOMEM;
	r = reel_create(&t->reel);
	if (r < 0)
		return r;
	t->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!t->nl || mnl_socket_bind(t->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	(void)setsockopt(mnl_socket_get_fd(t->nl), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)mnl_socket_setsockopt(t->nl, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	r = bind_group(t);
	if (r == 0)
		r = open_folder(t, state_dir);
	if (r == 0)
		r = sd_event_add_io(ev, &t->source, mnl_socket_get_fd(t->nl), EPOLLIN, on_ready, t);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

struct tape *tape_close(struct tape *t)
{
	if (!t)
		return NULL;
	sd_event_source_disable_unref(t->source);
	if (t->nl)
		(void)mnl_socket_close(t->nl);
	t->reel = reel_free(t->reel);
	free(t->folder);
	free(t);
	return NULL;
}
