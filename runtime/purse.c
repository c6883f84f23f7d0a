/* SPDX-License-Identifier: MIT */
/*
 * Spots => accounts: in which account of a ledger a path is counted. Usually
 * in that of its traceback. A path that was cut is counted under a part of it,
 * in an account whose key differs from that of the prefix: so what was cut is
 * known by the key alone, and its sums are exact. If there is no memory for
 * that account, that of a shorter prefix is taken, and at last the one of
 * "nowhere", which is had in any case: one a ledger and domain, beyond the
 * budget.
 */
#include "runtime.h"

#define CUT_MIX UINT64_C(0x9b05688c2b3e6c1f)

uint64_t purse_key(uint64_t hash, uint32_t domain)
{
    if (!domain)
        return hash;
    return (hash ^ domain * UINT64_C(0xd6e8feb86659fd93)) *
           UINT64_C(0x9fb21c651e98df25);
}

static uint64_t key_of(uint32_t id, uint32_t domain, bool is_cut)
{
    return purse_key(traceback_at(id)->key ^ (is_cut ? CUT_MIX : 0), domain);
}

bool purse_is_cut(const struct account *account)
{
    return account_key(account) !=
           key_of(account_traceback(account), account_domain(account), false);
}

/* The account, which is opened if there is none. */
static struct account *open(struct ledger *ledger, struct spot spot,
                            uint32_t domain)
{
    const uint64_t key = key_of(spot.id, domain, spot.is_cut);
    struct account *account = ledger_find(ledger, key);

    return account ? account
                   : ledger_add(ledger, (struct account_facts){key, spot.id,
                                                               domain});
}

/* The account of what was cut at the innermost traceback that has one. */
static struct account *find_prefix(const struct ledger *ledger, uint32_t id,
                                   uint32_t domain)
{
    struct account *account = NULL;

    for (; id && !account; id = traceback_at(id)->parent)
        account = ledger_find(ledger, key_of(id, domain, true));
    return account;
}

static struct account *open_nowhere(struct ledger *ledger, uint32_t domain)
{
    struct spot nowhere = {.is_cut = true};
    struct account *account;

    nowhere.id = traceback_nowhere();
    if (!nowhere.id)
        return NULL;
    budget_lift(true);
    account = open(ledger, nowhere, domain);
    budget_lift(false);
    return account;
}

struct account *purse_account(struct ledger *ledger, struct spot spot,
                              uint32_t domain)
{
    struct account *account = spot.id ? open(ledger, spot, domain) : NULL;

    if (!account)
        account = find_prefix(ledger, spot.id, domain);
    return account ? account : open_nowhere(ledger, domain);
}
