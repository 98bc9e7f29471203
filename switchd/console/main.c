#include "console.h"

int main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(&o, argc, argv, stdout, stderr);

	return status == OPTIONS_GO ? console_run(&o) : status;
}
