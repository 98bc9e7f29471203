/*
 * A kernel whose nftables knows less, for the switch-lockoutd under test: the names of expressions in OLDER ("notrack,log") are
 * spoilt on their way to it, so that it answers what it answers to one that it has never heard of.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEAD = 4, NAME = 1 }; /* of an attribute: its length and kind, NFTA_EXPR_NAME */

static void spoil(char *p, size_t n, const char *name, size_t length)
{
	char attribute[64] = { (char)(HEAD + length + 1), 0, NAME, 0 };

	memcpy(attribute + HEAD, name, length);
	for (char *at = p; (at = memmem(at, n - (size_t)(at - p), attribute, HEAD + length + 1));
	     at++)
		at[HEAD] = 'X';
}

ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to,
	       socklen_t size)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	const char *list = getenv("OLDER");
	char *copy = malloc(n);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (!list || !copy || !to || to->sa_family != AF_NETLINK) {
		free(copy);
		return real(fd, p, n, flags, to, size);
	}
	memcpy(copy, p, n);
	for (size_t length; *list; list += length + (list[length] == ',')) {
		length = strcspn(list, ",");
		spoil(copy, n, list, length);
	}
	ssize_t sent = real(fd, copy, n, flags, to, size);
	free(copy);
	return sent;
}
