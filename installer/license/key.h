/* key: the Ed25519 pair that licences are signed with, in PEM files. */
#pragma once

#include "base/err.h"
#include "model/licence.h"

/* Writes DIR/licence.pem (for nobody else's eyes) and DIR/licence.pub; replaces neither. */
int key_generate(const char *dir, struct err *err);
/* Signs with the private key of the PEM file. 0 or negative with *err. */
int key_sign(const char *path, struct licence *l, struct err *err);
/* The public key of a PEM file. 0 or negative with *err. */
int key_read_public(const char *path, unsigned char ret[LICENCE_KEY], struct err *err);
