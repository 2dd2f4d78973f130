/*
 * A store for each test, in a real SQLite file, with a clock that the test sets. The rig also reads
 * the file past the interface, and runs many processes at the same moment.
 */
#ifndef OTP_STORE_RIG_H
#define OTP_STORE_RIG_H

#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/store/store.h"

enum { MINUTE = 60 * 1000, DAY = 24 * 60 * MINUTE, CHILDREN_MAX = 64 };

extern struct folder top; /* a folder for this test */
extern char dir[264];	  /* the folder of the store in it */
extern char db_path[280];
extern struct store *store; /* open, or NULL */

/* Setup makes a folder, or a folder with an open store. Teardown removes all. */
int rig_make(void **state);
int rig_make_open(void **state);
int rig_drop(void **state);
void rig_reopen(void);
#define NO_STORE(f)   cmocka_unit_test_setup_teardown(f, rig_make, rig_drop)
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, rig_make_open, rig_drop)

/* Returns the instant so many ms after (or before) the start of the test, on both clocks. */
struct instant at(int64_t ms);

extern const struct try_rule wide; /* bounds that a test does not reach */
extern const struct try_rule rule; /* 3 failures, then 30 s to 200 s, 8 at most; 5 a challenge */

struct budget a_budget(const char *kind, const char *owner, const char *known_source);
/* Kind "user" and "recovery", owner "asha", known_source "". */
extern const struct budget asha, asha_recovery;

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccccccccccccccccccc"
#define HOME "ssh 192.0.2.1 SHA256:abc"

/* A challenge of asha for sshd from HOME, sent at(0), for five minutes. right_mac is its MAC. */
struct challenge a_challenge(const char *id32);
extern const unsigned char right_mac[STORE_MAC_LEN];
extern const unsigned char wrong_mac[STORE_MAC_LEN];
void put(const char *id);
/* Stores n challenges, numbered from 0. Each has a source of its own, so that all stay live. */
void put_many(int n);
/* Tries the challenge with this number. */
int try_nth(int n, const unsigned char *mac, const struct budget *b, const struct try_rule *r);
/* Stores ten recovery codes of asha, issue ID_A. Their hashes are 1 to 10, then zeros. */
void issue_ten(void);

struct send_count a_count(const char *kind, const char *owner, int count, int64_t span);
int reserve_at(
    int64_t ms, const struct send_count *c, size_t n, int64_t *id, struct store_refusal *why);
int find_at(
    int64_t ms, const char *user, const char *service, const char *source, struct challenge *out);
int try_mac_at(int64_t ms, const char *id, const unsigned char *mac, const struct budget *b,
    struct trial_result *out);
/* With a lease of ten seconds. */
int try_count_at(int64_t ms, const char *id, const struct budget *b, struct trial_result *out);
int consume_at(int64_t ms, const char *id, const struct budget *b, const char *known_source);
int locked_at(int64_t ms, const struct budget *b, struct trial_result *out);
/* Counts one failure on the budget, by a wrong code for a new challenge. */
int fail_at(int64_t ms, const struct budget *b, struct trial_result *out);

/* Reads one number from the file past the interface, or changes the file. */
int64_t number(const char *sql);
void script(const char *sql);
void assert_intact(void);

/* How many processes race: CHILDREN_MAX, or a few under valgrind. */
int children(void);

/*
 * Runs fn in children() processes, which start at the same moment, each with its own store object.
 * result[i] is what fn(i) returned. The store of the test is closed before and opened again after.
 */
typedef int child_fn(int i);
void in_parallel(child_fn *fn, int result[CHILDREN_MAX]);
int tally(const int result[CHILDREN_MAX], int r);

/* TRIAL(.id = ID_A, .budget = &asha, ...). AT(): a success makes this source known. */
#define TRIAL(...) (&(const struct trial){__VA_ARGS__})
#define AT(p)	   ((struct success_effects){.known_source = (p)})

#endif
