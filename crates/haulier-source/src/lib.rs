//! Reads PostgreSQL, MySQL/MariaDB and SQLite in key order; never writes.
