/* switch-tune: sets the kernel as a switch wants it, and says whether it is. */
#include "run.h"

int main(int argc, char **argv)
{
	return run(argc, (const char *const *)argv, stdout, stderr);
}
