// store/schema.sql, in the binary; and what marks a file as a store.
#ifndef HEARTH_STORE_SCHEMA_H
#define HEARTH_STORE_SCHEMA_H

#define SCHEMA_APPLICATION_ID 0x48725468 // "HrTh", at byte 68 of the file: `file` and sqlite3 show it
#define SCHEMA_VERSION        1          // PRAGMA user_version; a newer one is not read

extern const char schema_sql[];

#endif
