/* world_gateway: compiles the lists and rules of one gateway; the checks at entry are the same code. */
#pragma once

#include "call/world.h"
#include "transport/flow.h"

int source_compile(struct source *s, struct err *err);
int vendor_compile(struct vendor *v, struct err *err);
/* Not asked by SIP, but by ENUM. */
bool vendor_is_name_server(const struct routing_gateway_row *row);
/* Where no port is given. */
uint16_t vendor_port(const struct vendor *v);
/* The addresses behind its names. 0 or -ENOMEM. */
int vendor_resolve(struct vendor *v, const struct world_input *in);
/* What keeps for each of its addresses whether it is there. 0 or -ENOMEM. */
int vendor_find_reach(struct vendor *v, const struct world_input *in);
/* A gateway's or phone's own rules (transform_create); what is wrong is said of that field. */
int rules_compile(struct transform **ret, const char *rules, const char *field, struct err *err);
/* user, register_user, register_domain and contact_user make URIs. -EINVAL with *err. */
int vendor_check_registration(const struct routing_gateway_row *row, struct err *err);
/* The names that it registers under, defaults filled in. */
struct str vendor_register_user(const struct routing_gateway_row *row);
struct str vendor_contact_user(const struct routing_gateway_row *row);
/* Frees the row too. */
void source_done(struct source *s);
void vendor_done(struct vendor *v);
/* Two gateways that could claim the same call: same network, local address, transport and tech prefix. -EINVAL with *err. */
int sources_check_ambiguous(const struct source *s, size_t n, struct err *err);
