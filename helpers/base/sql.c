#include "helpers/base/sql.h"

#include <string.h>

static int
sql_bind(sqlite3_stmt *stmt, int at, const struct sql_value *v)
{
	switch (v->type) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(stmt, at, v->number);
	case SQLITE_TEXT:
		return sqlite3_bind_text64(stmt, at, v->bytes, v->len, SQLITE_STATIC, SQLITE_UTF8);
	case SQLITE_BLOB:
		return sqlite3_bind_blob64(stmt, at, v->bytes, v->len, SQLITE_STATIC);
	case SQLITE_NULL:
		return sqlite3_bind_null(stmt, at);
	default:
		return SQLITE_MISUSE;
	}
}

static int
sql_bind_all(sqlite3_stmt *stmt, const struct sql_value *v, size_t n)
{
	int rc = (size_t)sqlite3_bind_parameter_count(stmt) == n ? SQLITE_OK : SQLITE_MISUSE;

	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = sql_bind(stmt, (int)i + 1, &v[i]);
	return rc;
}

int
sql_again_n(sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n)
{
	int rc = SQLITE_OK;

	if (*stmt)
		(void)sqlite3_reset(*stmt);
	else
		rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	return rc == SQLITE_OK ? sql_bind_all(*stmt, v, n) : rc;
}

int
sql_prepare_n(
    sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n)
{
	int rc = sqlite3_prepare_v2(db, sql, -1, stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sql_bind_all(*stmt, v, n);
	if (rc != SQLITE_OK) {
		/* If a value could not be bound, the statement would match the wrong rows. */
		(void)sqlite3_finalize(*stmt);
		*stmt = NULL;
	}
	return rc;
}

int
sql_run_n(sqlite3 *db, const char *sql, const struct sql_value *v, size_t n)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare_n(db, &stmt, sql, v, n);

	while (rc == SQLITE_OK || rc == SQLITE_ROW)
		rc = sqlite3_step(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
sql_script(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int
sql_number(sqlite3 *db, const char *sql, int64_t *out)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_NOTADB : rc;
	*out = sqlite3_column_int64(stmt, 0);
	return SQLITE_OK;
}

int
sql_harden(sqlite3 *db)
{
	static const struct {
		int option;
		int value;
	} set[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < sizeof(set) / sizeof(set[0]); i++) {
		int is = -1;

		rc = sqlite3_db_config(db, set[i].option, set[i].value, &is);
		if (rc == SQLITE_OK && is != set[i].value)
			rc = SQLITE_ERROR;
	}
	return rc == SQLITE_OK ? sql_script(db, "PRAGMA cell_size_check = ON") : rc;
}

int
sql_judge(sqlite3 *db, int64_t application_id, int64_t version, enum sql_ours *ours)
{
	int64_t pages = 0, app = 0, ver = 0;
	int rc = sql_number(db, "PRAGMA page_count", &pages);

	if (rc == SQLITE_OK)
		rc = sql_number(db, "PRAGMA application_id", &app);
	if (rc == SQLITE_OK)
		rc = sql_number(db, "PRAGMA user_version", &ver);
	*ours = pages == 0		? SQL_EMPTY
		: app != application_id ? SQL_FOREIGN
		: ver != version	? SQL_OTHER_VERSION
					: SQL_OURS;
	return rc;
}

bool
sql_copy_text(sqlite3_stmt *stmt, int column, char *dst, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(stmt, column);
	size_t len = s ? strlen(s) : 0;

	if (!s || len >= size || (size_t)sqlite3_column_bytes(stmt, column) != len)
		return false;
	memcpy(dst, s, len + 1);
	return true;
}
