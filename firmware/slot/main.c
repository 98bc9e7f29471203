/*
 * tandem-slot: the running system's side of the A/B slots.
 *
 *	tandem-slot show [FILE]		which slot runs, and what the boot loader knows
 *	tandem-slot good [FILE]		this slot is healthy: it is booted again
 *	tandem-slot trial [FILE]	exit status 0 if this slot is to give way to the other one
 *
 * FILE is GRUB's environment block, on the EFI partition. It is overwritten in place and read back;
 * one that is damaged is made anew, with the slot that we run from as the one that works.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (!s.is_ok[slot] || s.is_tried[slot]) {
		s.is_ok[slot] = true;
		s.is_tried[slot] = false;
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
	if (note[slot].is_trial && s.is_ok[other] && !s.is_tried[other])
		return EXIT_SUCCESS;
	printf("slot %c stays: %s\n", 'A' + slot,
	       note[slot].is_trial ? "there is no other that works" : "it is not on trial");
	return EXIT_FAILURE;
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
		printf("%c: %s, %s\n", i == 0 ? 'A' : 'B', s.is_ok[i] ? "may boot" : "empty or bad",
		       s.is_tried[i] ? "tried, no health reported" : "no try open");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *path = argc > 2 ? argv[2] : ENVIRONMENT;

	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "good") == 0)
		return good(path);
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "trial") == 0)
		return trial(path);
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "show") == 0)
		return show(path);
	(void)fprintf(stderr, "usage: tandem-slot show | good | trial [FILE]\n");
	return USAGE;
}
