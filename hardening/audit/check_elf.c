/* How our programs were built. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "elf.h"

static const struct {
	const char *word, *lack;
} traits[] = {
#define TRAIT_ROW(name, word, text) { word, text },
	ELF_TRAITS(TRAIT_ROW)
#undef TRAIT_ROW
};

struct wanted {
	struct job *job;
	size_t trait;
};

static int on_program(void *ctx, const char *path)
{
	const struct wanted *w = ctx;
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct elf elf;
	int r = tree_read(w->job->tree, path, &file);

	if (r < 0)
		return r;
	r = elf_parse(&elf, buf_str(&file));
	w->job->looked_at++;
	if (r < 0)
		job_fault(w->job, "%s is no program for this machine", path);
	else if (!elf.has[w->trait])
		job_fault(w->job, "%s %s", path, traits[w->trait].lack);
	return 0;
}

int check_elf(struct job *j)
{
	struct wanted w = { .job = j };
	char word[TREE_PATH];
	int r = job_word(j, word) ? 0 : -EINVAL;

	while (r == 0 && w.trait < ELF_COUNT && strcmp(word, traits[w.trait].word) != 0)
		w.trait++;
	if (w.trait == ELF_COUNT)
		return -EINVAL;
	while (r == 0 && job_word(j, word))
		r = tree_each(j->tree, word, on_program, &w);
	if (r == 0 && j->looked_at == 0)
		job_skip(j, "none of our programs is here");
	return r;
}
