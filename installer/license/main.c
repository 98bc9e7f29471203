/* switch-license: makes keys and licences, says what a machine is called, looks at licences. */
#include "run.h"

int main(int argc, char **argv)
{
	return run(argc, (const char *const *)argv, stdout, stderr);
}
