/* switchctl: asks the switch, by the table of operations. */
#include "run.h"

int main(int argc, char **argv)
{
	return run(argc, (const char *const *)argv, stdout, stderr);
}
