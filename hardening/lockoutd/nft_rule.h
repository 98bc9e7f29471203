/* nft_rule: a rule in the words of the kernel: loads, comparisons, look-ups, a verdict. */
#pragma once

#include <stdio.h> /* libnftnl forgets it */

#include "rule.h"

struct nftnl_rule;
struct nftnl_expr;

/* The caller frees it (nftnl_rule_free); NULL if memory is short. It carries `why` as its comment. */
struct nftnl_rule *nft_rule_make(const struct rule *r);
/* A rate as the kernel's limit, for the elements of its set; NULL if memory is short. */
struct nftnl_expr *nft_rate_make(const struct rate *r);
/* Packets that a rule read back has matched. */
uint64_t nft_rule_packets(struct nftnl_rule *r);
