#include "base/password.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/rand.h"
#include "base/secret.h"

/* 32 MiB and some 0.1 s: what OWASP asks for, and little enough for a machine of 512 MB. */
enum { LN = 15, R = 8, P = 1, SALT = 16, HASH = 32 };
enum { LN_MIN = 14, LN_MAX = 18, SALT_MIN = 8, SALT_MAX = 48, HASH_MIN = 32, HASH_MAX = 64 };

struct parts {
	uint32_t ln, r, p;
	char salt[SALT_MAX];
	size_t salt_n;
	char hash[HASH_MAX];
	size_t hash_n;
};

static int derive(struct str password, const struct parts *x, unsigned char *out, size_t n)
{
	uint64_t memory = (uint64_t)128 * x->r * (1U << x->ln) + (1U << 20);

	return EVP_PBE_scrypt(password.p ? password.p : "", password.n,
			      (const unsigned char *)x->salt, x->salt_n, UINT64_C(1) << x->ln, x->r,
			      x->p, memory, out, n) == 1
		       ? 0
		       : -ENOMEM;
}

int password_hash(struct str password, char out[PASSWORD_HASH_TEXT])
{
	struct parts x = { .ln = LN, .r = R, .p = P, .salt_n = SALT };
	unsigned char hash[HASH];
	struct buf text = buf_fixed(out, PASSWORD_HASH_TEXT);

	rand_bytes(x.salt, x.salt_n);
	int r = derive(password, &x, hash, sizeof(hash));
	if (r < 0)
		return r;
	buf_printf(&text, "$scrypt$ln=%u,r=%u,p=%u$", x.ln, x.r, x.p);
	buf_put_base64(&text, str_n(x.salt, x.salt_n), false);
	buf_putc(&text, '$');
	buf_put_base64(&text, str_n(hash, sizeof(hash)), false);
	secret_wipe(hash, sizeof(hash));
	buf_putc(&text, '\0');
	return buf_error(&text);
}

static int take_number(struct str *rest, struct str name, uint32_t max, uint32_t *ret)
{
	struct str item;

	if (!str_split(rest, ',', &item) || !str_has_prefix(item, name))
		return -EINVAL;
	return str_to_u32(str_skip(item, name.n), max, ret);
}

static int take_bytes(struct str *rest, char *out, size_t min, size_t max, size_t *ret)
{
	struct buf b = buf_fixed(out, max);
	struct str item;

	if (!str_split(rest, '$', &item) || base64_decode(item, &b) < 0 || buf_error(&b) < 0 ||
	    b.n < min)
		return -EINVAL;
	*ret = b.n;
	return 0;
}

static int parse(struct str text, struct parts *x)
{
	struct str costs, rest = str_skip(text, STR("$scrypt$").n);

	if (!str_has_prefix(text, STR("$scrypt$")) || text.n >= PASSWORD_HASH_TEXT * 2)
		return -EINVAL;
	if (!str_split(&rest, '$', &costs) || take_number(&costs, STR("ln="), LN_MAX, &x->ln) < 0 ||
	    take_number(&costs, STR("r="), R, &x->r) < 0 ||
	    take_number(&costs, STR("p="), 4, &x->p) < 0 || costs.n > 0)
		return -EINVAL;
	if (x->ln < LN_MIN || x->r != R || x->p < 1)
		return -EINVAL;
	if (take_bytes(&rest, x->salt, SALT_MIN, SALT_MAX, &x->salt_n) < 0 ||
	    take_bytes(&rest, x->hash, HASH_MIN, HASH_MAX, &x->hash_n) < 0)
		return -EINVAL;
	return rest.n == 0 ? 0 : -EINVAL;
}

bool password_hash_is_valid(struct str hash)
{
	struct parts x;

	return parse(hash, &x) == 0;
}

int password_check(struct str password, struct str hash)
{
	unsigned char mine[HASH_MAX];
	struct parts x;

	if (parse(hash, &x) < 0)
		return -EINVAL;
	int r = derive(password, &x, mine, x.hash_n);
	if (r < 0)
		return r;
	bool is_same = secret_eq(str_n(mine, x.hash_n), str_n(x.hash, x.hash_n));
	secret_wipe(mine, sizeof(mine));
	return is_same;
}

static int kinds_of(struct str s)
{
	bool has_lower = false, has_upper = false, has_digit = false, has_other = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= 'a' && c <= 'z')
			has_lower = true;
		else if (c >= 'A' && c <= 'Z')
			has_upper = true;
		else if (c >= '0' && c <= '9')
			has_digit = true;
		else
			has_other = true;
	}
	return has_lower + has_upper + has_digit + has_other;
}

/* How many different octets there are. */
static int variety(struct str s)
{
	bool seen[256] = { false };
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += !seen[c];
		seen[c] = true;
	}
	return n;
}

const char *password_weakness(struct str password, struct str user)
{
	enum { LONG = 20, VARIETY_MIN = 6 };

	if (password.n < PASSWORD_MIN)
		return "shorter than 10 characters";
	if (password.n > PASSWORD_MAX)
		return "longer than 128 characters";
	if (user.n > 0 && str_ifind(password, user) >= 0)
		return "holds the user's name";
	if (variety(password) < VARIETY_MIN)
		return "too few different characters";
	if (password.n < LONG && kinds_of(password) < 3)
		return "needs three of: small letters, capitals, digits, others; or 20 characters";
	return NULL;
}
