#ifndef TALLY_CSQLITE_SHIM_H
#define TALLY_CSQLITE_SHIM_H
#include <sqlite3.h>

/// Binds a copy of `count` bytes; an empty array is an empty blob, not NULL. SQLITE_TRANSIENT is a cast that Swift
/// does not import.
static inline int tally_sqlite3_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
  if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int tally_sqlite3_wal_pages(void *context, sqlite3 *database, const char *name, int pages) {
  (void)database;
  (void)name;
  *(int *)context = pages;
  return SQLITE_OK;
}

/// From now on `*pages` holds the number of pages in the write-ahead log after each commit. Replaces SQLite's own
/// automatic checkpoint, which hides its errors.
static inline void tally_sqlite3_count_wal_pages(sqlite3 *database, int *pages) {
  sqlite3_wal_hook(database, tally_sqlite3_wal_pages, pages);
}
#endif
