/* terminal: which terminal is it? On its own since <term.h> takes many short names. */
#pragma once

/* The name in $TERM if terminfo knows it, else "vt220", which nearly all terminals understand. */
const char *terminal_name(void);
