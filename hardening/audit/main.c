/* switch-audit: is this machine as hard as it should be, and if not, where and why? */
#include "run.h"

int main(int argc, char **argv)
{
	return run(argc, (const char *const *)argv, stdout, stderr);
}
