#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum {
	BLOCK = 4096,
	SECTORS = BLOCK / 512, /* of a block */
	TABLE_SIZE = 4096,
};

/* What one ioctl carries: its head, one target, the target's words. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char words[TABLE_SIZE];
};

static const struct str NAME = STR_INIT("root");
/* By this veritysetup and others know what it is; the number behind it stands for the content. */
#define KIND "CRYPT-VERITY-"

enum { NUMBER_DIGITS = 32 };

static int ask(int fd, unsigned long what, struct request *q)
{
	q->head.version[0] = DM_VERSION_MAJOR;
	q->head.data_size = sizeof(*q);
	q->head.data_start = sizeof(q->head);
	int r = str_copy(q->head.name, sizeof(q->head.name), NAME);
	if (r < 0)
		return r;
	return ioctl(fd, what, q) < 0 ? -errno : 0;
}

static int load(int fd, const struct bootline *b, const char *device)
{
	struct request q = { .head = { .flags = DM_READONLY_FLAG, .target_count = 1 } };
	struct buf words = buf_fixed(q.words, sizeof(q.words));

	q.target.length = (uint64_t)b->blocks * SECTORS;
	q.target.next = sizeof(q.target) + sizeof(q.words);
	int r = str_copy(q.target.target_type, sizeof(q.target.target_type), STR("verity"));
	if (r < 0)
		return r;
	buf_printf(&words, "1 %s %s %d %d %u %u sha256 %s %s 1 panic_on_corruption", device, device,
		   BLOCK, BLOCK, b->blocks, b->hash_start, b->root_hash, b->salt);
	r = buf_error(&words);
	return r < 0 ? r : ask(fd, DM_TABLE_LOAD, &q);
}

int verity_open(const struct bootline *b, const char *device)
{
	struct request create = { 0 }, resume = { 0 };
	struct buf uuid = buf_fixed(create.head.uuid, sizeof(create.head.uuid));

	CLEANUP(close) int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	buf_printf(&uuid, KIND "%.*s-%.*s", NUMBER_DIGITS, b->root_hash, STR_ARG(NAME));
	int r = buf_error(&uuid);
	if (r == 0)
		r = ask(fd, DM_DEV_CREATE, &create);
	if (r < 0)
		return r;
	r = load(fd, b, device);
	return r < 0 ? r : ask(fd, DM_DEV_SUSPEND, &resume); /* without its flag: resume */
}
