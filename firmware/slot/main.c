/*
 * tandem-slot: the running system's side of the A/B slots.
 *
 *	tandem-slot show [FILE]		which slot runs, and what the boot loader knows
 *	tandem-slot good [FILE]		this slot is healthy: it is booted again
 *	tandem-slot trial [FILE]	exit status 0 if this slot is to give way to the other one
 *	tandem-slot agree [FILE]	both halves of a mirror hold what the boot loader wrote to one of them
 *	tandem-slot give-up [FILE]	this slot is not tried again, as after three failed starts
 *	tandem-slot reset-done [FILE]	the factory reset that was asked for has been done
 *
 * FILE is GRUB's environment block, on the EFI partition. It is overwritten in place and read back;
 * one that is damaged is made anew, with the slot that we run from as the one that works.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/bootline.h"
#include "formats/slots_file.h"

enum { USAGE = 2 };

static const char ENVIRONMENT[] = "/boot/efi/grub/grubenv";

static int fail(int r, const char *what)
{
	(void)fprintf(stderr, "tandem-slot: %s: %s\n", what, strerror(-r));
	return EXIT_FAILURE;
}

/* The note that this slot was on trial, or what it holds if nobody noted that. */
static void confirm(int slot)
{
	struct slot_note note[SLOTS_COUNT];
	struct slot_note image;
	struct err err = ERR_INIT;
	int r = slot_notes_read(SLOT_NOTES, note);

	if (r == 0)
		r = slot_image_read(SLOT_IMAGE, &image, &err);
	if (r == 0 && (note[slot].is_trial || note[slot].built != image.built)) {
		if (note[slot].built != image.built)
			note[slot] = image;
		note[slot].is_trial = false;
		r = slot_notes_write(SLOT_NOTES, note, &err);
	}
	if (r < 0)
		(void)fprintf(stderr, "tandem-slot: %s: %s\n", SLOT_NOTES,
			      err.message[0] ? err.message : strerror(-r));
}

static int good(const char *path)
{
	struct slots s;

	int slot = slots_running();
	if (slot < 0)
		return fail(slot, "cannot tell which slot runs");
	int r = slots_load(path, &s);
	if (r < 0) {
		(void)fprintf(stderr, "tandem-slot: %s is damaged (%s), made anew\n", path,
			      strerror(-r));
		s = slots_fresh();
		s.is_ok[0] = false;
	}
	if (!s.is_ok[slot] || s.tries[slot] > 0) {
		s.is_ok[slot] = true;
		s.tries[slot] = 0;
		r = slots_store(path, &s);
		if (r < 0)
			return fail(r, path);
	}
	/* What counts is done; the note is for people. */
	if (strcmp(path, ENVIRONMENT) == 0)
		confirm(slot);
	return EXIT_SUCCESS;
}

/*
 * Should this slot give way to the other one? Only one that came by an update and never was healthy:
 * any other may have its trouble from elsewhere, and the other slot would have it, too.
 */
static int trial(const char *path)
{
	struct slot_note note[SLOTS_COUNT];
	struct slots s;

	int slot = slots_running();
	int r = slot < 0 ? slot : slots_load(path, &s);
	if (r == 0)
		r = slot_notes_read(SLOT_NOTES, note);
	if (r < 0)
		return fail(r, path);
	int other = 1 - slot;
	if (note[slot].is_trial && s.is_ok[other] && s.tries[other] < SLOTS_TRIES)
		return EXIT_SUCCESS;
	printf("slot %c stays: %s\n", 'A' + slot,
	       note[slot].is_trial ? "there is no other that works" : "it is not on trial");
	return EXIT_FAILURE;
}

/*
 * The boot loader knows disks and no mirror: it counts a try on one half. What it wrote comes on the kernel's command line, and
 * is written through the mirror, changed or not, before anybody reads from whichever half.
 */
static int agree(const char *path)
{
	struct bootline b;
	struct slots s;

	int r = bootline_read(&b);
	if (r < 0)
		return fail(r, "cannot tell which slot runs");
	r = slots_load(path, &s);
	if (r == -EINVAL || !b.has_tries)
		return EXIT_SUCCESS; /* a damaged block: `good` makes it anew */
	if (r < 0)
		return fail(r, path);
	for (int i = 0; i < SLOTS_COUNT; i++)
		s.tries[i] = b.tries[i];
	r = slots_store(path, &s);
	return r < 0 ? fail(r, path) : EXIT_SUCCESS;
}

static int give_up(const char *path)
{
	struct slots s;

	int slot = slots_running();
	int r = slot < 0 ? slot : slots_load(path, &s);
	if (r < 0)
		return fail(r, path);
	s.tries[slot] = SLOTS_TRIES;
	r = slots_store(path, &s);
	return r < 0 ? fail(r, path) : EXIT_SUCCESS;
}

static int reset_done(const char *path)
{
	struct slots s;

	int r = slots_load(path, &s);
	if (r == -EINVAL)
		return EXIT_SUCCESS; /* a damaged block asks for nothing; `good` makes it anew */
	if (r < 0)
		return fail(r, path);
	s.is_reset = false;
	r = slots_store(path, &s);
	return r < 0 ? fail(r, path) : EXIT_SUCCESS;
}

static int show(const char *path)
{
	struct slots s;

	int slot = slots_running();
	int r = slots_load(path, &s);
	if (r < 0)
		return fail(r, path);
	printf("running %s\norder %c %c\n",
	       slot < 0    ? "unknown"
	       : slot == 0 ? "A"
			   : "B",
	       s.order[0], s.order[1]);
	for (int i = 0; i < SLOTS_COUNT; i++)
		printf("%c: %s, %u of %d tries without health\n", i == 0 ? 'A' : 'B',
		       s.is_ok[i] ? "may boot" : "empty or bad", s.tries[i], SLOTS_TRIES);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *path);
	} VERBS[] = {
		{ "show", show },   { "good", good },       { "trial", trial },
		{ "agree", agree }, { "give-up", give_up }, { "reset-done", reset_done },
	};
	const char *path = argc > 2 ? argv[2] : ENVIRONMENT;

	for (size_t i = 0; argc >= 2 && argc <= 3 && i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
		if (strcmp(argv[1], VERBS[i].name) == 0)
			return VERBS[i].run(path);
	(void)fprintf(
		stderr,
		"usage: tandem-slot show | good | trial | agree | give-up | reset-done [FILE]\n");
	return USAGE;
}
