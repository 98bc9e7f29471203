#include "formats/mirror.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/raid/md_p.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum {
	SECTOR = 512,
	FROM_END = 16, /* sectors */
	ALIGN = 8,     /* sectors */
	MAJOR = 1,
	RAID1 = 1,
	ROLES_MAX = (MIRROR_SUPER - (int)sizeof(struct mdp_superblock_1)) / 2,
};

uint64_t mirror_super_at(uint64_t disk_bytes)
{
	uint64_t sectors = disk_bytes / SECTOR;

	return sectors < 2 * FROM_END ? 0 : (sectors - FROM_END) / ALIGN * ALIGN * SECTOR;
}

/* Little-endian words added up, the last one perhaps half of one, and what overflowed added once more. */
static uint32_t sum_of(const char *super, size_t n)
{
	uint64_t sum = 0;
	uint32_t word;
	uint16_t half;

	for (size_t i = 0; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, super + i, sizeof(word));
		sum += le32toh(word);
	}
	if (n % sizeof(word) != 0) {
		memcpy(&half, super + n / sizeof(word) * sizeof(word), sizeof(half));
		sum += le16toh(half);
	}
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static bool is_whole(struct str super, const struct mdp_superblock_1 *s)
{
	char bytes[MIRROR_SUPER];
	uint32_t roles = le32toh(s->max_dev);

	if (roles > ROLES_MAX)
		return false;
	memcpy(bytes, super.p, sizeof(bytes));
	memset(bytes + offsetof(struct mdp_superblock_1, sb_csum), 0, sizeof(s->sb_csum));
	return sum_of(bytes, sizeof(*s) + (size_t)roles * 2) == le32toh(s->sb_csum);
}

int mirror_parse(struct mirror_half *ret, struct str super, uint64_t at)
{
	struct mdp_superblock_1 s;

	if (super.n != MIRROR_SUPER)
		return -ENODATA;
	memcpy(&s, super.p, sizeof(s));
	uint32_t disks = le32toh(s.raid_disks);
	if (le32toh(s.magic) != MD_SB_MAGIC || le32toh(s.major_version) != MAJOR ||
	    le64toh(s.super_offset) != at / SECTOR || le32toh(s.level) != RAID1 || disks == 0 ||
	    disks > MIRROR_DISKS_MAX || !is_whole(super, &s))
		return -ENODATA;
	*ret = (struct mirror_half){ .disks = disks };
	memcpy(ret->set, s.set_uuid, sizeof(ret->set));
	return 0;
}

int mirror_read(struct mirror_half *ret, const char *device)
{
	char super[MIRROR_SUPER];

	CLEANUP(close) int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	off_t end = lseek(fd, 0, SEEK_END);
	uint64_t at = end < 0 ? 0 : mirror_super_at((uint64_t)end);
	if (at == 0)
		return end < 0 ? -errno : -ENODATA;
	int r = file_pread(fd, at, super, sizeof(super));
	return r < 0 ? r : mirror_parse(ret, str_n(super, sizeof(super)), at);
}

bool mirror_is_same(const struct mirror_half *a, const struct mirror_half *b)
{
	return memcmp(a->set, b->set, sizeof(a->set)) == 0;
}
