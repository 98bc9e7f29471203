#include "formats/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "model/json.h"

enum { PEM_MAX = 4096 };

static const struct str MAGIC = STR_INIT("TANDEM-UPDATE-1\n");
static const char PRODUCT[] = "tandem";
static const char WHOLE[] = "the file tandem-VERSION.update, whole, as it was released";

const char *const bundle_part_names[BUNDLE_PARTS] = { "boot", "root" };

/* ---- the list ---- */

static int no_list(struct err *err, const char *field, const char *what)
{
	return err_set(err, ERR_BAD_VALUE, field, STR(""), WHOLE, "the list of the update %s",
		       what);
}

static int read_part(struct bundle_part *ret, const json_t *v, enum bundle_part_id id,
		     struct err *err)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const json_t *size = json_object_get(v, "size");

	if (json_object_size(v) != 3 || !name || strcmp(name, bundle_part_names[id]) != 0)
		return no_list(err, "parts", "names other parts than boot and root");
	if (json_integer_value(size) <= 0 || json_integer_value(size) > INT64_MAX / 4)
		return no_list(err, "size", "gives a part no size");
	if (str_hex(str_of(json_string_value(json_object_get(v, "sha256"))), ret->sha256,
		    BUNDLE_SHA256) < 0)
		return no_list(err, "sha256", "gives a part no SHA-256");
	ret->size = (uint64_t)json_integer_value(size);
	return 0;
}

static int read_parts(struct bundle *b, const json_t *parts, uint64_t at, struct err *err)
{
	int r = json_array_size(parts) == BUNDLE_PARTS
			? 0
			: no_list(err, "parts", "names other parts than boot and root");

	for (size_t i = 0; r == 0 && i < BUNDLE_PARTS; i++) {
		r = read_part(&b->part[i], json_array_get(parts, i), (enum bundle_part_id)i, err);
		b->part[i].at = at;
		at += b->part[i].size;
	}
	return r;
}

/* A word that may stand in a line on the screen. */
static bool read_word(const json_t *list, const char *name, char ret[BUNDLE_VERSION])
{
	const json_t *v = json_object_get(list, name);
	struct str s = str_n(json_string_value(v), json_string_length(v));

	return s.n > 0 && !str_has_control(s) && str_copy(ret, BUNDLE_VERSION, s) == 0;
}

int bundle_parse(struct bundle *ret, struct str list, uint64_t head, struct err *err)
{
	CLEANUP(json_decref)
	json_t *j = json_loadb(list.p ? list.p : "", list.n, JSON_REJECT_DUPLICATES, NULL);
	const char *product = json_string_value(json_object_get(j, "product"));
	const json_t *built = json_object_get(j, "built");

	*ret = (struct bundle){ 0 };
	if (json_object_size(j) != 5)
		return no_list(err, "", "is not what it should be");
	if (!product || strcmp(product, PRODUCT) != 0)
		return no_list(err, "product", "is not of this product");
	if (!read_word(j, "version", ret->version) || !read_word(j, "machine", ret->machine))
		return no_list(err, "version", "does not say which version for which machine");
	if (json_integer_value(built) <= 0)
		return no_list(err, "built", "does not say when it was built");
	ret->built = json_integer_value(built);
	return read_parts(ret, json_object_get(j, "parts"), head, err);
}

/* ---- the file ---- */

static int read_at(int fd, uint64_t at, size_t n, struct buf *out)
{
	int r = buf_reserve(out, n);

	if (r == 0)
		r = file_pread(fd, at, out->p + out->n, n);
	if (r == 0)
		out->n += n;
	return r;
}

static int not_one(struct err *err, const char *what)
{
	return err_set(err, ERR_BAD_VALUE, "file", STR(""), WHOLE, "this is no update: %s", what);
}

static uint32_t list_size(struct str head)
{
	const unsigned char *p = (const unsigned char *)head.p + MAGIC.n;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What is signed: the magic, the length and the list, without the signature between them. */
static int check_signature(struct str whole, const struct bundle_keys *keys, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	size_t before = MAGIC.n + 4;
	int r = -EBADMSG;

	buf_put(&text, str_head(whole, before));
	buf_put(&text, str_skip(whole, BUNDLE_HEAD));
	if (buf_error(&text) < 0)
		return buf_error(&text);
	for (int i = 0; r == -EBADMSG && i < keys->count; i++)
		r = signature_check(buf_str(&text),
				    (const unsigned char *)str_skip(whole, before).p, keys->key[i]);
	if (r != -EBADMSG)
		return r;
	return err_set(err, ERR_FORBIDDEN, "signature", STR(""), WHOLE,
		       "the update is not signed by a key that this machine knows, or was changed "
		       "after it was signed");
}

static int check_size(const struct bundle *b, int fd, struct err *err)
{
	const struct bundle_part *last = &b->part[BUNDLE_PARTS - 1];
	uint64_t want = last->at + last->size;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size == want)
		return 0;
	return err_set(err, ERR_BAD_VALUE, "file", STR(""), WHOLE,
		       "the update has %lld bytes and should have %llu: it was %s",
		       (long long)st.st_size, (unsigned long long)want,
		       (uint64_t)st.st_size < want ? "cut off" : "added to");
}

int bundle_open(struct bundle *ret, int fd, const struct bundle_keys *keys, struct err *err)
{
	CLEANUP(buf_done) struct buf whole = BUF_INIT;
	int r = read_at(fd, 0, BUNDLE_HEAD, &whole);

	if (r == -ENODATA)
		return not_one(err, "it is too short");
	if (r < 0)
		return r;
	if (!str_has_prefix(buf_str(&whole), MAGIC))
		return not_one(err, "it begins differently");

	uint32_t n = list_size(buf_str(&whole));
	if (n == 0 || n > BUNDLE_LIST_MAX)
		return not_one(err, "its list has no sensible length");
	r = read_at(fd, BUNDLE_HEAD, n, &whole);
	if (r == -ENODATA)
		return not_one(err, "it ends within its list");
	if (r == 0)
		r = check_signature(buf_str(&whole), keys, err);
	if (r == 0)
		r = bundle_parse(ret, str_skip(buf_str(&whole), BUNDLE_HEAD), BUNDLE_HEAD + n, err);
	return r < 0 ? r : check_size(ret, fd, err);
}

/* ---- keys ---- */

static int read_key(struct bundle_keys *keys, const char *folder, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf pem = BUF_INIT;

	if (keys->count == BUNDLE_KEYS_MAX)
		return err_set(err, ERR_BAD_VALUE, "keys", str_of(folder), NULL,
			       "more than %d keys of updates", BUNDLE_KEYS_MAX);
	buf_printf(&path, "%s/%s", folder, name);

	const char *z = buf_cstr(&path);
	int r = z ? file_read(z, PEM_MAX, &pem, err) : -ENOMEM;
	if (r == 0)
		r = signature_read_key(buf_str(&pem), keys->key[keys->count]);
	if (r == 0)
		keys->count++;
	if (r == -EINVAL)
		(void)err_set(err, ERR_BAD_VALUE, "keys", buf_str(&path),
			      "an Ed25519 public key in PEM", "this is no key of updates");
	return r;
}

int bundle_keys_read(struct bundle_keys *ret, const char *folder, struct err *err)
{
	CLEANUP(closedir) DIR *d = opendir(folder);
	struct dirent *e;
	int r = 0;

	*ret = (struct bundle_keys){ 0 };
	while (d && r == 0 && (e = readdir(d)))
		if (str_has_suffix(str_of(e->d_name), STR(".pub")))
			r = read_key(ret, folder, e->d_name, err);
	if (r == 0 && ret->count == 0)
		r = err_set(err, ERR_NOT_FOUND, "keys", str_of(folder), NULL,
			    "this machine knows no key that may sign updates");
	return r;
}
