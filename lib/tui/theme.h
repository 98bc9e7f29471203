/*
 * theme: how things look, by what they are; colours where the terminal has them, else bold, underline
 * and reverse.
 */
#pragma once

enum role {
	ROLE_PLAIN,
	ROLE_BAR,      /* title and help line */
	ROLE_BAR_KEY,  /* the keys in it */
	ROLE_MARK,     /* UNLICENSED, DEVELOPMENT */
	ROLE_HEAD,     /* names of columns, headings */
	ROLE_SELECTED, /* the row or button that Enter acts on */
	ROLE_FIELD,    /* where text can be typed */
	ROLE_FOCUS,    /* where it is being typed */
	ROLE_FRAME,    /* boxes and rules */
	ROLE_DIM,      /* explanations */
	ROLE_GOOD,
	ROLE_WARN,
	ROLE_BAD,
	ROLE_COUNT
};

/* Once, after curses has begun. */
void theme_init(void);
/* Attributes for curses. */
unsigned theme_attr(enum role role);
