#include "formats/mirror.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/raid/md_p.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/unit.h"

enum { SECTOR = 512, ROLES = 128 };

/* A half as mdadm makes one for a disk of 2 GiB. */
static const uint64_t DISK = (uint64_t)2 << 30;

struct half {
	_Alignas(8) char bytes[MIRROR_SUPER];
};

static struct mdp_superblock_1 *super(struct half *h)
{
	return (struct mdp_superblock_1 *)h->bytes;
}

/* By the kernel's rule, said in another way than the code has it: with a carry around after each word. */
static void seal(struct half *h)
{
	size_t n = sizeof(struct mdp_superblock_1) + (size_t)le32toh(super(h)->max_dev) * 2;
	uint64_t sum = 0;

	super(h)->sb_csum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)(unsigned char)h->bytes[i] << (8 * (i % 4));
	super(h)->sb_csum = htole32((uint32_t)(sum + (sum >> 32)));
}

static struct half make(void)
{
	struct half h = { { 0 } };
	struct mdp_superblock_1 *s = super(&h);

	s->magic = htole32(MD_SB_MAGIC);
	s->major_version = htole32(1);
	s->feature_map = htole32(MD_FEATURE_BITMAP_OFFSET);
	memcpy(s->set_uuid, "0123456789abcdef", sizeof(s->set_uuid));
	s->level = htole32(1);
	s->raid_disks = htole32(2);
	s->size = htole64(DISK / SECTOR - 256);
	s->data_size = s->size;
	s->super_offset = htole64(mirror_super_at(DISK) / SECTOR);
	s->max_dev = htole32(ROLES);
	memset(h.bytes + sizeof(*s), 0xff, (size_t)ROLES * 2);
	s->dev_roles[0] = htole16(0);
	s->dev_roles[1] = htole16(1);
	seal(&h);
	return h;
}

static int parse(const struct half *h, struct mirror_half *ret)
{
	return mirror_parse(ret, str_n(h->bytes, sizeof(h->bytes)), mirror_super_at(DISK));
}

static void md_writes_eight_to_twelve_kilobytes_before_the_end(void **state)
{
	(void)state;
	assert_int_equal(mirror_super_at(DISK), DISK - 8192);
	assert_int_equal(mirror_super_at(DISK + 3 * SECTOR), DISK - 8192);
	assert_int_equal(mirror_super_at(DISK - SECTOR), DISK - 12288);
	assert_int_equal(mirror_super_at(0), 0);
	assert_int_equal(mirror_super_at(8192), 0);
}

static void halves_of_one_mirror_know_each_other(void **state)
{
	struct mirror_half a, b;
	struct half h = make();

	(void)state;
	assert_int_equal(parse(&h, &a), 0);
	assert_int_equal(a.disks, 2);
	super(&h)->dev_number = htole32(1);
	seal(&h);
	assert_int_equal(parse(&h, &b), 0);
	assert_true(mirror_is_same(&a, &b));
	super(&h)->set_uuid[15] ^= 1;
	seal(&h);
	assert_int_equal(parse(&h, &b), 0);
	assert_false(mirror_is_same(&a, &b));
}

static void expect_none(struct half *h)
{
	struct mirror_half half;

	seal(h);
	assert_int_equal(parse(h, &half), -ENODATA);
}

static void what_is_no_mirror_is_none(void **state)
{
	struct mirror_half half;
	struct half h = make();

	(void)state;
	h.bytes[900] ^= 1; /* behind what the sum covers */
	assert_int_equal(parse(&h, &half), 0);
	h.bytes[300] ^= 1;
	assert_int_equal(parse(&h, &half), -ENODATA);
	h = make();
	super(&h)->level = htole32(5);
	expect_none(&h);
	h = make();
	super(&h)->raid_disks = 0;
	expect_none(&h);
	h = make();
	super(&h)->raid_disks = htole32(MIRROR_DISKS_MAX + 1);
	expect_none(&h);
	h = make();
	super(&h)->magic ^= 1;
	expect_none(&h);
	h = make();
	super(&h)->major_version = 0;
	expect_none(&h);
	h = make();
	super(&h)->super_offset ^= htole64(8); /* copied from a disk of another size */
	expect_none(&h);
	h = make();
	super(&h)->max_dev = htole32(UINT32_MAX);
	assert_int_equal(parse(&h, &half), -ENODATA);
	assert_int_equal(mirror_parse(&half, STR(""), 8192), -ENODATA);
}

static void a_disk_is_read_at_its_end(void **state)
{
	char path[] = "/tmp/test-mirror-XXXXXX";
	struct mirror_half half;
	struct half h = make();
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mirror_read(&half, path), -ENODATA);
	assert_int_equal(ftruncate(fd, (off_t)DISK), 0);
	assert_int_equal(mirror_read(&half, path), -ENODATA);
	assert_int_equal(pwrite(fd, h.bytes, sizeof(h.bytes), (off_t)mirror_super_at(DISK)),
			 sizeof(h.bytes));
	assert_int_equal(mirror_read(&half, path), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mirror_read(&half, path), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md_writes_eight_to_twelve_kilobytes_before_the_end),
		cmocka_unit_test(halves_of_one_mirror_know_each_other),
		cmocka_unit_test(what_is_no_mirror_is_none),
		cmocka_unit_test(a_disk_is_read_at_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
