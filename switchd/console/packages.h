/* packages: the lists of packages and of their orders; a key of the page of rates. */
#pragma once

int packages_open(void *ctx);
