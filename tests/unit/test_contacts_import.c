/*
 * The import of a file of contacts, line by line, and the old addresses that an edit reports: users
 * whose addresses change must be told at the old ones, and nobody else (S7).
 */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/contacts/contacts.h"

#define ONE   "+9779800000001"
#define TWO   "+9779800000002"
#define THREE "+9779800000003"
#define MAIL  "asha@example.com"

static struct folder folder;
static char path[sizeof(folder.path) + 16];
static struct contacts_edit *edit;
static int64_t lines;

static int
begin(void **state)
{
	(void)state;
	folder_make(&folder);
	(void)snprintf(path, sizeof(path), "%s/contacts.db", folder.path);
	lines = 1;
	return contacts_sqlite_create(path, geteuid(), getegid()) ||
	       contacts_edit_begin(path, &edit);
}

static int
end(void **state)
{
	(void)state;
	contacts_edit_abort(edit);
	edit = NULL;
	folder_drop(&folder);
	return 0;
}

/* Commits the edit and begins another one. */
static void
turn_over(void)
{
	assert_int_equal(contacts_edit_commit(edit), 0);
	edit = NULL;
	assert_int_equal(contacts_edit_begin(path, &edit), 0);
	lines = 1;
}

static struct contact
contact_of(const char *user, const char *address, bool preferred)
{
	struct contact c = {.preferred = preferred};

	c.kind = contact_kind_of(address);
	strcpy(c.user, user);
	strcpy(c.address, address);
	return c;
}

static void
add(const char *user, const char *address, bool preferred)
{
	struct contact c = contact_of(user, address, preferred);

	assert_int_equal(contacts_edit_add(edit, &c), 0);
}

static enum imported
take_line(const struct contact_line *l, enum import_mode mode, int64_t *earlier)
{
	enum imported what;

	assert_int_equal(contacts_edit_import(edit, l, mode, &what, earlier), 0);
	return what;
}

/* Imports a line. preferred is -1 if the file does not have that column. */
static enum imported
import(const char *user, const char *address, int preferred, enum import_mode mode)
{
	struct contact_line l = {
	    .contact = contact_of(user, address, preferred > 0),
	    .has_preferred = preferred >= 0,
	    .number = ++lines,
	};
	int64_t earlier;

	return take_line(&l, mode, &earlier);
}

struct seen {
	char text[512];
};

static int
note_contact(const struct contact *c, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s %s%s%s\n", c->user, c->address,
	    c->preferred ? " preferred" : "", c->verified_at ? " verified" : "");
	return 0;
}

static void
assert_contacts(const char *expected)
{
	struct seen s = {""};

	turn_over();
	assert_int_equal(contacts_sqlite_each(path, NULL, note_contact, &s), 0);
	assert_string_equal(s.text, expected);
}

static int
note_old(const struct contact *c, enum contact_fate fate, void *arg)
{
	static const char *const fates[] = {"removed", "replaced", "joined"};
	struct seen *s = arg;
	size_t len = strlen(s->text);

	(void)snprintf(
	    s->text + len, sizeof(s->text) - len, "%s %s %s\n", c->user, c->address, fates[fate]);
	return 0;
}

static void
assert_old(const char *expected)
{
	struct seen s = {""};

	assert_int_equal(contacts_edit_old(edit, note_old, &s), 0);
	assert_string_equal(s.text, expected);
}

/* --- lines --------------------------------------------------------------------------------- */

static void
new_and_known_lines_are_told_apart(void **state)
{
	(void)state;
	add("asha", MAIL, false);
	turn_over();
	assert_int_equal(import("asha", ONE, 0, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("asha", "ASHA@example.com", 0, IMPORT_ADD), IMPORTED_SAME);
	assert_int_equal(import("bela", ONE, 1, IMPORT_ADD), IMPORTED_NEW);
	assert_old("asha " MAIL " joined\n");
	assert_contacts("asha " MAIL "\nasha " ONE "\nbela " ONE " preferred\n");
}

static void
a_line_that_comes_twice_names_the_first(void **state)
{
	struct contact_line l = {.contact = contact_of("asha", MAIL, false), .number = 7};
	int64_t earlier = -1;

	(void)state;
	assert_int_equal(take_line(&l, IMPORT_ADD, &earlier), IMPORTED_NEW);
	assert_int_equal(earlier, 0);
	l.number = 8;
	strcpy(l.contact.address, "Asha@Example.COM");
	assert_int_equal(take_line(&l, IMPORT_ADD, &earlier), IMPORTED_TWICE);
	assert_int_equal(earlier, 7);
	/* The same address of another user is another contact. */
	strcpy(l.contact.user, "bela");
	assert_int_equal(take_line(&l, IMPORT_ADD, &earlier), IMPORTED_NEW);
}

static void
one_of_a_kind_is_preferred_in_a_file(void **state)
{
	struct contact_line l = {.contact = contact_of("asha", TWO, true), .number = 9};
	int64_t earlier = 0;

	(void)state;
	assert_int_equal(import("asha", ONE, 1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("asha", MAIL, 1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(take_line(&l, IMPORT_ADD, &earlier), IMPORTED_TWO_PREFERRED);
	assert_int_equal(earlier, 2);
	assert_contacts("asha " ONE " preferred\nasha " MAIL " preferred\n");
}

static void
malformed_lines_are_not_taken(void **state)
{
	struct contact_line l = {.contact = contact_of("asha", "9800000001", false), .number = 2};
	enum imported what;
	int64_t earlier;

	(void)state;
	assert_int_equal(contacts_edit_import(edit, &l, IMPORT_ADD, &what, &earlier), -OTP_EINVAL);
	l.contact = contact_of("", ONE, false);
	assert_int_equal(contacts_edit_import(edit, &l, IMPORT_ADD, &what, &earlier), -OTP_EINVAL);
	l.contact = contact_of("asha", ONE, false);
	strcpy(l.contact.label, "a\nb");
	assert_int_equal(contacts_edit_import(edit, &l, IMPORT_ADD, &what, &earlier), -OTP_EINVAL);
	assert_contacts("");
}

static void
adding_changes_nothing_that_is_there(void **state)
{
	struct contact_line l = {.has_label = true, .has_preferred = true, .has_verified = true};
	int64_t earlier;

	(void)state;
	add("asha", ONE, true);
	add("asha", TWO, false);
	turn_over();
	l.contact = contact_of("asha", TWO, true);
	l.contact.verified_at = 5;
	l.number = 2;
	assert_int_equal(take_line(&l, IMPORT_ADD, &earlier), IMPORTED_SAME);
	assert_old("");
	assert_contacts("asha " ONE " preferred\nasha " TWO "\n");
}

static void
replacing_takes_what_the_file_says_and_keeps_the_rest(void **state)
{
	struct contact c = contact_of("asha", ONE, true);
	struct contact_line l = {.has_label = true, .number = 2};
	int64_t earlier;

	(void)state;
	c.verified_at = 5;
	assert_int_equal(contacts_edit_add(edit, &c), 0);
	turn_over();
	/* The file lacks these columns, so the old values stay. */
	l.contact = contact_of("asha", ONE, false);
	assert_int_equal(take_line(&l, IMPORT_REPLACE, &earlier), IMPORTED_SAME);
	assert_contacts("asha " ONE " preferred verified\n");
	l.has_preferred = l.has_verified = true;
	assert_int_equal(take_line(&l, IMPORT_REPLACE, &earlier), IMPORTED_CHANGED);
	assert_contacts("asha " ONE "\n");
}

static void
replacing_removes_the_others_of_named_users_only(void **state)
{
	int64_t removed = 0;

	(void)state;
	add("asha", ONE, false);
	add("asha", MAIL, false);
	add("bela", ONE, false);
	turn_over();
	assert_int_equal(import("asha", TWO, -1, IMPORT_REPLACE), IMPORTED_NEW);
	assert_int_equal(contacts_edit_import_rest(edit, &removed), 0);
	assert_int_equal(removed, 2);
	assert_old("asha " MAIL " removed\nasha " ONE " replaced\n");
	assert_contacts("asha " TWO "\nbela " ONE "\n");
}

/* --- old addresses that are reported -------------------------------------------------------- */

static void
an_address_that_is_no_longer_first_is_reported(void **state)
{
	(void)state;
	add("asha", ONE, false);
	add("asha", TWO, false);
	add("asha", MAIL, false);
	turn_over();
	assert_int_equal(import("bela", ONE, 1, IMPORT_ADD), IMPORTED_NEW);
	assert_old("");
	turn_over();
	add("bela", THREE, true);
	assert_int_equal(import("asha", TWO, 1, IMPORT_REPLACE), IMPORTED_CHANGED);
	assert_old("asha " ONE " replaced\nbela " ONE " replaced\n");
}

/* A new address is reported to the first old one of each kind, a removal to the removed one. */
static void
a_new_address_is_reported_to_the_old_ones(void **state)
{
	(void)state;
	add("asha", ONE, false);
	add("asha", TWO, true);
	add("asha", MAIL, false);
	add("bela", ONE, false);
	add("chitra", MAIL, false);
	turn_over();
	add("asha", THREE, false);
	assert_old("asha " MAIL " joined\nasha " TWO " joined\n");
	assert_int_equal(import("bela", MAIL, -1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("bela", TWO, -1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("bela", ONE, -1, IMPORT_ADD), IMPORTED_SAME);
	assert_old("asha " MAIL " joined\nasha " TWO " joined\nbela " ONE " joined\n");
	add("chitra", ONE, false);
	add("chitra", "chitra@example.org", true);
	assert_old("asha " MAIL " joined\nasha " TWO " joined\nbela " ONE " joined\nchitra " MAIL
		   " replaced\n");
}

/* A new address is reported to an old one, also if the edit removes another address. */
static void
a_removal_hides_no_new_address(void **state)
{
	int64_t removed = 0;

	(void)state;
	add("asha", ONE, false);
	add("asha", TWO, false);
	add("bela", ONE, false);
	add("bela", MAIL, false);
	turn_over();
	assert_int_equal(import("asha", ONE, -1, IMPORT_REPLACE), IMPORTED_SAME);
	assert_int_equal(import("asha", THREE, -1, IMPORT_REPLACE), IMPORTED_NEW);
	assert_int_equal(contacts_edit_import_rest(edit, &removed), 0);
	add("bela", "bela@example.org", true);
	assert_old("asha " ONE " joined\nasha " TWO " replaced\nbela " MAIL " replaced\nbela " ONE
		   " joined\n");
}

/* A user who had no address has no old one that could be reported, whatever is added. */
static void
the_first_addresses_of_a_user_are_not_reported(void **state)
{
	(void)state;
	add("asha", ONE, false);
	turn_over();
	assert_int_equal(import("bela", ONE, -1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("bela", MAIL, -1, IMPORT_ADD), IMPORTED_NEW);
	assert_int_equal(import("bela", TWO, 1, IMPORT_REPLACE), IMPORTED_NEW);
	add("chitra", ONE, false);
	add("chitra", TWO, true);
	assert_old("");
}

static void
removed_addresses_are_reported_once(void **state)
{
	int removed = 0;

	(void)state;
	add("asha", ONE, true);
	add("asha", TWO, false);
	add("asha", MAIL, true);
	turn_over();
	assert_int_equal(contacts_edit_remove(edit, "asha", ONE, &removed), 0);
	assert_old("asha " ONE " replaced\n");
	/* The address is added again in the same edit: nothing has changed for the user. */
	add("asha", ONE, true);
	assert_old("");
	assert_int_equal(contacts_edit_remove(edit, "asha", NULL, &removed), 0);
	assert_int_equal(removed, 3);
	assert_old("asha " MAIL " removed\nasha " ONE " removed\nasha " TWO " removed\n");
}

static void
attributes_and_verified_marks_are_not_reported(void **state)
{
	struct contact c = contact_of("asha", ONE, false);

	(void)state;
	add("asha", ONE, false);
	turn_over();
	assert_int_equal(contacts_edit_verified(edit, &c, 5), 0);
	assert_int_equal(contacts_edit_attribute(edit, "asha", "kgen", "user_id", "7"), 0);
	assert_old("");
	c.kind = CONTACT_EMAIL;
	assert_int_equal(contacts_edit_verified(edit, &c, 6), -OTP_ENOENT);
	c = contact_of("bela", ONE, false);
	assert_int_equal(contacts_edit_verified(edit, &c, 6), -OTP_ENOENT);
	assert_contacts("asha " ONE " verified\n");
}

static int
stop(const struct contact *c, enum contact_fate fate, void *arg)
{
	(void)c, (void)fate, (void)arg;
	return -OTP_ENOMEM;
}

static void
a_listing_of_the_old_can_be_ended(void **state)
{
	int removed;

	(void)state;
	add("asha", ONE, false);
	turn_over();
	assert_int_equal(contacts_edit_remove(edit, "asha", NULL, &removed), 0);
	assert_int_equal(contacts_edit_old(edit, stop, NULL), -OTP_ENOMEM);
}

#define WITH_EDIT(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_EDIT(new_and_known_lines_are_told_apart),
	    WITH_EDIT(a_line_that_comes_twice_names_the_first),
	    WITH_EDIT(one_of_a_kind_is_preferred_in_a_file),
	    WITH_EDIT(malformed_lines_are_not_taken),
	    WITH_EDIT(adding_changes_nothing_that_is_there),
	    WITH_EDIT(replacing_takes_what_the_file_says_and_keeps_the_rest),
	    WITH_EDIT(replacing_removes_the_others_of_named_users_only),
	    WITH_EDIT(an_address_that_is_no_longer_first_is_reported),
	    WITH_EDIT(a_new_address_is_reported_to_the_old_ones),
	    WITH_EDIT(a_removal_hides_no_new_address),
	    WITH_EDIT(the_first_addresses_of_a_user_are_not_reported),
	    WITH_EDIT(removed_addresses_are_reported_once),
	    WITH_EDIT(attributes_and_verified_marks_are_not_reported),
	    WITH_EDIT(a_listing_of_the_old_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
