/* args: the arguments of a request, as each daemon's operations read them. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/money.h"
#include "control/server.h"

/* The arguments that come with a piece of a file (model/op.h, is_send). */
#define ARG_TOKEN "token"
#define ARG_MORE  "more"

/*
 * Every argument given is one of the operation's, and what it needs is there; lists that are one text become arrays. -EINVAL with *err;
 * -ENOMEM.
 */
int args_check(const struct request *r, struct err *err);
/* The same, and before that: is it asked of the daemon that does it? -EINVAL with *err. */
int args_admit(const struct request *r, bool is_ours, struct err *err);
/* The answer to what failed: *err, or, if that says nothing, the negative errno in words. */
void request_give_up(struct request *r, int error, struct err *err);
/* The text of an argument, in *out (emptied first); false if it was not given. */
bool arg_text(const struct request *r, const char *name, struct buf *out);
/* The same, required: -EINVAL with *err when it is missing. */
int arg_need(const struct request *r, const char *name, struct buf *out, struct err *err);
/* Numbers, amounts and times; `absent` if not given. -EINVAL with *err. */
int arg_int(const struct request *r, const char *name, int64_t min, int64_t max, int64_t absent,
	    int64_t *ret, struct err *err);
/* -EINVAL with *err for anything but true and false. */
int arg_bool(const struct request *r, const char *name, bool absent, bool *ret, struct err *err);
int arg_money(const struct request *r, const char *name, money_t absent, money_t *ret,
	      struct err *err);
int arg_time(const struct request *r, const char *name, ms_t absent, ms_t *ret, struct err *err);
